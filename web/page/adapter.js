// The adapter of the browser, for the engine in the page and for workers.

/** Why there is no adapter, and what to do. */
const NO_ADAPTER = `This browser gives no access to a GPU, so nothing can be computed here. What to enable:
Chrome and Edge, from version 113: “graphics acceleration” in the settings. On Linux before version 144 also chrome://flags/#enable-unsafe-webgpu.
Safari, from version 26: nothing; before, “WebGPU” among the feature flags of the settings for developers.
Firefox, from version 141 on Windows and 145 on Macs with Apple silicon: nothing; elsewhere dom.webgpu.enabled in about:config.
The page must be served over https or from this machine.`;

/** There is no adapter. */
export class NoAdapter extends Error {}

let device, ended;

/** Resolves, to the reason, when the device is lost. */
export const lost = new Promise(resolve => { ended = resolve; });

/** Whether an adapter has subgroup operations with all built-ins that the shaders use. */
const subgroups = adapter => adapter.features.has('subgroups') && navigator.gpu.wgslLanguageFeatures.has('subgroup_id');

// wgpu does not ask browsers for subgroups (gfx-rs/wgpu#10146), which software adapters need to be quick.
function wrapRequests() {
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor = {}) {
    const more = subgroups(this) ? ['subgroups'] : [];
    device = await request.call(this, { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), ...more] });
    device.lost.then(({ reason, message }) => ended(message || reason));
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

/** Prepares the adapter, and says what wgpu does not know of it. Throws an error with an explanation where there is none. */
export async function prepare() {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new NoAdapter(NO_ADAPTER);
  wrapRequests();
  nudgeFirefox();
  const { vendor, architecture, device: model, description, subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = adapter.info;
  const name = [vendor, architecture, model, description].filter(Boolean).join(' ') || 'unnamed adapter';
  const software = isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(name);
  const fixed = subgroups(adapter) && subgroupMinSize === subgroupMaxSize;
  return [name, software, fixed ? subgroupMinSize : undefined];
}
