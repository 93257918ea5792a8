// Learn on digits: the training of the 28×28 network, in the page.

import { Digits, Training } from './pkg/ign_web.js';
import { LOSSES, chosen, only, player, select, sliders, stopped } from './controls.js';
import { curves } from './curves.js';
import { enqueue } from './engine.js';
import { grid } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const FILE = 'train-images-idx3-ubyte.gz';
/** The number of digits to learn from: a part of the file is enough, and is loaded sooner. */
const COUNT = 12000;
const ROWS = 6, SIDE = 28;
const NAMES = LOSSES.map(({ name }) => name);

/** Loads the training images, up to the last one that is used. */
async function load(say) {
  const answer = await fetch(FILE);
  if (!answer.ok) throw new Error(`the digits cannot be loaded: ${answer.status} ${answer.statusText}`);
  const reader = answer.body.pipeThrough(new DecompressionStream('gzip')).getReader();
  const bytes = new Uint8Array(Digits.bytes(COUNT));
  let filled = 0;
  while (filled < bytes.length) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, bytes.length - filled);
    bytes.set(part, filled);
    filled += part.length;
    say(`loading digits: ${Math.floor(100 * filled / bytes.length)} %`);
  }
  reader.cancel();
  return Digits.read(bytes.subarray(0, filled), COUNT);
}

/** Shows the view. `use` takes a network for the other views. Returns a function to be told whether it is shown. */
export function digits(engine, use) {
  let images = null, training = null, previewed = 0;
  const say = text => { $('digits-losses').textContent = text; };
  const chart = curves($('digits-curves'), $('losses-legend'));
  const controls = sliders($('digits-sliders'), LOSSES, () => enqueue('digits settings', settings));

  const named = ([rec, idem, tight, rate]) => ({ rec, idem, tight, rate: Math.log10(rate) });
  const start = named(Training.defaults());
  controls.set(start);
  function settings() {
    const [rec, idem, tight, rate] = NAMES.map(controls.get);
    training?.set(rec, idem, tight, 10 ** rate);
  }

  /** Begins with what `make` makes of the images. */
  async function begin(make) {
    images ??= await load(say);
    say('compiling the shaders of a training step …');
    const next = await make(images);
    training?.free();
    training = next;
    chart.clear();
    $('digits-warning').textContent = '';
    const [width, batch] = training.size();
    await preview();
    say(`step ${training.step()}, on ${images.count()} digits, w = ${width}, batch ${batch}`);
  }
  async function restart() {
    const [width, batch] = ['digits-width', 'digits-batch'].map(id => Number($(id).value));
    await begin(images => engine.train(images, width, batch, $('digits-noise').value === 'frequency', Number(link.get('seed')) || 1));
    settings();
  }

  async function preview() {
    const begun = performance.now();
    const all = await training.preview(), size = all.length / ROWS;
    grid($('preview'), Array.from({ length: ROWS }, (_, i) => all.subarray(i * size, (i + 1) * size)), SIDE);
    // Pictures take at most a quarter of the time.
    previewed = performance.now() + 3 * (performance.now() - begun);
  }

  async function advance(steps) {
    if (!training) return restart();
    const begun = performance.now();
    const { step, rec, idem, tight, warning } = await training.advance(steps);
    const time = performance.now() - begun;
    chart.add(step, [rec, idem, tight]);
    say(`step ${step}: rec ${rec.toFixed(4)}, idem ${idem.toFixed(4)}, tight ${tight.toFixed(4)}; ${(1e3 * steps / time).toPrecision(2)} steps a second`);
    if (warning) $('digits-warning').textContent = warning;
    if (performance.now() > previewed) await preview();
  }

  const buttons = { run: $('digits-run'), single: $('digits-single'), reset: $('digits-reset') };
  const failed = error => { $('digits-warning').textContent = stopped(error); };
  const playing = player('digits', buttons, { frame: 250, running: false, advance, restart, failed });
  // What the adapter can take at a pleasant rate.
  const [width, batch] = engine.software() ? [8, 16] : [32, 64];
  for (const [name, otherwise] of Object.entries({ width, batch, noise: 'frequency' })) {
    const input = $(`digits-${name}`);
    select(input, link.get(name), otherwise);
    input.onchange = () => { link.set({ [name]: input.value }); if (training) playing.again(); };
  }
  only($('on-digits'), start, weights => {
    controls.set(weights);
    enqueue('digits settings', settings);
  });

  /** Runs `work` on the training, if there is one. */
  const withTraining = (kind, work) => enqueue(kind, async () => {
    if (!training) return say('there is no training yet: run it, or load a checkpoint');
    await work();
  }).catch(failed);
  $('download').onclick = () => withTraining('digits download', async () => {
    const url = URL.createObjectURL(new Blob([await training.checkpoint(false)]));
    Object.assign(document.createElement('a'), { href: url, download: 'checkpoint.safetensors' }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  $('use').onclick = () => withTraining('digits use', async () => use(await training.checkpoint(true)));
  chosen($('load'), file => enqueue('digits load', async () => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    try {
      await begin(images => engine.resume(images, bytes));
      controls.set(named(training.settings()));
      [$('digits-width').value, $('digits-batch').value] = training.size();
    } catch (error) {
      // A model without the optimiser's moments cannot learn, but the other views can use it.
      await use(bytes).catch(() => { throw error; });
      say(`${file.name} cannot be trained further; the other views use it now`);
    }
  }).catch(failed));
  return playing.shown;
}
