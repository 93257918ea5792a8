// Draw: a drawing, its projection f(x), and the projection of that.

import { distance, recentred } from './pkg/ign_web.js';
import { enqueue } from './engine.js';
import { drag, put } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const SIDE = 28;

/** Shows the view for a model of single images. Returns a function that opens an image on the drawing area. */
export function draw(model) {
  const paper = $('paper').getContext('2d', { willReadFrequently: true });
  let at = null;

  const clear = () => { paper.fillStyle = '#000'; paper.fillRect(0, 0, SIDE, SIDE); };
  const drawn = () => {
    const data = paper.getImageData(0, 0, SIDE, SIDE).data;
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i] / 127.5 - 1);
  };

  /** The projection of what is on the paper, or nothing if it is empty. */
  function project() {
    return enqueue('project', async () => {
      let x = drawn();
      const empty = x.every(value => value === -1);
      $('hint').textContent = empty ? 'draw here' : '';
      if (empty) {
        for (const [canvas, caption] of [['fx', 'd1'], ['ffx', 'd2']]) {
          $(canvas).getContext('2d').clearRect(0, 0, SIDE, SIDE);
          $(caption).textContent = '';
        }
        return;
      }
      if ($('spoil').value !== '') x = model.degrade(x, Number($('spoil').value), 1);
      if ($('recentre').checked) x = recentred(x, SIDE);
      const both = await model.project(x, 2);
      const [y, w] = [both.subarray(0, x.length), both.subarray(x.length)];
      put($('fx').getContext('2d'), y, SIDE);
      put($('ffx').getContext('2d'), w, SIDE);
      $('d1').textContent = `moved by ${distance(x, y).toFixed(3)}`;
      $('d2').textContent = `moved by ${distance(y, w).toFixed(3)}`;
    });
  }

  function keep() {
    const ink = drawn().map(value => value + 1);
    link.set({ x: ink.some(Boolean) ? btoa(String.fromCharCode(...ink.map(value => Math.round(127.5 * value)))) : '' });
  }

  function stroke(x, y) {
    const next = [x * SIDE, y * SIDE];
    const erases = document.querySelector('[name=pen]:checked').value === 'eraser';
    paper.strokeStyle = erases ? '#000' : '#fff';
    paper.lineWidth = erases ? 4 : 2.2;
    paper.lineCap = 'round';
    paper.beginPath();
    paper.moveTo(...(at ?? next));
    paper.lineTo(...next);
    paper.stroke();
    at = next;
    project();
  }

  function open(image) {
    put(paper, image, SIDE);
    keep();
    return project();
  }

  drag($('paper'), { begin: stroke, move: stroke, end: () => { at = null; keep(); } });
  $('clear').onclick = () => { clear(); keep(); project(); };
  let seed = 0;
  $('example').onclick = () => enqueue('example', () => model.sample(model.noise(1, seed++, 1), 2))
    .then(both => both && open(both.subarray(SIDE * SIDE)));
  model.degradations().forEach((name, i) => $('spoil').add(new Option(name, i)));
  $('spoil').value = link.get('spoil');
  $('recentre').checked = link.get('centre') !== '0';
  $('spoil').onchange = () => { link.set({ spoil: $('spoil').value }); project(); };
  $('recentre').onchange = () => { link.set({ centre: $('recentre').checked ? '' : '0' }); project(); };

  clear();
  const kept = atob(link.get('x'));
  if (kept.length === SIDE * SIDE) put(paper, Float32Array.from(kept, byte => byte.charCodeAt(0) / 127.5 - 1), SIDE);
  project();
  return open;
}
