// The check of the puzzles, beside the page, with a module and a device of its own: whatever a kernel does, the page answers.
// Says first which puzzles there are, then of each kernel what is wrong, or that it passed.

import { lost, prepare } from './adapter.js';
import init, { Checker, puzzles, simulate } from './pkg/ign_web_puzzles.js';

let checker;

async function list() {
  await init();
  return puzzles().map(({ number, name, title, hints, stub, solution }) => ({ number, name, title, hints, stub, solution }));
}
async function check(name, wgsl) {
  const simulated = simulate(name, wgsl);
  let verdict = simulated.wrong;
  if (!verdict) {
    postMessage({ progress: 'Right in the simulator. Running and measuring on the adapter …' });
    checker ??= await Checker.open(...await prepare());
    verdict = await Promise.race([checker.check(simulated), lost.then(reason => { throw new Error(reason); })]);
  }
  const { passed, text, line, column } = verdict;
  return { passed, text, line, column };
}
const fail = error => postMessage({ error: String(error.message ?? error) });

const listed = list();
listed.then(puzzles => postMessage({ puzzles })).catch(fail);
onmessage = ({ data: { name, wgsl } }) => listed.then(() => check(name, wgsl)).then(verdict => postMessage({ verdict })).catch(fail);
