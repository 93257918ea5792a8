"""Uses the page in headless Chromium as a person would, and compares what it computes with the engine on this machine.

    python3 web/test PAGE EXPECTED [SCREENSHOTS]

PAGE is the folder that `scripts/web --build` makes, EXPECTED the output of the example `expected`, SCREENSHOTS a folder for
pictures of every view. Started by scripts/web-test.
"""

import json
import pathlib
import subprocess
import sys
import time

import draw
import learn
import measure
import sample
import tape
from browser import TEXT, Browser

SIZES = [(1200, 900), (390, 844)]


def start(browser, address):
    begin = time.time()
    browser.open(address)
    browser.until("document.querySelector('#status').hidden")
    adapter = browser.run("return " + TEXT.format("#adapter"))
    print(f"start     {browser.width} pixels wide: after {time.time() - begin:.1f} s on {adapter}")
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= browser.width, f"the page is {wide} pixels wide"


def main():
    page, expected, *pictures = sys.argv[1:]
    pictures = pathlib.Path(pictures[0]) if pictures else None
    serve = pathlib.Path(__file__).parent.parent / "serve.py"
    serving = subprocess.Popen([sys.executable, serve, page, "0"], stdout=subprocess.PIPE, text=True)
    address = serving.stdout.readline().split()[1]
    for size in SIZES:
        browser = Browser(*size, pictures)
        try:
            start(browser, address)
            draw.use(browser)
            sample.use(browser)
            learn.use(browser)
            tape.use(browser)
            # What takes long, and is the same at any size.
            if size == SIZES[0]:
                measure.use(browser)
                sample.compare(browser, json.loads(pathlib.Path(expected).read_text()))
            errors = browser.errors()
            assert not errors, errors
        finally:
            browser.close()
    serving.terminate()
    print("the page passes")


main()
