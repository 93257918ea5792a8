// Start: the adapter, the network, and the view that the link names.

import { NoAdapter } from './adapter.js';
import { draw } from './draw.js';
import { enqueue, failure, open } from './engine.js';
import { learn } from './learn.js';
import { measure } from './measure.js';
import { puzzles } from './puzzles.js';
import { recorded } from './recorded.js';
import { sample } from './sample.js';
import { link } from './state.js';
import { tape } from './tape.js';

const $ = id => document.getElementById(id);
const VIEWS = ['draw', 'sample', 'learn', 'tape', 'puzzles', 'measure'];

function say(text, failed = false) {
  $('status-text').textContent = text;
  $('status').hidden = !text;
  $('status').classList.toggle('failed', failed);
}

/** Says the first failure, or one that explains it, and offers to open the page anew: what is drawn and set is in the link. */
function fail(text, explains = false) {
  if (!$('reopen').hidden && !explains) return;
  say(text, true);
  $('reopen').hidden = false;
  $('status').scrollIntoView({ block: 'nearest' });
}
$('reopen').onclick = () => { link.flush(); location.reload(); };
failure.then(reason => fail(`The GPU was taken from the page or has failed: ${reason}
Reload the page: the view, its settings and the drawing come back, a training starts anew.`, true));
addEventListener('unhandledrejection', ({ reason }) => fail(String(reason?.message ?? reason)));
addEventListener('error', ({ message }) => fail(message));
for (const tab of document.querySelectorAll('nav a')) {
  tab.onclick = event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.go(tab.hash.slice(1));
  };
}

let learning;
function show() {
  const view = VIEWS.includes(link.view()) ? link.view() : VIEWS[0];
  for (const name of VIEWS) {
    $(name).hidden = name !== view;
    const tab = document.querySelector(`nav a[href="#${name}"]`);
    name === view ? tab.setAttribute('aria-current', 'page') : tab.removeAttribute('aria-current');
  }
  learning?.(view === 'learn');
}

async function load(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} cannot be loaded: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Says how many shaders are compiled, while some are not. */
function watch(engine) {
  setInterval(() => {
    const [ready, all] = engine.compiled();
    $('compiling').hidden = ready === all;
    if (ready < all) $('compiling').textContent = `Compiling the shaders … ${ready} of ${all}`;
  }, 100);
}

try {
  const [network, classifier] = ['mnist.safetensors', 'classifier.safetensors'].map(load);
  const engine = await open();
  $('adapter').textContent = engine.describe();
  watch(engine);
  /** The network that draws and samples, for single images and for several. */
  const models = { single: await engine.model(await network, 1) };
  const edit = draw(models, await engine.recogniser(await classifier, 3));
  let resample = () => {};
  learning = learn(engine, async bytes => {
    const before = Object.values(models);
    const [single, several] = [await engine.model(bytes, 1), await engine.model(bytes, 8)];
    Object.assign(models, { single, several });
    before.forEach(model => model.free());
    link.go('draw');
    edit();
    resample();
  });
  measure(engine);
  tape(engine);
  puzzles();
  addEventListener('hashchange', show);
  show();
  if ($('reopen').hidden) say('');
  // Unless a training has given another network meanwhile.
  await enqueue('several', async () => { models.several ??= await engine.model(await network, 8); });
  resample = sample(models, image => { link.go('draw'); edit(image); });
  document.body.dataset.ready = 'yes';
} catch (error) {
  if (error instanceof NoAdapter) {
    say(error.message, true);
    addEventListener('hashchange', show);
    show();
    await recorded(VIEWS);
  } else {
    console.error(error);
    fail(String(error.message ?? error));
  }
}
