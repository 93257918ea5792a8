// Tape: formulas that one types, and the tapes of what runs, with their gradients, values, shaders and times.

import { select } from './controls.js';
import { enqueue } from './engine.js';
import { lanes } from './lanes.js';
import { describe, time } from './line.js';
import { link } from './state.js';

const $ = id => document.getElementById(id);
const START = 'a = 0.5\nx = 2\nb = -0.25\ny = tanh(a * x + b)';
/** Times are means of at most this many runs, and end after this many milliseconds. */
const RUNS = 20, LONGEST = 3000;
/** So many elements of a value are shown. */
const ELEMENTS = 4;

/** Shows the view when the link first names it. */
export function tape(engine) {
  /** The tape that was typed last without a mistake, and the one that is drawn. */
  let typed = null, drawing = null, lines = [], seconds = null, chosen = null;

  const drawn = lanes($('lanes'), { choose, hover: id => show(id ?? chosen) });

  function show(id) {
    if (id !== null) describe($('line'), { drawing, lines, id, seconds, choose: drawn.choose });
  }
  function choose(id) {
    chosen = id;
    link.set({ line: String(id) });
    show(id);
  }

  /** Replaces the tapes, and frees those that are no longer used. */
  function hold(nextDrawing, nextTyped) {
    const before = new Set([drawing, typed]);
    [drawing, typed] = [nextDrawing, nextTyped];
    before.forEach(tape => { if (tape && tape !== drawing && tape !== typed) tape.free(); });
  }

  /** Draws the tape, and chooses the line that the link names, or the first that is computed. */
  function draw() {
    lines = drawing.lines();
    seconds = null;
    $('tape-state').textContent = `${lines.length} lines, ${lines.reduce((sum, line) => sum + line.dispatches.length, 0)} dispatches`;
    drawn.show(lines);
    const named = link.get('line') === '' ? -1 : Number(link.get('line'));
    const first = lines[named] ? named : lines.findIndex(line => line.dispatches.length > 0);
    if (first >= 0) drawn.choose(first); else $('line').replaceChildren();
  }

  const record = () => enqueue('tape', () => {
    const next = $('tape-of').value === 'typed' ? typed : engine.recorded($('tape-of').value);
    if (!next) return;
    hold(next, typed);
    draw();
  });

  // The editor.

  function row(body, line, reference) {
    const cells = body.insertRow();
    const cell = (text, kind) => {
      const made = cells.insertCell();
      made.textContent = text;
      made.className = kind;
      return made;
    };
    cell(line.names, 'names');
    cell(line.text, 'text');
    cell(elements(reference.all), 'number');
    return cell('…', 'number');
  }

  /** Records, differentiates and runs what is typed. */
  async function compute() {
    let next;
    link.set({ formula: $('formula').value === START ? '' : $('formula').value });
    try {
      next = engine.typed($('formula').value);
    } catch (error) {
      fail(error);
      return;
    }
    try {
      const isDrawn = $('tape-of').value === 'typed';
      hold(isDrawn ? next : drawing, next);
      if (isDrawn) draw();
      const reference = typed.interpreted();
      $('values').querySelectorAll('tbody').forEach(body => body.replaceChildren());
      const cells = typed.lines().map((line, i) => row($(`${line.lane}-lines`), line, reference[i]));
      const computed = await typed.computed(engine);
      computed.forEach((value, i) => { cells[i].textContent = elements(value.all); });
      $('formula-state').textContent = '';
      $('formula-state').classList.remove('failed');
      $('values').classList.remove('stale');
    } catch (error) {
      fail(error);
    }
  }

  function fail(error) {
    $('formula-state').textContent = error.message ?? error;
    $('formula-state').classList.add('failed');
    $('values').classList.add('stale');
  }

  // The times.

  async function measure() {
    const timed = drawing, current = () => drawing === timed;
    const say = text => { if (current()) $('tape-state').textContent = text; };
    if (!engine.timestamps()) {
      say('No times: this browser has no timestamp queries.');
      return;
    }
    $('tape-time').disabled = true;
    try {
      say(`Compiling the shaders of ${lines.length} lines …`);
      await enqueue('compile', () => current() && timed.compile(engine));
      const start = performance.now();
      let runs = 0;
      while (current() && runs < RUNS && (runs === 0 || performance.now() - start < LONGEST)) {
        say(`Timing run ${++runs} …`);
        const times = await enqueue('time', () => (current() ? timed.time(engine) : null));
        if (times && current()) seconds = times;
      }
      if (current()) {
        const totals = drawn.times(lines.map(line => line.dispatches.reduce((sum, i) => sum + seconds[i], 0)));
        const parts = Object.entries(totals).map(([lane, total]) => `${lane} ${time(total)}`).join(', ');
        const rounding = navigator.userAgent.includes('Chrome/') ? ' Chrome rounds each time to 0.1 ms.' : '';
        say(`${parts}: the mean of ${timed.runs()} runs.${rounding}`);
        show(chosen);
      }
    } catch (error) {
      say(`stopped: ${error.message ?? error}`);
    }
    $('tape-time').disabled = false;
  }

  $('formula').oninput = () => enqueue('formula', compute);
  $('tape-of').onchange = () => { link.set({ of: $('tape-of').value, line: '' }); record(); };
  $('tape-time').onclick = measure;

  let begun = false;
  function begin() {
    if (begun || link.view() !== 'tape') return;
    begun = true;
    $('formula').value = link.get('formula') || START;
    select($('tape-of'), link.get('of'), 'plane');
    enqueue('formula', compute);
    record();
  }
  addEventListener('hashchange', begin);
  begin();
}

/** The first elements of a value, to six digits. */
function elements(all) {
  const shown = Array.from(all.slice(0, ELEMENTS), value => String(Number(value.toPrecision(6))).replace('-', '−'));
  return all.length > ELEMENTS ? `${shown.join('  ')}  … (${all.length})` : shown.join('  ');
}
