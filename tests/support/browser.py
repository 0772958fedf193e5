#!/usr/bin/env python3
"""Shows a page of a feed in headless Chromium, then follows the feed's events there, until it is killed.

    browser.py URL-OF-FEED PROFILE-FOLDER

What the browser sees is printed, a line each: "title ...", "protocol h2", "policy ..." (whether the page's own policy
lets another script run than its own), "following", then "event ID" for each event. Chromium is driven by its DevTools protocol over
two pipes: commands and events are JSON, each ended by a NUL.
"""
import fcntl
import json
import os
import subprocess
import sys

OPEN_SOURCE = """new Promise((done) => {
  const source = new EventSource(location.pathname + '?format=events');
  source.addEventListener('entry', (event) => report(event.lastEventId));
  source.onopen = () => done('following');
  source.onerror = () => source.readyState === EventSource.CLOSED && done('refused');
})"""

RUN_ANOTHER = """new Promise((done) => {
  addEventListener('securitypolicyviolation', () => done('refused'));
  const script = document.createElement('script');
  try { script.src = '/-/live.js?another'; } catch (refused) { done('refused'); }
  script.onload = () => done('let it run');
  document.head.append(script);
})"""


class Browser:
    def __init__(self, profile):
        commands, self._commands = os.pipe()
        self._events, events = os.pipe()

        def connect():
            # Chromium reads commands from 3 and writes to 4; what stands there may be needed for the other.
            commands_away, events_away = (fcntl.fcntl(end, fcntl.F_DUPFD, 100) for end in (commands, events))
            os.dup2(commands_away, 3)
            os.dup2(events_away, 4)

        self._process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--ignore-certificate-errors", "--remote-debugging-pipe", "--user-data-dir=" + profile, "about:blank"],
            preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL, stderr=open(profile + ".log", "w"))
        self._log = profile + ".log"
        os.close(commands)
        os.close(events)
        self._session = None
        self._last = 0
        self._unread = b""
        self._loaded = 0  # pages so far
        page = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]

    def next(self):
        while b"\0" not in self._unread:
            piece = os.read(self._events, 65536)
            if not piece:
                sys.exit(f"chromium has ended ({self._process.wait()}):\n" + open(self._log).read()[-2000:])
            self._unread += piece
        message, self._unread = self._unread.split(b"\0", 1)
        message = json.loads(message)
        if message.get("method") == "Runtime.bindingCalled":
            say("event", message["params"]["payload"])
        if message.get("method") == "Page.loadEventFired":
            self._loaded += 1
        return message

    def ask(self, method, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self._last:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]

    def show(self, url):
        before = self._loaded  # it may be there before the answer
        self.ask("Page.navigate", url=url)
        while self._loaded == before:
            self.next()

    def evaluate(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return result["result"].get("value")


def say(*words):
    print(*words, flush=True)


def main():
    url, profile = sys.argv[1:]
    browser = Browser(profile)
    browser.ask("Page.enable")
    browser.ask("Runtime.enable")
    browser.ask("Runtime.addBinding", name="report")
    browser.show(url)
    say("title", browser.evaluate("document.title + ': ' + document.querySelector('article h2').textContent"))
    say("protocol", browser.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol"))
    say("policy", browser.evaluate(RUN_ANOTHER))
    say(browser.evaluate(OPEN_SOURCE))
    while True:
        browser.next()


if __name__ == "__main__":
    main()
