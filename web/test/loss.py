"""The loss or failure of the device: it is said, and a button brings the page back."""

import draw
from browser import INK, TEXT

# Keeps the device that is used next.
FIND = """
const make = GPUDevice.prototype.createCommandEncoder;
GPUDevice.prototype.createCommandEncoder = function (...given) { window.device = this; return make.apply(this, given); };
"""


# Both ways in which a device ends, and what is said of them.
ENDS = {
    "window.device.destroy()": "destroyed",
    """window.device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUValidationError('a trial') }))
    """: "a trial",
}


def use(browser, address):
    for end, text in ENDS.items():
        lose(browser, address, end, text)
    print(f"loss      {browser.name}: said, and the drawing came back")


def lose(browser, address, end, text):
    browser.open("about:blank")
    browser.open(address)
    browser.until("document.body.dataset.ready === 'yes'")
    browser.run(FIND)
    browser.stroke("#paper", [(-0.25, -0.3), (0.25, -0.3), (-0.05, 0.35)])
    browser.keys("#spoil-7", browser.RIGHT * 4)
    browser.until(draw.PROJECTED)
    drawn = browser.run(f"return {INK.format('#paper')}")
    browser.run(end)
    # Drawing goes on, without an answer.
    browser.stroke("#paper", [(0.1, 0.1), (0.2, 0.2)])
    browser.until("document.querySelector('#status').classList.contains('failed')")
    told = browser.run(f"return {TEXT.format('#status')}")
    assert "Reload the page" in told and text in told, told
    more = browser.run(f"return {INK.format('#paper')}")
    assert more > drawn, (drawn, more)
    browser.screenshot("loss")
    browser.click("#reopen")
    browser.until(f"document.querySelector('#status').hidden && {draw.PROJECTED}")
    again = browser.run(f"return {INK.format('#paper')}")
    assert again == more, (more, again)
    assert browser.run("return document.querySelector('#spoil-7').value") == "0.2"
    before = browser.run(f"return {TEXT.format('#fx-says')}")
    browser.stroke("#paper", [(-0.2, -0.1), (0.2, -0.1)])
    browser.until(f"{TEXT.format('#fx-says')} !== '{before}'")
    errors = browser.errors()
    assert not errors, errors
