// Measure: the roof of this adapter, and products and training steps beside it.

import { enqueue } from './engine.js';

const $ = id => document.getElementById(id);

/** What is measured: a name and a call. Cases that would take minutes on a software adapter come last and can be stopped. */
const CASES = [
  ...[256, 512, 1024].map(size => [`matrix product ${size}³`, engine => engine.product(size)]),
  ...[[8, 16], [32, 64]].map(([w, batch]) => [`training step, w = ${w}, batch ${batch}`, engine => engine.step(w, batch)]),
];

const time = seconds => (seconds < 1 ? `${(1e3 * seconds).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`);

export function measure(engine) {
  $('measure-start').onclick = async () => {
    $('measure-start').disabled = true;
    const body = $('measured');
    body.replaceChildren();
    const result = { adapter: engine.describe(), browser: navigator.userAgent, cases: [] };
    const row = (...cells) => {
      const line = body.insertRow();
      cells.forEach(cell => { line.insertCell().textContent = cell; });
      return line;
    };
    try {
      $('measure-state').textContent = 'measuring the roof …';
      const [gflops, gbytes] = await enqueue('peaks', () => engine.peaks());
      Object.assign(result, { roof_gflops: gflops, copy_gbytes: gbytes });
      row('multiply-adds in registers: the roof', '', `${gflops.toFixed(1)} GFLOP/s`, '100 %', '');
      row('copy between buffers of 64 MiB', '', `${gbytes.toFixed(1)} GB/s`, '', '');
      for (const [name, run] of CASES) {
        $('measure-state').textContent = `measuring: ${name} …`;
        const { seconds, gflops: rate, error } = await enqueue(name, () => run(engine));
        const share = 100 * rate / gflops;
        result.cases.push({ name, ms: 1e3 * seconds, gflops: rate, share_of_roof: share / 100, error });
        const line = row(name, time(seconds), `${rate.toFixed(1)} GFLOP/s`, `${share.toFixed(1)} %`, error.toExponential(0));
        line.style.setProperty('--share', `${Math.min(100, share)}%`);
      }
      $('measure-state').textContent = 'Every result was checked before it was timed.';
    } catch (error) {
      $('measure-state').textContent = `stopped: ${error.message ?? error}`;
    }
    $('measure-json').value = JSON.stringify(result, null, 1);
    $('measure-start').disabled = false;
  };
}
