// The engine: the adapter of the browser, the compiled module, and the order of its calls.

import init, { Engine } from './pkg/ign_web.js';

/** Why there is no adapter, and what to do. */
const NO_ADAPTER = `This browser gives no access to a GPU, so nothing can be computed here.
WebGPU is in Chrome and Edge from version 113 (on Linux from 144), in Safari from 26, in Firefox from 141 on Windows and from 145 on Macs with Apple silicon.
The page must be served over https or from this machine.`;

// wgpu does not ask browsers for subgroups (gfx-rs/wgpu#10146), which software adapters need to be quick.
function askForSubgroups() {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = function (descriptor = {}) {
    const more = this.features.has('subgroups') ? ['subgroups'] : [];
    return request.call(this, { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), ...more] });
  };
}

// Firefox answers a wait for the adapter only every 100 ms, unless something is submitted meanwhile.
function nudgeFirefox() {
  if (!navigator.userAgent.includes('Firefox/')) return;
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = async function (...range) {
      const timer = setInterval(() => device.queue.submit([]), 2);
      try { return await map.apply(this, range); } finally { clearInterval(timer); }
    };
    return device;
  };
}

/** Opens the adapter. Throws an error with an explanation where there is none. */
export async function open() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error(NO_ADAPTER);
  askForSubgroups();
  nudgeFirefox();
  await init();
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture, device, description].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(name);
  const fixed = adapter.features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  return Engine.open(name, software, fixed ? subgroupMinSize : undefined);
}

let last = Promise.resolve();
const newest = new Map();

/**
 * Runs `work` after all earlier calls: the engine takes one at a time. Of the calls of a kind that wait, only the newest
 * runs.
 */
export function enqueue(kind, work) {
  const ticket = (newest.get(kind) ?? 0) + 1;
  newest.set(kind, ticket);
  const run = () => (newest.get(kind) === ticket ? work() : undefined);
  const done = last.then(run);
  last = done.catch(() => {});
  return done;
}
