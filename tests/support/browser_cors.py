#!/usr/bin/env python3
"""Reads a feed from web pages of other origins in headless Chromium, and says what their scripts were let see.

    browser_cors.py PORT FEED-URL PRIVATE-FEED-URL TOKEN PROFILE-FOLDER

The pages are served here: http://127.0.0.1:PORT and http://localhost:PORT, which are two origins to a browser. A line
for each thing that a page tries: its host, what it tried, and what came of it; "TypeError" is what fetch() throws where
the browser lets the page see nothing.
"""
import http.server
import json
import sys
import threading

import browser

FETCH = """(async (url, options) => {
  try {
    const answer = await fetch(url, options);
    const text = await answer.text();
    const seen = ['ETag', 'Feed-Position', 'Link', 'WWW-Authenticate'].filter((name) => answer.headers.has(name));
    return [answer.status, ...seen, text.startsWith('{') ? JSON.parse(text).title : text.slice(0, 5)].join(' ').trim();
  } catch (error) {
    return error.name;
  }
})(%s, %s)"""

FOLLOW = """new Promise((done) => {
  const source = new EventSource(%s);
  source.addEventListener('entry', (event) => { source.close(); done('entry ' + event.lastEventId); });
  source.onerror = () => { source.close(); done('refused'); };
})"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!DOCTYPE html><title>a page of another origin</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    port, feed, private, token, profile = sys.argv[1:]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.Browser(profile)
    page.ask("Page.enable")
    page.ask("Runtime.enable")
    entry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>"
    bearer = {"Authorization": "Bearer " + token}
    for host in "127.0.0.1", "localhost":
        page.show(f"http://{host}:{port}/")

        def fetch(what, url, **options):
            browser.say(host, what, page.evaluate(FETCH % (json.dumps(url), json.dumps(options))))

        fetch("get", feed)
        # Its cache gives what it keeps to the page that it was answered to, and to no other.
        fetch("get again", feed)
        fetch("conditional get", feed, headers={"If-None-Match": '"none"', "Prefer": "return=minimal"})
        fetch("head", feed, method="HEAD")
        fetch("what is not there", feed + "/entries/urn:x:none")
        fetch("private", private, headers=bearer)
        fetch("private without token", private)
        fetch("private with a wrong token", private, headers={"Authorization": "Bearer crt_wrong"})
        fetch("put", feed + "/entries/urn:x:1", method="PUT", body=entry, headers=bearer)
        fetch("post", feed, method="POST", body=entry)
        follow = FOLLOW % json.dumps(feed + "?format=events&lastEventId=0")
        browser.say(host, "events", page.evaluate(follow))


if __name__ == "__main__":
    main()
