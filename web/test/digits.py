"""Learn on digits: a training of the 28×28 network."""

import base64
import json
import pathlib
import subprocess
import tempfile

import learn
import memory
from browser import TEXT

LOSSES = TEXT.format("#digits-losses")
STEP = f"Number(({LOSSES}.match(/step (\\d+)/) ?? [0, 0])[1])"
REC = f"Number(({LOSSES}.match(/rec ([\\d.]+)/) ?? [0, 9])[1])"


def use(browser):
    """A training on digits runs, pauses, and goes on from its own checkpoint; the other views use its network."""
    browser.click("[name=on][value=digits]")
    learn.losses(browser, "digits")
    browser.click("#digits-run")
    browser.until(f"{STEP} > 60 && {REC} < 0.3", 120)
    browser.click("#digits-run")
    browser.settle()
    print(f"learn     {browser.run(f'return {LOSSES}')}")
    browser.screenshot("digits")
    before = browser.run(f"return {STEP}")
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        # What the button hands over.
        script = """
        const create = URL.createObjectURL;
        const bytes = await new Promise(done => {
          URL.createObjectURL = blob => { blob.arrayBuffer().then(done); return '#'; };
          HTMLAnchorElement.prototype.click = () => {};
          document.querySelector('#download').click();
        });
        URL.createObjectURL = create;
        let text = '';
        new Uint8Array(bytes).forEach(byte => { text += String.fromCharCode(byte); });
        return btoa(text);
        """
        pathlib.Path(file.name).write_bytes(base64.b64decode(browser.run(script)))
        browser.click("#digits-reset")
        browser.until(f"{STEP} === 0 && {LOSSES}.includes(' on ')")
        browser.choose("#load", file.name)
        browser.until(f"{STEP} === {before}", 60)
        checked = resumed(file.name, before)
        print(f"learn     {checked}")
    browser.click("#digits-single")
    browser.until(f"{STEP} === {before + 1}")
    browser.click("#use")
    browser.until("!document.querySelector('#draw').hidden")


def steady(browser):
    """A training needs no more memory while it goes on."""
    browser.click("nav a[href='#learn']")
    browser.click("[name=on][value=digits]")
    browser.click("#digits-width option[value='4']")
    browser.click("#digits-batch option[value='8']")
    browser.click("#digits-run")
    memory.steady(browser, STEP)
    browser.click("#digits-run")


def resumed(path, step):
    """The native programs read the checkpoint."""
    root = pathlib.Path(__file__).parent.parent.parent
    command = ["cargo", "run", "--release", "--quiet", "-p", "ign-web", "--example", "expected", "--", path]
    answer = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    values = json.loads(answer.stdout)
    assert len(values) == 2 * 8 * 784 and all(-1 <= value <= 1 for value in values)
    return f"native programs read the checkpoint of step {step}"
