"""A browser under control, by the commands of the WebDriver protocol."""

import base64
import socket
import time


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Browser:
    """What is the same in all browsers. A browser has `call(path, body)`, which sends a command, `errors()`, the errors of its
    console, and `close()`."""

    # Keys, as WebDriver names them.
    RIGHT, DOWN, ENTER = "\ue014", "\ue015", "\ue007"

    # A folder for recordings of the views, if they are to be recorded.
    records = None

    def __init__(self, width, pictures):
        self.width, self.pictures = width, pictures

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

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

    def settle(self):
        """Waits for the calls of the engine that run or wait."""
        self.until("document.body.dataset.busy === 'no'")

    def link(self):
        """The link of the page, after the pause (`PAUSE` in state.js) by which it may be behind."""
        time.sleep(0.5)
        return self.run("return location.href")

    def find(self, selector):
        return next(iter(self.call("/element", {"using": "css selector", "value": selector}).values()))

    def click(self, selector):
        self.call(f"/element/{self.find(selector)}/click", {})

    def keys(self, selector, text):
        """Types into an element."""
        self.call(f"/element/{self.find(selector)}/value", {"text": text})

    def choose(self, selector, path):
        """Chooses a file."""
        self.keys(selector, str(path))

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

    def screenshot(self, name):
        """Keeps a picture of the page as it is shown, if there is a folder for pictures."""
        if self.pictures:
            picture = base64.b64decode(self.call("/screenshot"))
            (self.pictures / f"{name}-{self.name}-{self.width}.png").write_bytes(picture)


# Results of another adapter differ by rounding.
TOLERANCE = 1e-4
TEXT = "document.querySelector('{}').textContent"
# The sum of a canvas's pixels.
INK = "document.querySelector('{}').getContext('2d').getImageData(0, 0, 28, 28).data.reduce((a, b, i) => i % 4 ? a : a + b, 0)"
