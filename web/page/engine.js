// The engine: the adapter of the browser, the compiled module, and the order of its calls.

import init, { Engine } from './pkg/ign_web.js';

/** Why there is no adapter, and what to do. */
const NO_ADAPTER = `This browser gives no access to a GPU, so nothing can be computed here. What to enable:
Chrome and Edge, from version 113: “graphics acceleration” in the settings. On Linux before version 144 also chrome://flags/#enable-unsafe-webgpu.
Safari, from version 26: nothing; before, “WebGPU” among the feature flags of the settings for developers.
Firefox, from version 141 on Windows and 145 on Macs with Apple silicon: nothing; elsewhere dom.webgpu.enabled in about:config.
The page must be served over https or from this machine.`;

/** How long a call that failed waits for the browser to say that the device is lost. */
const LOSS_MS = 1000;

/** There is no adapter. */
export class NoAdapter extends Error {}

let engine, device, failed;

/** Resolves, to the reason, when the engine can no longer be used: the device is lost, or has failed. */
export const failure = new Promise(resolve => { failed = resolve; });

// wgpu does not ask browsers for subgroups (gfx-rs/wgpu#10146), which software adapters need to be quick.
function wrapRequests() {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const more = this.features.has('subgroups') ? ['subgroups'] : [];
    device = await request.call(this, { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), ...more] });
    device.lost.then(({ reason, message }) => failed(message || reason));
    return device;
  };
}

// Firefox answers a wait for the adapter only every 100 ms, unless something is submitted meanwhile.
function nudgeFirefox() {
  if (!navigator.userAgent.includes('Firefox/')) return;
  for (const [prototype, name] of [[GPUBuffer.prototype, 'mapAsync'], [GPUQueue.prototype, 'onSubmittedWorkDone']]) {
    const wait = prototype[name];
    prototype[name] = async function (...range) {
      const timer = setInterval(() => device.queue.submit([]), 2);
      try { return await wait.apply(this, range); } finally { clearInterval(timer); }
    };
  }
}

/** Opens the adapter. Throws an error with an explanation where there is none. */
export async function open() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapter(NO_ADAPTER);
  wrapRequests();
  nudgeFirefox();
  await init();
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture, model, description].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(name);
  const fixed = adapter.features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  engine = await Engine.open(name, software, fixed ? subgroupMinSize : undefined);
  return engine;
}

let last = Promise.resolve(), waiting = 0;
const newest = new Map();

/** Says, also to screen readers, whether calls run or wait. */
function busy(change) {
  waiting += change;
  document.querySelector('main').ariaBusy = String(waiting > 0);
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
    const lost = await Promise.race([failure, new Promise(resolve => setTimeout(resolve, LOSS_MS))]);
    const reason = lost ?? (error instanceof WebAssembly.RuntimeError ? error.message : engine.failure());
    if (!reason) throw error;
    failed(reason);
    await new Promise(() => {});
  });
  last = done.catch(() => {}).then(() => busy(-1));
  return done;
}
