"""Headless Chromium, by its driver."""

import base64
import json
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

from browser import Browser, free_port

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]

# The place of a view on the page, if it is shown, below the text with which it begins.
VIEW = """
const section = document.getElementById(arguments_[0]);
if (!section || section.hidden) return null;
const { left, top, width, height } = section.getBoundingClientRect();
const text = section.querySelector('p').getBoundingClientRect().bottom + 8 - top;
// The begin of a long view is enough.
return { x: left + scrollX, y: top + scrollY + text, width, height: Math.min(height - text, 400 + 1.5 * innerWidth) };
"""


class Chromium(Browser):
    name = "chromium"

    def __init__(self, width, height, pictures=None, webgpu=True):
        super().__init__(width, pictures)
        port = free_port()
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}", "--silent"])
        self.address = f"http://127.0.0.1:{port}/session"
        # Windows are never as narrow as a telephone.
        screen = {"width": width, "height": height, "pixelRatio": 2, "touch": True}
        phone = {"mobileEmulation": {"deviceMetrics": screen}} if width < 500 else {}
        gpu = "--enable-unsafe-webgpu" if webgpu else "--disable-blink-features=WebGPU"
        options = {"args": [*ARGUMENTS, gpu, f"--window-size={width},{height}"], **phone}
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

    def devtools(self, command, **parameters):
        """The answer to a command of the Chrome DevTools Protocol."""
        return self.call("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def memory(self):
        """Bytes that JavaScript holds, array buffers among them, after a collection."""
        self.devtools("HeapProfiler.collectGarbage")
        usage = self.devtools("Runtime.getHeapUsage")
        return usage["usedSize"] + usage["backingStorageSize"]

    def resident(self):
        """Bytes of memory of all processes of the browser."""
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
        own = {self.driver.pid}
        while more := {child for child, parent in parents.items() if parent in own} - own:
            own |= more
        pages = lambda process: int(pathlib.Path(f"/proc/{process}/statm").read_text().split()[1])
        return 4096 * sum(map(pages, own))

    def screenshot(self, name):
        super().screenshot(name)
        box = self.records and self.run(VIEW, name)
        if box:
            shot = {"format": "webp", "quality": 75, "captureBeyondViewport": True, "clip": {**box, "scale": 1}}
            (self.records / f"{name}.webp").write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot", **shot)["data"]))

    def errors(self):
        return [entry["message"] for entry in self.call("/se/log", {"type": "browser"}) if entry["level"] == "SEVERE"]

    def close(self):
        self.call("", method="DELETE")
        self.driver.terminate()
