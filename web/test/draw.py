"""Draw: a drawing and its projections."""

import time

from browser import INK, TEXT


def use(browser):
    """A seven is projected while it is drawn; an empty paper shows nothing."""
    browser.until("!document.querySelector('#draw').hidden")
    start = time.time()
    browser.stroke("#paper", [(-0.25, -0.3), (0.25, -0.3), (-0.05, 0.35)])
    browser.until(f"{TEXT.format('#d2')}.startsWith('moved by')")
    print(f"draw      a stroke of three points is projected after {time.time() - start:.1f} s")
    moved = [float(browser.run(f"return {TEXT.format(place)}").split()[-1]) for place in ["#d1", "#d2"]]
    assert 0 < moved[1] < moved[0] < 1, moved
    assert browser.run(f"return {INK.format('#fx')}") > 2000
    address = browser.run("return location.href")
    browser.screenshot("draw")
    clear(browser)
    restore(browser, address)


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
