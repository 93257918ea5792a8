"""Measure: the figures of the adapter."""

import json
import time

from browser import TEXT, TOLERANCE


def use(browser):
    browser.click("nav a[href='#measure']")
    start = time.time()
    browser.click("#measure-start")
    state = TEXT.format("#measure-state")
    browser.until(f"/checked before|stopped/.test({state})", 900)
    assert "checked before" in browser.run(f"return {state}"), browser.run(f"return {state}")
    result = json.loads(browser.run("return document.querySelector('#measure-json').value"))
    for case in result["cases"]:
        print(f"measure   {case['name']}: {case['ms']:.0f} ms, {100 * case['share_of_roof']:.0f} % of {result['roof_gflops']:.0f} GFLOP/s")
        assert case["error"] < TOLERANCE and 0 < case["share_of_roof"] < 1.2, case
    print(f"measure   took {time.time() - start:.0f} s")
    browser.screenshot("measure")
