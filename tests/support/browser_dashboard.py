#!/usr/bin/env python3
"""Shows the operator's dashboard in headless Chromium as on a phone, and says what it shows until it is killed.

    browser_dashboard.py URL PROFILE-FOLDER

A line for each change of what is seen, a JSON object: the text of the page ("text"), the line of the chart of published
entries ("chart"), how wide the page is and how wide the window ("width", "window"), how many elements a name could have
smuggled in ("foreign"), the errors of the page's script and its policy ("errors"), and the colours of the page's ground
where the browser asks for light and for dark ("grounds").
"""
import json
import sys

import browser

LOOK = """JSON.stringify({
  text: document.body.innerText,
  chart: document.querySelector('#tile-published path.first')?.getAttribute('d') ?? '',
  width: document.documentElement.scrollWidth,
  window: innerWidth,
  foreign: document.querySelectorAll('b, img, i').length,
  errors: window.errors ?? [],
})"""
WATCH_ERRORS = """window.errors = [];
addEventListener('error', (event) => window.errors.push(event.message));
addEventListener('securitypolicyviolation', (event) => window.errors.push(event.violatedDirective));"""


def main():
    url, profile = sys.argv[1:]
    page = browser.Browser(profile)
    page.ask("Page.enable")
    page.ask("Runtime.enable")
    page.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH_ERRORS)
    page.ask("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    page.show(url)
    grounds = []
    for scheme in "light", "dark":
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    last = None
    while True:
        # The next frame, so that a page that does not move costs nothing.
        page.evaluate("new Promise((done) => setTimeout(done, 100))")
        seen = json.loads(page.evaluate(LOOK))
        seen["grounds"] = grounds
        if seen != last:
            browser.say(json.dumps(seen))
        last = seen


if __name__ == "__main__":
    main()
