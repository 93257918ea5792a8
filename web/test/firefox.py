"""Headless Firefox, by the protocol that is built into it: Marionette."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from browser import Browser, free_port

PREFERENCES = {
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    # WebGPU on adapters that Firefox does not support, software among them.
    "gfx.webgpu.ignore-blocklist": True,
    "security.sandbox.gpu.level": 0,
}

# Commands of Marionette by the path that they have in WebDriver; {id} stands for an element.
COMMANDS = {
    "/url": "Navigate",
    "/execute/async": "ExecuteAsyncScript",
    "/element": "FindElement",
    "/element/{id}/click": "ElementClick",
    "/element/{id}/rect": "GetElementRect",
    "/element/{id}/value": "ElementSendKeys",
    "/actions": "PerformActions",
    "/timeouts": "SetTimeouts",
    "/screenshot": "TakeScreenshot",
}

# The errors of the console and of scripts, from Firefox's own side of the page.
ERRORS = """
const pages = address => address?.startsWith('http:');
const told = Cc['@mozilla.org/consoleAPI-storage;1'].getService(Ci.nsIConsoleAPIStorage).getEvents();
const thrown = Services.console.getMessageArray()
  .filter(m => m instanceof Ci.nsIScriptError && pages(m.sourceName) && !(m.flags & m.warningFlag));
return [...told.filter(e => e.level === 'error' && pages(e.filename)).map(e => e.arguments.join(' ')), ...thrown.map(m => m.errorMessage)];
"""


def firefox():
    """The command that starts Firefox, if it is installed."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox(Browser):
    name = "firefox"

    def __init__(self, width, height, pictures=None, webgpu=True):
        super().__init__(width, pictures)
        port = free_port()
        self.profile = tempfile.mkdtemp(prefix="ign-firefox-")
        preferences = {**PREFERENCES, "dom.webgpu.enabled": webgpu, "marionette.port": port}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items()]
        (pathlib.Path(self.profile) / "user.js").write_text("".join(lines))
        options = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access", "--profile", self.profile]
        size = {"MOZ_HEADLESS_WIDTH": str(width), "MOZ_HEADLESS_HEIGHT": str(height)}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.browser = subprocess.Popen([firefox(), *options], env={**os.environ, **size, "HOME": self.profile}, **quiet)
        for _ in range(300):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=330)
                break
            except ConnectionError:
                time.sleep(0.2)
        self.stream = self.socket.makefile("rb")
        self.receive()
        self.send("WebDriver:NewSession", {"capabilities": {}})
        self.call("/timeouts", {"script": 300_000})

    def receive(self):
        """A message: its length in decimal digits, a colon, and JSON."""
        length = b""
        while (digit := self.stream.read(1)) != b":":
            assert digit, "Firefox has ended"
            length += digit
        return json.loads(self.stream.read(int(length)))

    def send(self, name, parameters):
        """A command is [0, number, name, parameters], its answer [1, number, error, result]."""
        message = json.dumps([0, 1, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self.receive()
        assert not error, error["message"]
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def call(self, path, body=None):
        body = dict(body or {})
        if path.startswith("/element/"):
            body["id"] = path.split("/")[2]
            path = path.replace(body["id"], "{id}")
        if path == "/screenshot":
            body["full"] = False
        return self.send(f"WebDriver:{COMMANDS[path]}", body)

    def errors(self):
        self.send("Marionette:SetContext", {"value": "chrome"})
        found = self.send("WebDriver:ExecuteScript", {"script": ERRORS, "args": []})
        self.send("Marionette:SetContext", {"value": "content"})
        return found

    def close(self):
        self.browser.terminate()
        self.browser.wait(30)
        self.socket.close()
        shutil.rmtree(self.profile, ignore_errors=True)
