// Sample and walk: noise, and f of it once, twice and three times; and the plane between four noises.

import { analogy, distance, mixed } from './pkg/ign_web.js';
import { select } from './controls.js';
import { enqueue } from './engine.js';
import { drag, frame, grid, place, put } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const SIDE = 28, SIZE = SIDE * SIDE, COUNT = 8;
const NAMES = ['z', 'f(z)', 'f(f(z))', 'f(f(f(z)))'], TIMES = NAMES.length - 1;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Shows the view. `open` takes an image that is selected. Returns a function that shows everything again. */
export function sample(models, open) {
  let rows = [];
  const seed = () => Number(link.get('z')) || 1;

  function show() {
    return enqueue('sample', async () => {
      $('seed').textContent = seed();
      const z = models.several.noise(seed(), 0, COUNT);
      const all = await models.several.sample(z, TIMES);
      rows = [z, ...Array.from({ length: TIMES }, (_, i) => all.subarray(i * z.length, (i + 1) * z.length))];
      draw();
      const moves = rows.slice(1).map((row, i) => distance(rows[i], row).toFixed(3));
      $('moves').textContent = `An application moves an image by ${moves.join(', then ')}.`;
    });
  }

  $('again').onclick = () => { link.set({ z: seed() + 1 }); all(); };
  // The image that was clicked last, or that the arrow keys have come to.
  let column = 0, row = 1;
  function draw() {
    if (!rows.length) return;
    grid($('samples'), rows, SIDE);
    const focused = document.activeElement === $('samples');
    if (focused) frame($('samples'), SIDE, column, row);
    $('chosen').textContent = focused ? `${NAMES[row]} of noise ${column + 1}: Enter opens it.` : '';
  }
  const opened = () => rows.length && open(rows[row].slice(column * SIZE, (column + 1) * SIZE));
  $('samples').onfocus = $('samples').onblur = draw;
  $('samples').onclick = event => {
    const [x, y] = place(event, $('samples'));
    [column, row] = [[x, COUNT], [y, NAMES.length]].map(([at, count]) => Math.min(count - 1, Math.floor(at * count)));
    opened();
  };
  $('samples').onkeydown = event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter') return opened();
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    column = (column + step[0] + COUNT) % COUNT;
    row = (row + step[1] + NAMES.length) % NAMES.length;
    draw();
  };

  let corners = null, point = [0.5, 0.5];
  function walk() {
    const context = $('plane').getContext('2d'), side = $('plane').width;
    context.fillStyle = '#222';
    context.fillRect(0, 0, side, side);
    context.fillStyle = '#f0925a';
    context.beginPath();
    context.arc(point[0] * side, point[1] * side, 7, 0, 7);
    context.fill();
    return enqueue('walk', async () => {
      corners ??= models.single.noise(seed(), 1, 4);
      put($('walk').getContext('2d'), await models.single.sample(mixed(corners, ...point), 1), SIDE);
    });
  }
  function to(x, y) {
    point = [x, y].map(share => Math.min(1, Math.max(0, share)));
    link.set({ at: point.map(share => share.toFixed(3)).join() });
    walk();
  }
  drag($('plane'), { begin: to, move: to });
  $('plane').onkeydown = event => {
    const step = ARROWS[event.key];
    if (!step) return;
    event.preventDefault();
    to(point[0] + step[0] / 20, point[1] + step[1] / 20);
  };
  const at = link.get('at').split(',').map(Number);
  if (at.length === 2 && at.every(share => share >= 0 && share <= 1)) point = at;

  const TERMS = ['a', 'b', 'c'];
  /** Adds and subtracts the noises of the columns that are chosen. */
  function add() {
    return enqueue('add', async () => {
      const terms = TERMS.map(name => Number($(name).value));
      const z = terms.map(column => rows[0].slice(column * SIZE, (column + 1) * SIZE));
      const sum = await models.single.sample(analogy(...z), 1);
      grid($('sum'), [Float32Array.from([...terms.map(column => rows[1].slice(column * SIZE, (column + 1) * SIZE)), sum].flatMap(image => [...image]))], SIDE);
    });
  }
  TERMS.forEach((name, i) => {
    for (let column = 0; column < COUNT; column++) $(name).add(new Option(`sample ${column + 1}`, column));
    select($(name), link.get(name), i);
    $(name).onchange = () => { link.set({ [name]: $(name).value }); add(); };
  });

  function all() {
    // The corners are noises of the network that samples now.
    corners = null;
    return show().then(walk).then(add);
  }
  all();
  return all;
}
