"""Draw: a drawing and its projections."""

import pathlib
import struct
import tempfile

from browser import INK, TEXT

SEVEN = [(-0.25, -0.3), (0.25, -0.3), (-0.05, 0.35)]
PROJECTED = f"{TEXT.format('#ffx-says')}.startsWith('moved by')"


def says(browser, name):
    """How far an image was moved, and the digit that it looks like."""
    text = browser.run(f"return {TEXT.format(f'#{name}-says')}")
    return float(text.split()[2]), int(text.split("looks like ")[1].split(",")[0])


def use(browser):
    """A seven is projected while it is drawn; an empty paper shows nothing."""
    browser.until("!document.querySelector('#draw').hidden")
    browser.stroke("#paper", SEVEN)
    browser.until(PROJECTED)
    # Then the networks of the other views are compiled too.
    browser.until("document.body.dataset.ready === 'yes'")
    browser.stroke("#paper", SEVEN[:2])
    browser.settle()
    answer = browser.run("return performance.getEntriesByName('answer').at(-1).duration")
    print(f"draw      a stroke is projected twice and recognised {answer:.0f} ms after it")
    (first, digit), (second, again) = says(browser, "fx"), says(browser, "ffx")
    assert 0 < second < first < 1 and digit == again == 7, (first, second, digit, again)
    assert browser.run(f"return {INK.format('#fx')}") > 2000
    assert "down" in browser.run(f"return {TEXT.format('#x-says')}")
    browser.screenshot("draw")
    spoil(browser)
    # The link of another view keeps the drawing too.
    browser.click("nav a[href='#sample']")
    address = browser.link()
    browser.click("nav a[href='#draw']")
    clear(browser)
    restore(browser, address)
    picture(browser)


def spoil(browser):
    before = browser.run(f"return {INK.format('#x')}")
    browser.keys("#spoil-7", browser.RIGHT * 8)
    browser.until(f"{INK.format('#x')} > {1.5 * before} && location.hash.includes('spoil=')")
    browser.settle()
    moved, digit = says(browser, "fx")
    assert moved > 0.1 and digit == 7, (moved, digit)


def clear(browser):
    browser.click("#clear")
    browser.until(f"{TEXT.format('#fx-says')} === ''")
    assert browser.run(f"return {INK.format('#fx')}") == 0
    browser.click("#intact")
    browser.click("#example")
    browser.until(PROJECTED)


def restore(browser, address):
    """A link brings the drawing back, and how it was spoiled."""
    browser.open("about:blank")
    browser.open(address)
    browser.until("!document.querySelector('#sample').hidden")
    browser.click("nav a[href='#draw']")
    browser.until(PROJECTED)
    assert float(browser.run("return document.querySelector('#spoil-7').value")) > 0.3
    browser.click("#intact")


def picture(browser):
    """A dark stroke on a bright picture becomes a bright one on a dark drawing."""
    width, height = 40, 56
    ink = [abs(x - 20) < 3 and 8 < y < 48 for y in range(height) for x in range(width)]
    body = b"".join(b"\x10\x10\x10" if dark else b"\xf0\xf0\xf0" for dark in ink)
    head = struct.pack("<2sIII", b"BM", 54 + len(body), 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(body), 0, 0, 0, 0)
    with tempfile.NamedTemporaryFile(suffix=".bmp") as file:
        pathlib.Path(file.name).write_bytes(head + body)
        browser.choose("#picture", file.name)
        browser.until(f"{TEXT.format('#fx-says')}.includes('looks like 1')")
