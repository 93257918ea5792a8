"""Uses the page in headless Chromium, and in Firefox if it is installed, as a person would, and compares what it computes
with the engine on this machine.

    python3 web/test PAGE EXPECTED [--record] [SCREENSHOTS]

PAGE is the folder that `scripts/web --build` makes, EXPECTED what `scripts/web-test` collects from the example `expected`,
SCREENSHOTS a folder for pictures of every view. Started by scripts/web-test. With --record the views are only used to keep
the pictures that browsers without WebGPU show.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

import digits
import draw
import learn
import loss
import measure
import missing
import puzzles
import sample
import tape
from browser import TEXT
from chromium import Chromium
from firefox import Firefox, firefox

WEB = pathlib.Path(__file__).parent.parent
DESKTOP, PHONE = (1200, 900), (390, 844)
# The longest time that the page did not answer, in milliseconds, in browsers that tell.
LONGEST = """
let longest = 0;
const take = list => list.getEntries().forEach(entry => { longest = Math.max(longest, entry.duration); });
new PerformanceObserver(take).observe({ type: 'longtask', buffered: true });
await new Promise(done => setTimeout(done, 200));
return longest;
"""


def start(browser, address):
    begin = time.time()
    browser.open(address)
    browser.until("document.querySelector('#status').hidden")
    adapter = browser.run("return " + TEXT.format("#adapter"))
    print(f"start     {browser.name}, {browser.width} pixels wide: after {time.time() - begin:.1f} s on {adapter}")
    if browser.name == "chromium":
        progress, longest = browser.run("return " + TEXT.format("#compiling")), browser.run(LONGEST)
        assert re.search(r"\d+ of \d+$", progress), f"no progress of the compilation: {progress}"
        assert longest < 1000, f"the page did not answer for {longest} ms"
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= browser.width, f"the page is {wide} pixels wide"


def end(browser):
    """Nothing came from another host, and the console has no errors."""
    foreign = "performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith(location.origin))"
    requests = browser.run(f"return [performance.getEntriesByType('resource').length, {foreign}]")
    assert requests[0] > 5 and not requests[1], requests
    errors = browser.errors()
    assert not errors, errors


def use(browser, address):
    start(browser, address)
    draw.use(browser)
    sample.use(browser)
    learn.use(browser)
    digits.use(browser)
    tape.use(browser)
    puzzles.use(browser)


def record(address):
    """Pictures of the views: for browsers without WebGPU, and of a telephone for the project's own page."""
    for size, folder in [(DESKTOP, WEB / "page" / "recorded"), (PHONE, WEB.parent / "docs" / "images" / "phone")]:
        with Chromium(*size) as browser:
            browser.records = folder
            folder.mkdir(exist_ok=True)
            use(browser, address)
            measure.use(browser)
            adapter = browser.run("return document.querySelector('#adapter').textContent.split(';')[0]")
    (WEB / "page" / "recorded" / "about.json").write_text(json.dumps({"adapter": adapter}) + "\n")


def test(address, expected, pictures):
    kinds = [Chromium, Firefox] if firefox() else [Chromium]
    if not firefox():
        print("firefox   is not installed: only Chromium is used")
    for kind in kinds:
        with kind(*DESKTOP, pictures) as browser:
            use(browser, address)
            # What takes long, and is the same at any size.
            measure.use(browser)
            if kind is Chromium:
                learn.steady(browser)
                digits.steady(browser)
            sample.compare(browser, expected)
            end(browser)
            loss.use(browser, address)
        with kind(*DESKTOP, pictures, webgpu=False) as browser:
            missing.use(browser, address)
            end(browser)
    with Chromium(*PHONE, pictures) as browser:
        use(browser, address)
        end(browser)
    print("the page passes")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("expected", type=pathlib.Path)
    parser.add_argument("pictures", type=pathlib.Path, nargs="?")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    serving = subprocess.Popen([sys.executable, WEB / "serve.py", given.page, "0"], stdout=subprocess.PIPE, text=True)
    address = serving.stdout.readline().split()[1]
    try:
        if given.record:
            record(address)
        else:
            test(address, json.loads(given.expected.read_text()), given.pictures)
    finally:
        serving.terminate()


main()
