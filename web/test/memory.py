"""Memory during a training."""

# Counts the objects that are made on the device.
COUNT = """
window.made = 0;
for (const name of ['createBuffer', 'createBindGroup', 'createComputePipeline', 'createQuerySet', 'createShaderModule']) {
  const make = GPUDevice.prototype[name];
  GPUDevice.prototype[name] = function (...given) { window.made++; return make.apply(this, given); };
}
"""
WASM = "(await (await import('./pkg/ign_web.js')).default()).memory.buffer.byteLength"
MIB = 1 << 20


# A leak grows in every window. What a browser keeps for itself grows in some.
WINDOWS = 3


def steady(browser, step):
    """300 steps of a training that runs make no objects on the device, and need no more memory. `step` is a JavaScript
    expression for the number of steps so far."""
    browser.until(f"{step} > 100", 400)
    browser.run(COUNT)
    assert any(window(browser, step) for _ in range(WINDOWS))


def window(browser, step):
    """Whether memory stays as it is during 300 steps."""
    measure = lambda: (browser.run(f"return {step}"), browser.run(f"return {WASM}"), browser.memory(), browser.resident())
    first, wasm, heap, resident = measure()
    browser.until(f"{step} >= {first + 300}", 400)
    last, *after = measure()
    made = browser.run("return window.made")
    grown = [after[0] - wasm, after[1] - heap, after[2] - resident]
    print("memory    {} steps: {} objects made; grown by {} bytes of WebAssembly, {} of JavaScript, {:.1f} MiB of all processes".format(
        last - first, made, *grown[:2], grown[2] / MIB))
    assert made == 0 and grown[0] == 0
    return grown[1] < MIB // 2 and grown[2] < 32 * MIB
