"""Learn: the objective on points of the plane."""

import memory
from browser import TEXT

LOSSES = TEXT.format("#losses")
STEP = f"Number(({LOSSES}.match(/step (\\d+)/) ?? [0, 0])[1])"


def use(browser):
    """Samples come to lie on the set; losses can be switched off; points of one's own are learned."""
    browser.click("nav a[href='#learn']")
    browser.until(f"{STEP} > 150", 120)
    browser.click("#run")
    browser.until(f"document.querySelector('#run').textContent === 'Run'")
    paused = browser.run(f"return {STEP}")
    text = browser.run(f"return {LOSSES}")
    print(f"learn     {text}")
    assert float(text.split("rec ")[1].split(",")[0]) < 0.05, text
    browser.screenshot("learn")
    losses(browser, "plane")
    browser.until("location.hash.includes('idem=1')")
    browser.click("#shape option[value=points]")
    browser.until("!document.querySelector('#place').hidden")
    browser.stroke("#plane2", [(0.2, 0.2)], kind="mouse")
    browser.until(f"{STEP} > 20 && {STEP} < {paused}", 120)
    browser.click("#run")


def losses(browser, name):
    """Sliders begin where the training does, and a button for one loss sets the weights of the others to 0."""
    weights = f"return ['rec', 'idem', 'tight'].map(name => Number(document.querySelector(`#{name}-sliders-${{name}}`).value))"
    start = browser.run(weights)
    assert all(start), start
    browser.click(f"#on-{name} [data-only=idem]")
    assert browser.run(weights) == [0, start[1], 0]
    browser.keys(f"#{name}-sliders-idem", browser.RIGHT)
    assert browser.run(weights) == [0, start[1] + 0.05, 0]
    browser.click(f"#on-{name} [data-only='']")
    assert browser.run(weights) == start


def steady(browser):
    """A training needs no more memory while it goes on."""
    browser.click("nav a[href='#learn']")
    browser.click("[name=on][value=plane]")
    browser.click("#shape option[value=moons]")
    browser.until(f"{STEP} < 50")
    memory.steady(browser, STEP)
    browser.click("#run")
