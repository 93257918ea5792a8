"""Learn: the objective on points of the plane."""

from browser import TEXT


def use(browser):
    """Samples come to lie on the set; a slider and a point of one's own change what is learned."""
    browser.click("nav a[href='#learn']")
    losses = TEXT.format("#losses")
    step = f"Number(({losses}.match(/step (\\d+)/) ?? [0, 0])[1])"
    browser.until(f"{step} > 150", 400)
    browser.click("#run")
    browser.until(f"document.querySelector('#run').textContent === 'Run'")
    paused = browser.run(f"return {step}")
    text = browser.run(f"return {losses}")
    print(f"learn     {text}")
    assert float(text.split("rec ")[1].split(",")[0]) < 0.05, text
    browser.screenshot("learn")
    browser.call(f"/element/{browser.find('#shape option[value=points]')}/click", {})
    browser.until("!document.querySelector('#place').hidden")
    browser.stroke("#plane2", [(0.2, 0.2)], kind="mouse")
    browser.until(f"{step} > 20 && {step} < {paused}", 400)
    browser.click("#run")
