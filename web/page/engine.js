// The engine: the compiled module on the adapter, and the order of its calls.

import { lost, prepare } from './adapter.js';
import init, { Engine } from './pkg/ign_web.js';

/** How long a call that failed waits for the browser to say that the device is lost. */
const LOSS_MS = 1000;

let engine, failed;

/** Resolves, to the reason, when the engine can no longer be used: the device is lost, or has failed. */
export const failure = new Promise(resolve => { failed = resolve; });
lost.then(reason => failed(reason));

/** Opens the adapter. Throws an error with an explanation where there is none. */
export async function open() {
  const known = await prepare();
  await init();
  engine = await Engine.open(...known);
  return engine;
}

let last = Promise.resolve(), waiting = 0;
const newest = new Map();

/** Notes on the page whether calls run or wait. */
function busy(change) {
  waiting += change;
  document.body.dataset.busy = waiting > 0 ? 'yes' : 'no';
}

/**
 * Runs `work` after all earlier calls: the engine takes one at a time. Of the calls of a kind that wait, only the newest
 * runs. After a failure of the device nothing runs any more: the call and all later ones stay unanswered.
 */
export function enqueue(kind, work) {
  const ticket = (newest.get(kind) ?? 0) + 1;
  newest.set(kind, ticket);
  busy(1);
  const run = () => (newest.get(kind) === ticket ? work() : undefined);
  const done = last.then(run).catch(async error => {
    // A call may fail, for a reason that explains nothing, before the browser says that the device is lost.
    const end = await Promise.race([failure, new Promise(resolve => setTimeout(resolve, LOSS_MS))]);
    const reason = end ?? (error instanceof WebAssembly.RuntimeError ? error.message : engine.failure());
    if (!reason) throw error;
    failed(reason);
    await new Promise(() => {});
  });
  last = done.catch(() => {}).then(() => busy(-1));
  return done;
}
