// Draw: a drawing, its projection f(x), and the projection of that.

import { distance, grey, off_centre, shifted, spoiled, spoilings } from './pkg/ign_web.js';
import { chosen, sliders } from './controls.js';
import { enqueue } from './engine.js';
import { drag, put } from './picture.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const SIDE = 28, SIZE = SIDE * SIDE;

/** The bytes of a text in base64, or none if it is damaged. */
function decoded(text) {
  try {
    return atob(text);
  } catch {
    return '';
  }
}

/**
 * Shows the view for networks, of which one takes single images, and a classifier of three images. Returns a function that
 * opens an image on the drawing area, or else projects again.
 */
export function draw(models, recogniser) {
  const paper = $('paper').getContext('2d', { willReadFrequently: true });
  let at = null;

  const clear = () => { paper.fillStyle = '#000'; paper.fillRect(0, 0, SIDE, SIDE); };
  const drawn = () => {
    const data = paper.getImageData(0, 0, SIDE, SIDE).data;
    return Float32Array.from({ length: SIZE }, (_, i) => data[4 * i] / 127.5 - 1);
  };

  const ways = spoilings().map((way, i) => ({ name: String(i), text: way.name, least: way.least, most: way.most, step: Number(way.step.toFixed(2)) }));
  const amounts = () => ways.map(({ name }) => controls.get(name));
  const controls = sliders($('spoil'), ways, () => {
    link.set({ spoil: amounts().some(Boolean) ? amounts().join() : '' });
    project();
  });

  /** The drawing as f takes it, and how far it was moved. */
  function input() {
    const [right, down] = $('recentre').checked ? off_centre(drawn()) : [0, 0];
    return { x: spoiled(shifted(drawn(), right, down), Float32Array.from(amounts()), 1), right, down };
  }

  function blank() {
    for (const id of ['x', 'fx', 'ffx']) {
      $(id).getContext('2d').clearRect(0, 0, SIDE, SIDE);
      $(`${id}-says`).textContent = '';
    }
  }

  /** Shows the projection of what is on the paper, or nothing if it is empty. */
  function project() {
    const start = performance.now();
    return enqueue('project', async () => {
      const empty = drawn().every(value => value === -1);
      $('hint').textContent = empty ? 'draw here' : '';
      if (empty) return blank();
      const { x, right, down } = input();
      const both = await models.single.project(x, 2);
      const images = [x, both.subarray(0, SIZE), both.subarray(SIZE)];
      ['x', 'fx', 'ffx'].forEach((id, i) => put($(id).getContext('2d'), images[i], SIDE));
      const seen = await recogniser.recognise(Float32Array.from(images.flatMap(image => [...image])));
      const looks = i => `looks like ${seen[2 * i]}, ${(100 * seen[2 * i + 1]).toFixed(0)} %`;
      const moved = [[right, 'right', 'left'], [down, 'down', 'up']].filter(([by]) => by)
        .map(([by, forwards, backwards]) => `${Math.abs(by)} ${by > 0 ? forwards : backwards}`);
      $('x-says').textContent = [moved.length ? `centred: ${moved.join(', ')}` : '', looks(0)].filter(Boolean).join(' · ');
      $('fx-says').textContent = `moved by ${distance(x, images[1]).toFixed(3)} · ${looks(1)}`;
      $('ffx-says').textContent = `moved by ${distance(images[1], images[2]).toFixed(3)} · ${looks(2)}`;
      performance.clearMeasures('answer');
      performance.measure('answer', { start });
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

  /** Opens the centre of a picture. */
  async function picture(file) {
    const bitmap = await createImageBitmap(file).catch(() => null);
    if (!bitmap) {
      $('hint').textContent = `${file.name} is no picture that this browser can read`;
      return;
    }
    const side = Math.min(bitmap.width, bitmap.height);
    const context = new OffscreenCanvas(SIDE, SIDE).getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    await open(grey(new Uint8Array(context.getImageData(0, 0, SIDE, SIDE).data.buffer)));
  }

  drag($('paper'), { begin: stroke, move: stroke, end: () => { at = null; keep(); } });
  $('clear').onclick = () => { clear(); keep(); project(); };
  let seed = 0;
  $('example').onclick = () => enqueue('example', () => models.single.sample(models.single.noise(1, seed++, 1), 2))
    .then(both => both && open(both.subarray(SIZE)));
  chosen($('picture'), picture);
  $('draw').ondragover = event => event.preventDefault();
  $('draw').ondrop = event => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) picture(event.dataTransfer.files[0]);
  };
  $('intact').onclick = () => {
    controls.set(Object.fromEntries(ways.map(({ name }) => [name, 0])));
    link.set({ spoil: '' });
    project();
  };
  $('recentre').checked = link.get('centre') !== '0';
  $('recentre').onchange = () => { link.set({ centre: $('recentre').checked ? '' : '0' }); project(); };

  const spoil = link.get('spoil').split(',').map(Number);
  if (spoil.length === ways.length && spoil.every(Number.isFinite)) controls.set(Object.fromEntries(spoil.map((amount, i) => [i, amount])));
  clear();
  const kept = decoded(link.get('x'));
  if (kept.length === SIZE) put(paper, Float32Array.from(kept, byte => byte.charCodeAt(0) / 127.5 - 1), SIDE);
  project();
  return image => (image ? open(image) : project());
}
