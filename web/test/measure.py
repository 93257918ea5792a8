"""Measure: the figures of the adapter."""

import json
import time

from browser import TEXT, TOLERANCE

STATE = TEXT.format("#measure-state")
JSON = "document.querySelector('#measure-json').value"


def use(browser):
    browser.click("nav a[href='#measure']")
    browser.until("document.querySelector('#measure-start').offsetParent", 60)
    stop(browser)
    start = time.time()
    browser.click("#measure-start")
    browser.until(f"/checked before|Stopped/.test({STATE})", 900)
    state = browser.run(f"return {STATE}")
    assert state.startswith("Every result"), state
    result = json.loads(browser.run(f"return {JSON}"))
    print(f"measure   {browser.name} took {time.time() - start:.0f} s")
    rows(result)
    operations([row for row in result["rows"] if row["group"] in ("step", "operation", "sum")])
    drawing(browser, result)
    copy(browser)


def stop(browser):
    """A measurement stops between two rows, and keeps those that it has."""
    browser.click("#measure-start")
    browser.until("document.querySelectorAll('#measured td').length")
    browser.click("#measure-stop")
    browser.until(f"{STATE}.startsWith('Stopped.')")
    kept = json.loads(browser.run(f"return {JSON}"))
    assert 1 <= len(kept["rows"]) < 9, kept


def rows(result):
    """Every row that was computed has a small error, and those that were timed a share of their roof."""
    roof, lab = result["roof_gflops"], [row for row in result["rows"] if row["group"] == "lab"]
    assert result["adapter"] and "Mozilla" in result["browser"] and roof > 1 and result["copy_gbytes"] > 0.1, result
    assert len(lab) == 5 and sum(row["group"] == "product" for row in result["rows"]) == 3
    for row in result["rows"]:
        if row["group"] in ("roof", "sum"):
            continue
        if row["group"] == "lab" and "ms" not in row:
            assert "needs subgroup operations" in row["note"], row
            continue
        assert row["error"] < TOLERANCE, row
        # Data in a cache come faster than those of the copy.
        if "ms" in row:
            limit = 1.2 if row["limit"] == "arithmetic" else 50
            assert row["ms"] >= 0 and 0 < row["share"] < limit, row
        if row["group"] != "operation":
            print(f"measure   {row['name']}: {row.get('ms', 0):.2f} ms, {100 * row.get('share', 0):.1f} % of its roof, error {row['error']:.0e}")
    if "ms" in lab[4]:
        ratio = lab[0]["ms"] / lab[4]["ms"]
        assert ratio > 2, f"the last step of the lab is only {ratio:.1f} times as fast as the first"


def operations(rows):
    """The calls of a step, timed one by one, take together about as long as the step."""
    [total] = [row["ms"] for row in rows if row["group"] == "sum"]
    timed = [row for row in rows if row["group"] == "operation"]
    assert len(timed) > 50 and sum(row["calls"] for row in timed) > 200, len(timed)
    assert abs(sum(row["calls"] * row["ms"] for row in timed) / total - 1) < 0.01
    checks = [row for row in rows if row["name"].startswith("check of")]
    assert len(checks) == 2 and "compared with f64 on the same operands: all of them" in checks[0]["note"], checks
    [whole] = [row["ms"] for row in rows if row["name"] == "training step, w = 8, batch 16"]
    print(f"measure   {len(timed)} operations take {total:.0f} ms, the step {whole:.0f} ms")
    # Others may use the machine meanwhile.
    assert 0.4 < total / whole < 2.5, (total, whole)


def drawing(browser, result):
    """The drawing has a point for each row with calls, and is as wide as there is room for."""
    points = browser.run("return document.querySelectorAll('#roofline circle').length")
    assert points == sum("calls" in row for row in result["rows"]), points
    lines = browser.run("return [...document.querySelectorAll('[data-group=operation] td:first-child')].length")
    assert lines == sum(row["group"] == "operation" for row in result["rows"]) + 1, lines
    browser.run("document.querySelector('#measure').scrollIntoView()")
    browser.screenshot("measure")
    browser.run("document.querySelector('#roofline').scrollIntoView({block: 'center'})")
    browser.run("document.querySelector('[data-group=product] tr:last-child').click()")
    assert "% of its roof" in browser.run("return " + TEXT.format("#roofline-point"))
    browser.screenshot("measure-roofline")
    wide = browser.run("return document.documentElement.scrollWidth")
    assert wide <= browser.width, f"the page is {wide} pixels wide"


def copy(browser):
    """The button copies, or selects the text."""
    browser.click("#measure-copy")
    box = "document.querySelector('#measure-json')"
    selected = f"{box}.selectionStart === 0 && {box}.selectionEnd === {JSON}.length"
    browser.until(f"{TEXT.format('#measure-copy')} === 'Copied' || {selected}")
