"""Sample and walk: noise, samples, and the plane between noises."""

import json

from browser import INK, TEXT, TOLERANCE


def use(browser):
    browser.click("nav a[href='#sample']")
    browser.until("document.body.dataset.ready === 'yes'")
    browser.until(f"{TEXT.format('#moves')}.includes('moves an image')")
    browser.settle()
    moves = [float(word.strip('.,')) for word in browser.run(f"return {TEXT.format('#moves')}").split() if word[0] == "0"]
    assert len(moves) == 3 and moves[0] > 2 * moves[1], moves
    before = browser.run(f"return {INK.format('#walk')}")
    browser.stroke("#plane", [(0.2, 0.2), (-0.4, -0.4)], kind="mouse")
    browser.until(f"{INK.format('#walk')} !== {before}")
    browser.click("#again")
    browser.until(f"{TEXT.format('#seed')} === '2'")
    browser.settle()
    browser.screenshot("sample")
    add(browser)
    opened(browser)


def opened(browser):
    """Keys open a sample on the drawing area: f(f(z)) of the second noise."""
    pixels = lambda canvas, x, y: browser.run(
        f"return document.querySelector('{canvas}').getContext('2d').getImageData({x}, {y}, 28, 28).data.join()"
    )
    chosen = pixels("#samples", 30, 60)
    browser.keys("#samples", browser.RIGHT + browser.DOWN)
    browser.until(f"{TEXT.format('#chosen')}.startsWith('f(f(z)) of noise 2')")
    browser.keys("#samples", browser.ENTER)
    browser.until("!document.querySelector('#draw').hidden")
    assert pixels("#paper", 0, 0) == chosen
    browser.settle()
    browser.click("nav a[href='#sample']")


def add(browser):
    """Another noise in a − b + c gives another picture, and is in the link."""
    ink = "document.querySelector('#sum').getContext('2d').getImageData(90, 0, 28, 28).data.join()"
    before = browser.run(f"return {ink}")
    browser.click("#b option[value='2']")
    browser.until(f"{ink} !== {json.dumps(before)}")
    browser.until("location.hash.includes('b=2')")


def compare(browser, expected):
    """The samples of the page are those of the engine on this machine, from the same file and from that of full precision."""
    found = browser.run(
        """
        const { open } = await import('./engine.js');
        const engine = await open();
        const bytes = new Uint8Array(await (await fetch('mnist.safetensors')).arrayBuffer());
        const model = await engine.model(bytes, 8);
        return Array.from(await model.sample(model.noise(1, 0, 8), 2));
        """
    )
    assert len(found) == len(expected["page"]) == len(expected["full"])
    worst = max(abs(a - b) for a, b in zip(found, expected["page"]))
    print(f"compare   f(z) and f(f(z)) differ by {worst:.1e} from those of this machine's adapter")
    assert worst < TOLERANCE
    differences = [abs(a - b) for a, b in zip(found, expected["full"])]
    print(f"compare   half precision changes them by {sum(differences) / len(differences):.1e} on average, {max(differences):.1e} at most")
    assert sum(differences) / len(differences) < 0.01
