// Measure: the roof of this adapter, and products, training steps and their operations under it.

import { enqueue } from './engine.js';

const $ = id => document.getElementById(id);

/** The headings of the groups of rows, in their order. The sum has none. */
const groups = measurement => ({
  roof: 'The roof of this adapter',
  lab: 'The kernel lab: the matrix product in five steps',
  product: 'Matrix products with the kernels of the network',
  step: 'Training steps of the network for digits',
  operation: `Every operation of a training step, ${measurement.step_name()}`,
  sum: '',
});

const digits = (value, unit = '') => (value === undefined ? '' : `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)}${unit}`);
const time = ms => (ms === undefined ? '' : ms < 1 ? digits(1e3 * ms, ' µs') : ms < 1000 ? digits(ms, ' ms') : digits(ms / 1000, ' s'));

/** The row as a plain object, with what applies to it. */
function plain(row) {
  const { group, label, name, note, text, calls, ms, gflops, gbytes, share, limit, error } = row;
  row.free();
  return { group, label, name, note, text, calls, ms, gflops, gbytes, share, limit, error };
}

/** The figures of a row for the JSON, without the text. */
function figures(row) {
  const entries = Object.entries(row).filter(([name, value]) => name !== 'text' && value !== undefined && value !== '');
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === 'number' ? Number(value.toPrecision(4)) : value]));
}

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

/** Adds a row at the end of its group. */
function show(row, headings) {
  const table = $('measured');
  let body = table.querySelector(`[data-group=${row.group}]`);
  if (!body) {
    body = table.createTBody();
    body.dataset.group = row.group;
    if (headings[row.group]) element('th', headings[row.group], body.insertRow()).colSpan = 8;
  }
  const line = body.insertRow();
  line.insertCell().textContent = row.label;
  const what = line.insertCell();
  what.textContent = row.name;
  if (row.note) element('small', row.note, what);
  if (row.text) {
    const details = element('details', '', element('small', '', what));
    element('summary', 'how it works', details);
    element('p', row.text, details);
  }
  const cell = (text, unit) => Object.assign(element('td', text, line).dataset, { unit });
  cell(row.calls ?? '', row.calls === 1 ? 'call' : 'calls');
  cell(time(row.ms), '');
  cell(digits(row.gflops), 'GFLOP/s');
  cell(digits(row.gbytes), 'GB/s');
  cell(row.share === undefined ? '' : `${digits(100 * row.share)} %`, 'of its roof');
  cell(row.error?.toExponential(0) ?? '', 'error');
  if (row.share !== undefined) {
    line.cells[6].classList.add('share', row.limit);
    line.cells[6].style.setProperty('--share', `${Math.min(100, 100 * row.share)}%`);
  }
  return line;
}

/** Hides lines until they are asked for. */
function fold(lines) {
  if (!lines.length) return;
  const more = lines[0].parentElement.insertRow(lines[0].sectionRowIndex);
  more.insertCell();
  const button = element('button', `Show ${lines.length} more, which take less time`, more.insertCell());
  more.lastElementChild.colSpan = 7;
  button.onclick = () => {
    lines.forEach(line => { line.hidden = false; });
    more.remove();
  };
  lines.forEach(line => { line.hidden = true; });
}

/** Shows all rows in their final order, and the drawing. A point and its row are chosen together. */
function finish(measurement, result) {
  const rows = measurement.rows().map(plain), headings = groups(measurement);
  document.querySelectorAll('#measured tbody').forEach(body => body.remove());
  const shown = rows.map(row => [row, show(row, headings)]);
  fold(shown.filter(([row]) => row.group === 'operation' && !row.label).map(([, line]) => line));
  const lines = shown.filter(([row]) => row.calls !== undefined).map(([, line]) => line);
  $('roofline').hidden = !lines.length;
  $('roofline').firstElementChild.innerHTML = lines.length ? measurement.drawing() : '';
  document.querySelectorAll('#roofline circle').forEach((circle, i) => {
    const choose = () => {
      document.querySelectorAll('#measure .chosen').forEach(chosen => chosen.classList.remove('chosen'));
      for (const one of [circle, lines[i]]) one.classList.add('chosen');
      $('roofline-point').textContent = circle.textContent;
    };
    circle.onclick = lines[i].onclick = choose;
    lines[i].tabIndex = 0;
    lines[i].onkeydown = ({ key }) => { if (key === 'Enter') choose(); };
  });
  $('measure-json').value = JSON.stringify({ ...result, rows: rows.map(figures) }, null, 1);
  $('measure-copy').disabled = false;
}

export function measure(engine) {
  let stopped = false;
  $('measure-stop').onclick = () => { stopped = true; };
  $('measure-copy').onclick = async () => {
    try {
      await navigator.clipboard.writeText($('measure-json').value);
      $('measure-copy').textContent = 'Copied';
    } catch {
      $('measure-json').select();
    }
  };
  $('measure-start').onclick = async () => {
    stopped = false;
    $('measure-start').disabled = true;
    $('measure-stop').disabled = false;
    $('measure-copy').textContent = 'Copy';
    $('roofline-point').textContent = '';
    document.querySelectorAll('#measured tbody').forEach(body => body.remove());
    const measurement = engine.measurement(), headings = groups(measurement);
    const result = { adapter: engine.describe(), browser: navigator.userAgent };
    try {
      for (let next = measurement.next(); next && !stopped; next = measurement.next()) {
        $('measure-state').textContent = `measuring ${next} …`;
        const row = plain(await enqueue('measure', () => measurement.measure()));
        if (row.group === 'roof') Object.assign(result, { roof_gflops: row.gflops, copy_gbytes: row.gbytes });
        show(row, headings);
      }
      $('measure-state').textContent = stopped ? 'Stopped. What is there was checked before it was timed.' : 'Every result was checked before it was timed.';
    } catch (error) {
      $('measure-state').textContent = `Stopped: ${error.message ?? error}`;
    }
    finish(measurement, result);
    measurement.free();
    $('measure-start').disabled = false;
    $('measure-stop').disabled = true;
  };
}
