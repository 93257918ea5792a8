"""Tape: typed formulas, and the tapes of what runs."""

import math

from browser import TEXT

STATE = TEXT.format("#formula-state")


def use(browser):
    browser.click("nav a[href='#tape']")
    typed(browser)
    mistaken(browser)
    drawn(browser)
    browser.screenshot("tape")
    timed(browser)
    others(browser)
    restored(browser)


def write(browser, text):
    """Types a text in place of what is there."""
    browser.run("const box = document.querySelector('#formula'); box.value = arguments_[0]; box.dispatchEvent(new Event('input'))", text)


def values(browser, name):
    """What the table shows for the value of that name: in f64, and on the adapter."""
    row = f"[...document.querySelectorAll('#values tr')].find(row => row.cells[0].textContent.split(' = ').includes('{name}'))"
    browser.until(f"{row} && {row}.cells[3].textContent !== '…'")
    cells = browser.run(f"return Array.from({row}.cells, cell => cell.textContent)")
    return [float(text.replace("−", "-")) for text in cells[2:]]


def typed(browser):
    """A formula shows its values and its gradient, those of mathematics."""
    write(browser, "y = tanh(a * x + b)\na = 0.75\nx = 2\nb = -0.5")
    y = math.tanh(1)
    slope = 1 - y * y
    browser.until(f"{TEXT.format('#values')}.includes('input a')")
    expected = {"y": y, "∂y/∂a": 2 * slope, "∂y/∂x": 0.75 * slope, "∂y/∂b": slope}
    for name, value in expected.items():
        reference, computed = values(browser, name)
        assert abs(reference - value) < 1e-5 and abs(computed - value) < 1e-4, (name, reference, computed, value)
    print(f"tape      ∂y/∂a of tanh(a * x + b) is {values(browser, '∂y/∂a')[1]}")


def mistaken(browser):
    """Mistakes are named with their place, and go when they are mended."""
    for text, message in [
        ("y = tanh(", "line 1, column 10: expected a name"),
        ("a = [1, 2]\nb = [1, 2, 3]\ny = a * b", "line 3, column 7: multiply of [2] and [3]"),
    ]:
        write(browser, text)
        browser.until(f"{STATE}.startsWith('{message}')")
    browser.screenshot("tape-mistake")
    write(browser, "y = x * x\nx = 3")
    browser.until(f"{STATE} === ''")
    assert values(browser, "∂y/∂x") == [6, 6]


def drawn(browser):
    """A line of the training step shows its shape, its formula and its shader."""
    browser.until("document.querySelectorAll('.lane').length === 3")
    for lane, least in [("forward", 40), ("backward", 60), ("update", 30)]:
        count = browser.run(f"return document.querySelectorAll('.lane.{lane} .entry').length")
        assert count >= least, (lane, count)
    line = "[...document.querySelectorAll('.backward .entry')].find(row => row.textContent.includes('leaky_relu_gradient'))"
    browser.run(f"{line}.click()")
    browser.until(f"{TEXT.format('#line h3')}.includes('leaky_relu_gradient')")
    text = browser.run(f"return {TEXT.format('#line')}")
    for part in ["[256, 32, 1, 1]", "g where y > 0, else slope·g", "fn formula_", "@compute"]:
        assert part in text, (part, text[:2000])
    read = browser.run("return document.querySelectorAll('.entry.reads').length")
    assert read == 2, read
    browser.click("#line .chip")
    browser.until(f"!{TEXT.format('#line h3')}.includes('leaky_relu_gradient')")
    browser.run(f"{line}.click()")
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= browser.width, f"the page is {wide} pixels wide"


def timed(browser):
    """Every line has a time, or the page says why not."""
    browser.click("#tape-time")
    state = TEXT.format("#tape-state")
    browser.until(f"/the mean of|No times|stopped/.test({state})", 300)
    said = browser.run(f"return {state}")
    print(f"tape      {said}")
    assert "stopped" not in said, said
    if "the mean of" in said:
        browser.until("[...document.querySelectorAll('.entry .time')].some(cell => cell.textContent.endsWith('s'))")
    browser.screenshot("tape-times")


def others(browser):
    """Every tape of the list is drawn, with lines that became shaders."""
    for name, operation, lanes in [("digits", "batch_norm", 3), ("f", "batch_norm_fixed", 1), ("typed", "∂y/∂x", 2), ("plane", "adam", 3)]:
        browser.run("const box = document.querySelector('#tape-of'); box.value = arguments_[0]; box.dispatchEvent(new Event('change'))", name)
        browser.until(f"[...document.querySelectorAll('.entry .name')].some(cell => cell.textContent.split(' = ').includes('{operation}'))")
        assert browser.run("return document.querySelectorAll('.lane').length") == lanes, name
        browser.until(f"{TEXT.format('#line')}.includes('@compute')")
        browser.screenshot(f"tape-{name}")


def restored(browser):
    """A link brings the text, the tape and the line back."""
    address = browser.link()
    chosen = browser.run(f"return {TEXT.format('#line h3')}")
    browser.open("about:blank")
    browser.open(address)
    browser.until(f"document.querySelector('#line h3')?.textContent === {chosen!r}")
    assert browser.run("return document.querySelector('#formula').value") == "y = x * x\nx = 3"
    assert values(browser, "∂y/∂x") == [6, 6]
