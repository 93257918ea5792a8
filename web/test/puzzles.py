"""Puzzles: a kernel that is right, and kernels that are wrong in each way."""

from browser import TEXT

VERDICT, KERNEL = TEXT.format("#verdict"), "document.querySelector('#kernel').value"
MARKED = "Array.from(document.querySelectorAll('#gutter .marked'), line => Number(line.textContent))"
SELECTED = "document.querySelector('#kernel').value.slice(document.querySelector('#kernel').selectionStart, document.querySelector('#kernel').selectionEnd)"
CONTROL, TAB, ENTER = "\ue009", "\ue004", "\ue007"
# The longest time between two turns of the event loop, in milliseconds, while `window.watching`.
WATCH = """
window.watching = true; window.longest = 0;
let last = performance.now();
const turn = () => {
  const now = performance.now();
  window.longest = Math.max(window.longest, now - last);
  last = now;
  if (window.watching) setTimeout(turn);
};
turn();
"""


def use(browser):
    browser.click("nav a[href='#puzzles']")
    browser.until("document.querySelectorAll('#puzzle-list button').length === 14")
    stub(browser)
    invalid(browser)
    endless(browser)
    unlike(browser)
    keyboard(browser)
    solved(browser)
    restored(browser)


def choose(browser, number):
    browser.click(f"#puzzle-list li:nth-child({number}) button")
    browser.until(f"{TEXT.format('#puzzle-title')}.startsWith('{number}. ')")


def write(browser, text):
    """Puts a text in place of what is there."""
    browser.run("const box = document.querySelector('#kernel'); box.value = arguments_[0]; box.dispatchEvent(new Event('input'))", text)


def check(browser):
    """What the page says of the kernel."""
    browser.click("#puzzle-check")
    browser.until("!document.querySelector('#puzzle-check').disabled", 300)
    return browser.run(f"return {VERDICT}")


def stub(browser):
    """A stub fails, with the first wrong element; hints come one by one; the solution is shown on request."""
    choose(browser, 1)
    said = check(browser)
    assert "nothing is stored in y[0], expected 17" in said, said
    for count in (1, 2, 3):
        browser.click("#puzzle-hint")
        assert browser.run("return document.querySelectorAll('#puzzle-hints li').length") == count
    assert browser.run("return document.querySelector('#puzzle-hint').disabled")
    assert not browser.run("return document.querySelector('#puzzle-solution').open")
    # A race has its line and its column.
    choose(browser, 5)
    said = check(browser)
    assert "reads tile[1], which invocation 1 writes" in said and "with no barrier in between" in said, said
    [line] = browser.run(f"return {MARKED}")
    assert f"05_barrier.wgsl:{line}:" in said, (line, said)
    browser.screenshot("puzzles-failed")


def invalid(browser):
    """A mistake in the WGSL marks its line, and a button leads there; the stub comes back."""
    choose(browser, 1)
    begin = browser.run(f"return {KERNEL}")
    write(browser, begin.replace("// Your code: store the result of element i.", "y[i] = x[j];"))
    said = check(browser)
    first = browser.run("return Number(document.querySelector('#gutter span').textContent)")
    line = begin[: begin.index("// Your code")].count("\n") + first
    assert f":{line}:12: " in said and "j" in said, said
    assert browser.run(f"return {MARKED}") == [line]
    browser.screenshot("puzzles-invalid")
    browser.click("#puzzle-jump")
    assert browser.run(f"return {SELECTED}") == "j];"
    browser.click("#puzzle-reset")
    assert browser.run(f"return {KERNEL}") == begin
    assert browser.run(f"return {MARKED}") == []


def endless(browser):
    """A loop that does not end is found, and the page answers meanwhile."""
    begin = browser.run(f"return {KERNEL}")
    write(browser, begin.replace("// Your code: store the result of element i.", "var t = 0u;\n  loop { t += 1u; if (t == 0u) { break; } }\n  y[i] = x[i];"))
    browser.run(WATCH)
    said = check(browser)
    longest = browser.run("window.watching = false; return window.longest")
    print(f"puzzles   an endless loop: {said.splitlines()[0]}; the page was away for {longest:.0f} ms")
    assert "65535" in said and "passed" not in said, said
    assert longest < 1000, f"the page did not answer for {longest} ms"
    browser.click("#puzzle-reset")


def unlike(browser):
    """A kernel that naga takes and Chromium refuses fails, and the adapter goes on. Other browsers may take it."""
    begin = browser.run(f"return {KERNEL}")
    right = begin.replace("// Your code: store the result of element i.", "y[i] = x[i] * x[i] + 1.0;")
    write(browser, right.replace("  y[i]", "  if (local < 1000u) { workgroupBarrier(); }\n  y[i]"))
    said = check(browser)
    if browser.name == "chromium":
        assert "workgroupBarrier" in said and "passed" not in said, said
    write(browser, right)
    said = check(browser)
    assert said.startswith("passed: "), said
    browser.click("#puzzle-reset")


def keyboard(browser):
    """Tab indents, and Control with Enter checks."""
    begin = browser.run(f"return {KERNEL}")
    browser.run("const box = document.querySelector('#kernel'); box.focus(); box.setSelectionRange(box.value.length, box.value.length)")
    browser.keys("#kernel", TAB)
    assert browser.run(f"return {KERNEL}") == begin + "  "
    browser.keys("#kernel", CONTROL + ENTER)
    browser.until(f"{VERDICT}.includes('nothing is stored in y[0]')")
    browser.click("#puzzle-reset")


def solved(browser):
    """A solution passes, and is measured beside itself."""
    choose(browser, 2)
    write(browser, browser.run(f"return {TEXT.format('#puzzle-solution pre')}"))
    browser.run(WATCH)
    said = check(browser)
    longest = browser.run("window.watching = false; return window.longest")
    print(f"puzzles   {said.splitlines()[0]}; the page was away for {longest:.0f} ms")
    for part in ("passed: ", "loads from buffers per invocation", "share of the roof in %", "in the engine: shaders/"):
        assert part in said, (part, said)
    assert longest < 1000, f"the page did not answer for {longest} ms"
    assert browser.run(f"return {TEXT.format('#puzzle-list li:nth-child(2)')}").endswith("passed")
    assert browser.run(f"return {TEXT.format('#puzzle-progress')}") == "2 of 14 passed"
    browser.screenshot("puzzles")
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= browser.width, f"the page is {wide} pixels wide"


def restored(browser):
    """The text and what has passed are there again after a reload."""
    written = browser.run(f"return {KERNEL}")
    address = browser.link()
    browser.open("about:blank")
    browser.open(address)
    browser.until(f"{TEXT.format('#puzzle-title')}.startsWith('2. ')")
    assert browser.run(f"return {KERNEL}") == written
    assert browser.run(f"return {TEXT.format('#puzzle-progress')}") == "2 of 14 passed"
