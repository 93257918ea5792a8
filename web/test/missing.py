"""A browser without WebGPU: it is said, and recorded pictures take the place of the views."""

from browser import TEXT


def use(browser, address):
    browser.open(address)
    browser.until("document.querySelector('#status').classList.contains('failed')")
    told = browser.run(f"return {TEXT.format('#status-text')}")
    assert "Chrome and Edge" in told and "Firefox" in told, told
    views = browser.run("return Array.from(document.querySelectorAll('nav a'), link => link.hash.slice(1))")
    assert len(views) >= 4, views
    for view in views:
        browser.click(f"nav a[href='#{view}']")
        picture = f"document.querySelector('#{view} img.recorded')"
        browser.until(f"{picture}?.complete && {picture}.offsetWidth > 300")
        assert browser.run(f"return {picture}.naturalWidth") > 600, f"there is no recorded picture of {view}"
        assert "recording" in browser.run(f"return {TEXT.format(f'#{view} figcaption')}")
        browser.screenshot(f"missing-{view}")
    print(f"missing   {browser.name}: {len(views)} recorded pictures")
