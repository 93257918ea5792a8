// Learn: the objective on points of the plane, drawn while it learns.

import { enqueue } from './engine.js';
import { place } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const WIDTH = 32, BATCH = 256;
/** The settings, in the order in which the engine takes them. */
const SLIDERS = ['rec', 'idem', 'tight', 'rate', 'deviation'];
/** A frame should take this long, in milliseconds. */
const FRAME = 60;

/** Shows the view. Returns a function to be told whether it is shown. */
export function learn(engine) {
  let plane = null, running = true, visible = false, count = 1, view = null;

  const value = name => Number($(name).value);
  const shown = name => (name === 'rate' ? (10 ** value(name)).toPrecision(2) : value(name));

  function settings() {
    SLIDERS.forEach(name => { $(name).nextElementSibling.textContent = shown(name); });
    plane?.set(value('rec'), value('idem'), value('tight'), 10 ** value('rate'), value('deviation'));
  }

  async function reset() {
    view = null;
    plane?.free();
    plane = null;
    plane = await engine.toy($('shape').value, WIDTH, BATCH, Number(link.get('seed') || 1));
    if (!$('rec').dataset.set) {
      const [rec, idem, tight, rate, deviation] = plane.defaults();
      for (const [name, start] of Object.entries({ rec, idem, tight, rate: Math.log10(rate), deviation })) $(name).value = link.get(name) || start;
      $('rec').dataset.set = 'yes';
    }
    settings();
    $('place').hidden = $('shape').value !== 'points';
  }

  function draw() {
    const canvas = $('plane2'), context = canvas.getContext('2d'), half = canvas.width / 2, scale = half / plane.shown();
    const at = (points, i) => [half + scale * points[i], half - scale * points[i + 1]];
    const colour = name => getComputedStyle(document.querySelector(`#learn b.${name}`)).color;
    context.clearRect(0, 0, canvas.width, canvas.height);
    const dots = (points, style, radius) => {
      context.fillStyle = style;
      for (let i = 0; i < points.length; i += 2) {
        context.beginPath();
        context.arc(...at(points, i), radius, 0, 7);
        context.fill();
      }
    };
    dots(plane.data(600), colour('data'), 4);
    if (!view) return;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.fillStyle = context.strokeStyle;
    context.lineWidth = 1.5;
    for (let i = 0; i < view.grid.length; i += 2) {
      const [from, to] = [at(view.grid, i), at(view.field, i)];
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      context.beginPath();
      context.arc(...from, 2.5, 0, 7);
      context.fill();
    }
    dots(view.samples, colour('samples'), 5);
    dots(view.again, colour('again'), 3);
  }

  /** Takes `steps` steps and shows them. */
  async function advance(steps) {
    if (!plane) await reset();
    // Without points there is nothing to learn.
    if (plane.data(1).length > 0) {
      const start = performance.now();
      view = await plane.advance(steps);
      const time = performance.now() - start;
      count = Math.max(1, Math.min(50, Math.round(steps * FRAME / time)));
      const [rec, idem, tight] = Array.from(view.losses, loss => loss.toFixed(4));
      $('losses').textContent = `step ${plane.step()}: rec ${rec}, idem ${idem}, tight ${tight}; ${(1e3 * steps / time).toFixed(0)} steps a second`;
    }
    draw();
  }

  const run = () => enqueue('learn', () => advance(count)).then(() => {
    if (running && visible) requestAnimationFrame(run);
  }).catch(error => { running = false; $('losses').textContent = `stopped: ${error.message ?? error}. Take a smaller learning rate, and begin from scratch.`; });

  function toggle(to) {
    running = to;
    $('run').textContent = running ? 'Pause' : 'Run';
    if (running) run();
  }
  $('run').onclick = () => toggle(!running);
  $('single').onclick = () => { toggle(false); enqueue('single', () => advance(1)); };
  $('reset').onclick = () => enqueue('reset', reset).then(() => toggle(true));
  $('shape').value = link.get('shape') || 'moons';
  $('shape').onchange = () => { link.set({ shape: $('shape').value }); enqueue('reset', reset).then(() => toggle(true)); };
  for (const name of SLIDERS) $(name).oninput = () => { link.set({ [name]: $(name).value }); enqueue('settings', settings); };
  document.querySelectorAll('[data-only]').forEach(button => {
    button.onclick = () => {
      const [rec, idem, tight] = plane.defaults();
      const only = button.dataset.only;
      for (const [name, start] of Object.entries({ rec, idem, tight })) {
        $(name).value = !only || only === name ? start : 0;
        link.set({ [name]: $(name).value });
      }
      enqueue('settings', settings);
    };
  });
  $('plane2').onclick = event => {
    if ($('shape').value !== 'points') return;
    const [x, y] = place(event, $('plane2')).map(share => (2 * share - 1) * plane.shown());
    enqueue(`point ${x} ${y}`, () => { plane.add(x, -y); draw(); });
  };
  return {
    shown(now) {
      if (now && !visible) { visible = true; run(); }
      visible = now;
    },
  };
}
