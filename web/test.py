"""Uses the page in headless Chromium as a person would, and compares what it computes with the engine on this machine.

    python3 web/test.py PAGE EXPECTED [SCREENSHOTS]

PAGE is the folder that `scripts/web --build` makes, EXPECTED the output of the example `expected`, SCREENSHOTS a folder for
pictures of every view. Started by scripts/web-test.
"""

import base64
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from serve import server

CHROMIUM = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--enable-unsafe-webgpu",
]
# Results of another adapter differ by rounding.
TOLERANCE = 1e-4


class Browser:
    """A session of a browser, by the WebDriver protocol."""

    def __init__(self, width, height):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}", "--silent"])
        self.address = f"http://127.0.0.1:{port}/session"
        # Windows are never as narrow as a telephone.
        screen = {"width": width, "height": height, "pixelRatio": 2, "touch": True}
        phone = {"mobileEmulation": {"deviceMetrics": screen}} if width < 500 else {}
        options = {"args": [*CHROMIUM, f"--window-size={width},{height}"], **phone}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        for _ in range(50):
            try:
                session = self.call("", {"capabilities": {"alwaysMatch": wanted}})
                break
            except (ConnectionError, urllib.error.URLError):
                time.sleep(0.2)
        self.address += "/" + session["sessionId"]
        self.call("/timeouts", {"script": 300_000})

    def call(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=330) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def open(self, address):
        self.call("/url", {"url": address})

    def run(self, script, *arguments):
        """The value that an asynchronous function body returns."""
        body = f"const done = arguments[arguments.length - 1]; (async (...arguments_) => {{ {script} }})(...arguments).then(done, e => done({{failed: String(e)}}))"
        value = self.call("/execute/async", {"script": body, "args": arguments})
        assert not (isinstance(value, dict) and "failed" in value), value
        return value

    def until(self, condition, seconds=120):
        end = time.time() + seconds
        while not self.run(f"return Boolean({condition})"):
            status = self.run("return document.querySelector('#status').textContent")
            assert time.time() < end, f"{condition} does not come true; the page says: {status}"
            time.sleep(0.1)

    def find(self, selector):
        return next(iter(self.call("/element", {"using": "css selector", "value": selector}).values()))

    def click(self, selector):
        self.call(f"/element/{self.find(selector)}/click", {})

    def stroke(self, selector, points, kind="touch"):
        """Moves a pressed pointer over an element, between points given as shares of its size from its centre."""
        element = self.find(selector)
        self.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
        box = self.call(f"/element/{element}/rect")
        origin = {"element-6066-11e4-a52e-4f735466cecf": element}
        move = lambda x, y: {
            "type": "pointerMove",
            "duration": 40,
            "x": round(x * box["width"]),
            "y": round(y * box["height"]),
            "origin": origin,
        }
        first, *rest = points
        actions = [move(*first), {"type": "pointerDown", "button": 0}, *(move(*p) for p in rest), {"type": "pointerUp", "button": 0}]
        pointer = {"type": "pointer", "id": kind, "parameters": {"pointerType": kind}, "actions": actions}
        self.call("/actions", {"actions": [pointer]})

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self.call("/screenshot")))

    def errors(self):
        return [entry["message"] for entry in self.call("/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def close(self):
        self.call("", method="DELETE")
        self.driver.terminate()


TEXT = "document.querySelector('{}').textContent"
# The sum of a canvas's pixels.
INK = "document.querySelector('{}').getContext('2d').getImageData(0, 0, 28, 28).data.reduce((a, b, i) => i % 4 ? a : a + b, 0)"


def draw(browser):
    """A seven is projected while it is drawn; an empty paper shows nothing."""
    browser.until(f"!document.querySelector('#draw').hidden")
    start = time.time()
    browser.stroke("#paper", [(-0.25, -0.3), (0.25, -0.3), (-0.05, 0.35)])
    browser.until(f"{TEXT.format('#d2')}.startsWith('moved by')")
    print(f"draw      a stroke of three points is projected after {time.time() - start:.1f} s")
    moved = [float(browser.run(f"return {TEXT.format(place)}").split()[-1]) for place in ["#d1", "#d2"]]
    assert 0 < moved[1] < moved[0] < 1, moved
    assert browser.run(f"return {INK.format('#fx')}") > 2000
    address = browser.run("return location.href")
    return address


def clear(browser):
    browser.click("#clear")
    browser.until(f"{TEXT.format('#d1')} === ''")
    assert browser.run(f"return {INK.format('#fx')}") == 0
    browser.click("#example")
    browser.until(f"{TEXT.format('#d1')}.startsWith('moved by')")


def restore(browser, address):
    """A link brings the drawing back."""
    browser.open("about:blank")
    browser.open(address)
    browser.until(f"{TEXT.format('#d1')}.startsWith('moved by')")


def sample(browser):
    browser.click("nav a[href='#sample']")
    browser.until("document.body.dataset.ready === 'yes'")
    browser.until(f"{TEXT.format('#moves')}.includes('moves an image')")
    moves = [float(word.strip('.,')) for word in browser.run(f"return {TEXT.format('#moves')}").split() if word[0] == "0"]
    assert len(moves) == 3 and moves[0] > 2 * moves[1], moves
    before = browser.run(f"return {INK.format('#walk')}")
    browser.stroke("#plane", [(0.2, 0.2), (-0.4, -0.4)], kind="mouse")
    browser.until(f"{INK.format('#walk')} !== {before}")
    browser.click("#again")
    browser.until(f"{TEXT.format('#seed')} === '2'")


def learn(browser, picture):
    """Samples come to lie on the set; a slider and a point of one's own change what is learned."""
    browser.click("nav a[href='#learn']")
    losses = TEXT.format("#losses")
    step = f"Number(({losses}.match(/step (\\d+)/) ?? [0, 0])[1])"
    browser.until(f"{step} > 150", 400)
    browser.click("#run")
    browser.until(f"document.querySelector('#run').textContent === 'Run'")
    paused = browser.run(f"return {step}")
    text = browser.run(f"return {losses}")
    print(f"learn     {text}")
    assert float(text.split("rec ")[1].split(",")[0]) < 0.05, text
    if picture:
        browser.screenshot(picture)
    browser.call(f"/element/{browser.find('#shape option[value=points]')}/click", {})
    browser.until("!document.querySelector('#place').hidden")
    browser.stroke("#plane2", [(0.2, 0.2)], kind="mouse")
    browser.until(f"{step} > 20 && {step} < {paused}", 400)
    browser.click("#run")


def measure(browser):
    browser.click("nav a[href='#measure']")
    start = time.time()
    browser.click("#measure-start")
    state = TEXT.format("#measure-state")
    browser.until(f"/checked before|stopped/.test({state})", 900)
    assert "checked before" in browser.run(f"return {state}"), browser.run(f"return {state}")
    result = json.loads(browser.run("return document.querySelector('#measure-json').value"))
    for case in result["cases"]:
        print(f"measure   {case['name']}: {case['ms']:.0f} ms, {100 * case['share_of_roof']:.0f} % of {result['roof_gflops']:.0f} GFLOP/s")
        assert case["error"] < TOLERANCE and 0 < case["share_of_roof"] < 1.2, case
    print(f"measure   took {time.time() - start:.0f} s")


def compare(browser, expected):
    """The samples of the page are those of the engine on this machine."""
    found = browser.run(
        """
        const { open } = await import('./engine.js');
        const engine = await open();
        const bytes = new Uint8Array(await (await fetch('mnist.safetensors')).arrayBuffer());
        const model = await engine.model(bytes, 8);
        return Array.from(await model.sample(model.noise(1, 0, 8), 2));
        """
    )
    assert len(found) == len(expected)
    worst = max(abs(a - b) for a, b in zip(found, expected))
    print(f"compare   f(z) and f(f(z)) differ by {worst:.1e} from those of this machine's adapter")
    assert worst < TOLERANCE


def main():
    page, expected, *pictures = sys.argv[1:]
    pictures = pathlib.Path(pictures[0]) if pictures else None
    serving = server(page)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{serving.server_port}/"
    for size in [(1200, 900), (390, 844)]:
        browser = Browser(*size)
        try:
            start = time.time()
            browser.open(address)
            browser.until("document.querySelector('#status').hidden")
            print(f"start     {size[0]} pixels wide: after {time.time() - start:.1f} s on {browser.run('return ' + TEXT.format('#adapter'))}")
            wide = browser.run("return document.documentElement.scrollWidth")
            assert wide <= size[0], f"the page is {wide} pixels wide"
            link = draw(browser)
            if pictures:
                browser.screenshot(pictures / f"draw-{size[0]}.png")
            clear(browser)
            restore(browser, link)
            sample(browser)
            if pictures:
                browser.screenshot(pictures / f"sample-{size[0]}.png")
            learn(browser, pictures and pictures / f"learn-{size[0]}.png")
            if size[0] > 1000:
                measure(browser)
                if pictures:
                    browser.screenshot(pictures / "measure.png")
                compare(browser, json.loads(pathlib.Path(expected).read_text()))
            errors = browser.errors()
            assert not errors, errors
        finally:
            browser.close()
    print("the page passes")


main()
