#!/usr/bin/env python3
"""Shows pages in headless Chromium: wide and on a phone, light and dark; says what it finds there.

    browser_pages.py PROFILE-FOLDER NAME=URL...

A line for each showing, a JSON object: "name", "size" (wide, phone), "scheme" (light, dark), "title", how wide the page
is and how wide the window ("width", "window"), its ground's colour ("ground"), how often a script of somebody else has
run ("ran"), what stands there that no page of ours has ("foreign"), what was loaded ("loaded": paths of this server,
whole addresses of others), and what the page's own policy refused or its scripts threw ("errors"). Each page is shown
once more without its policy ("size": "unguarded"): then nothing but the sanitiser stands between an entry and a reader.

Where COURANT_SCREENSHOTS names a folder, a picture of each is written there: NAME-wide-light.png.

    browser_pages.py PROFILE-FOLDER --follow URL

A line for each change of what the page shows: "titles", a list, and "live", whether it says that it follows its feed.
"""
import base64
import json
import os
import pathlib
import sys

import browser

WATCH = """window.ran = 0; window.errors = [];
for (const name of ['hit', 'alert', 'confirm', 'prompt']) window[name] = () => { window.ran += 1; };
addEventListener('error', (event) => window.errors.push(event.message || 'a file'), true);
addEventListener('securitypolicyviolation', (event) =>
  window.errors.push(event.violatedDirective + ' ' + event.blockedURI));"""
LOOK = """(() => {
  const main = document.querySelector('main');
  const errors = [...window.errors];
  for (const element of main.querySelectorAll('*')) {
    for (const kind of ['mouseover', 'pointerenter', 'focus', 'animationstart', 'toggle', 'error', 'load']) {
      element.dispatchEvent(new Event(kind));
    }
  }
  const foreign = [];
  for (const element of main.querySelectorAll('*')) {
    const name = element.localName;
    if (/^(script|style|link|meta|base|img|image|svg|math|iframe|frame|object|embed|video|audio|source|textarea|template|title)$/.test(name)) foreign.push(name);
    for (const attribute of element.attributes) {
      if (/^on|^style$|^src|^name$|^formaction$/.test(attribute.name) && !element.closest('form')) foreign.push(name + ' ' + attribute.name);
      if (attribute.name === 'href' && !/^(https?:|mailto:)/.test(element.href)) foreign.push(name + ' ' + attribute.value);
    }
    if (element.closest('.content') !== null && element.id) foreign.push('#' + element.id);
  }
  return JSON.stringify({
    title: document.title,
    width: document.documentElement.scrollWidth,
    window: innerWidth,
    ground: getComputedStyle(document.body).backgroundColor,
    ran: window.ran,
    foreign: [...new Set(foreign)],
    loaded: performance.getEntriesByType('resource').map((entry) => entry.name.replace(location.origin, '').split('?')[0]),
    errors,
  });
})()"""
FOLLOW = """JSON.stringify({
  titles: Array.from(document.querySelectorAll('article h2'), (title) => title.textContent),
  live: !document.getElementById('live').hidden,
})"""
SIZES = {"wide": (1200, 900, False), "phone": (390, 844, True)}


def open_page(profile):
    page = browser.Browser(profile)
    page.ask("Page.enable")
    page.ask("Runtime.enable")
    page.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    return page


def look(page, name, url, size, scheme):
    width, height, is_phone = SIZES.get(size, SIZES["wide"])
    page.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=is_phone)
    page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.show(url)
    # What runs late has had its chance, and charts have their first points.
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    return {"name": name, "size": size, "scheme": scheme, **json.loads(page.evaluate(LOOK))}


def picture(page, folder, name):
    page.ask("Emulation.setScrollbarsHidden", hidden=True)
    data = page.ask("Page.captureScreenshot", format="png")["data"]
    page.ask("Emulation.setScrollbarsHidden", hidden=False)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.png").write_bytes(base64.b64decode(data))


def show_all(profile, named):
    page = open_page(profile)
    folder = os.environ.get("COURANT_SCREENSHOTS")
    for name, url in named:
        for size in SIZES:
            for scheme in "light", "dark":
                browser.say(json.dumps(look(page, name, url, size, scheme)))
                if folder:
                    picture(page, pathlib.Path(folder), f"{name}-{size}-{scheme}")
    page.ask("Page.setBypassCSP", enabled=True)
    for name, url in named:
        browser.say(json.dumps(look(page, name, url, "unguarded", "light")))
    browser.say("all shown")


def follow(profile, url):
    page = open_page(profile)
    page.show(url)
    last = None
    while True:
        page.evaluate("new Promise((done) => setTimeout(done, 50))")
        seen = page.evaluate(FOLLOW)
        if seen != last:
            browser.say(seen)
        last = seen


if __name__ == "__main__":
    if sys.argv[2] == "--follow":
        follow(sys.argv[1], sys.argv[3])
    else:
        show_all(sys.argv[1], [argument.split("=", 1) for argument in sys.argv[2:]])
