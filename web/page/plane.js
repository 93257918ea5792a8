// Learn in the plane: the objective on points, drawn while it learns.

import { Plane } from './pkg/ign_web.js';
import { LOSSES, only, player, select, sliders, stopped } from './controls.js';
import { curves } from './curves.js';
import { enqueue } from './engine.js';
import { place } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const WIDTH = 32, BATCH = 256;
const DEVIATION = { name: 'deviation', text: 'standard deviation of z', least: 0.1, most: 2, step: 0.05 };
const NAMES = [...LOSSES, DEVIATION].map(({ name }) => name);
const STILL = matchMedia('(prefers-reduced-motion: reduce)').matches;

/** The settings at the begin, by name; the learning rate as a power of ten. */
function defaults() {
  const [rec, idem, tight, rate, deviation] = Plane.defaults();
  return { rec, idem, tight, rate: Math.log10(rate), deviation };
}

/** The points in the link. */
const placed = () => link.get('points').split(';').map(pair => pair.split(',').map(Number))
  .filter(pair => pair.length === 2 && pair.every(Number.isFinite));

/** Shows the view. Returns a function to be told whether it is shown. */
export function plane(engine) {
  let plane = null, view = null;
  const chart = curves($('curves'), $('losses-legend'));
  const controls = sliders($('plane-sliders'), [...LOSSES, DEVIATION], name => {
    link.set({ [name]: controls.get(name) });
    enqueue('settings', settings);
  });

  const start = defaults();
  controls.set(Object.fromEntries(NAMES.map(name => [name, link.get(name) || start[name]])));

  function settings() {
    plane?.set(controls.get('rec'), controls.get('idem'), controls.get('tight'), 10 ** controls.get('rate'), controls.get('deviation'));
  }

  async function restart() {
    view = null;
    chart.clear();
    $('plane-warning').textContent = '';
    plane?.free();
    plane = null;
    plane = await engine.toy($('shape').value, WIDTH, BATCH, Number(link.get('seed')) || 1);
    settings();
    const points = $('shape').value === 'points';
    if (points) plane.place(new Float32Array(placed().flat()));
    $('place').hidden = !points;
    draw();
  }

  function draw() {
    const canvas = $('plane2'), context = canvas.getContext('2d'), half = canvas.width / 2, scale = half / Plane.shown();
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
    const { grid, field, samples, again } = view;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.fillStyle = context.strokeStyle;
    context.lineWidth = 1.5;
    context.globalAlpha = 0.5;
    for (let i = 0; i < grid.length; i += 2) {
      const [from, to] = [at(grid, i), at(field, i)];
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      context.beginPath();
      context.arc(...from, 2.5, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    dots(samples, colour('samples'), 5);
    dots(again, colour('again'), 3);
  }

  /** Takes `steps` steps and shows them. */
  async function advance(steps) {
    if (!plane) await restart();
    // Without points there is nothing to learn.
    if (plane.data(1).length > 0) {
      const start = performance.now();
      view?.free();
      view = null;
      const next = await plane.advance(steps);
      const time = performance.now() - start;
      view = next;
      const losses = view.losses;
      chart.add(plane.step(), losses);
      const [rec, idem, tight] = Array.from(losses, loss => loss.toFixed(4));
      $('losses').textContent = `step ${plane.step()}: rec ${rec}, idem ${idem}, tight ${tight}; ${(1e3 * steps / time).toFixed(0)} steps a second`;
    }
    draw();
  }

  const failed = error => { $('plane-warning').textContent = stopped(error); };
  const buttons = { run: $('run'), single: $('single'), reset: $('reset') };
  const playing = player('plane', buttons, { frame: 60, running: !STILL, advance, restart, failed });
  const anew = () => { playing.run(); playing.again(); };
  select($('shape'), link.get('shape'), 'moons');
  $('shape').onchange = () => { link.set({ shape: $('shape').value }); anew(); };
  only($('on-plane'), start, weights => {
    controls.set(weights);
    link.set(weights);
    enqueue('settings', settings);
  });
  $('plane2').onclick = event => {
    if ($('shape').value !== 'points') return;
    const [x, y] = place(event, $('plane2')).map(share => (2 * share - 1) * Plane.shown());
    link.set({ points: [...placed(), [x.toFixed(3), (-y).toFixed(3)]].join(';') });
    enqueue('points', () => {
      if (!plane) return;
      plane.place(new Float32Array(placed().flat()));
      draw();
    });
  };
  $('unplace').onclick = () => { link.set({ points: '' }); anew(); };
  return playing.shown;
}
