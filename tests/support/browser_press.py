#!/usr/bin/env python3
"""Shows a page in headless Chromium, presses one of its buttons, and prints the heading of the page that comes.

    browser_press.py URL PROFILE-FOLDER VALUE-OF-BUTTON
"""
import sys

from browser import Browser, say


def main():
    url, profile, button = sys.argv[1:]
    browser = Browser(profile)
    browser.ask("Page.enable")
    browser.show(url)
    browser.ask("Runtime.evaluate", expression=f"document.querySelector('button[value={button}]').click()")
    while browser.next().get("method") != "Page.loadEventFired":
        pass
    say("heading", browser.evaluate("document.querySelector('h1').textContent"))


if __name__ == "__main__":
    main()
