#!/usr/bin/env python3
"""What feed readers make of a feed of ours; the programs are those of Debian's packages python3-feedparser and newsboat.

    feed_readers.py feedparser URL [ETAG]     one look: status, entity tag, feed, links and entries, as JSON
    feed_readers.py walk URL                  the head and all archive pages behind it (RFC 5005 section 4): the ids, as JSON
    feed_readers.py newsboat FOLDER URL       one reload by a newsboat that lives in FOLDER: its articles, as JSON
    feed_readers.py read FOLDER               marks all that this newsboat has as read
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys


def look(url, etag=None):
    import feedparser
    seen = feedparser.parse(url, etag=etag)
    return {
        "status": seen.get("status"),
        "etag": seen.get("etag"),
        "bozo": bool(seen.bozo),
        "version": seen.get("version"),
        "title": seen.feed.get("title"),
        "links": {link["rel"]: link["href"] for link in seen.feed.get("links", [])},
        "entries": [{
            "id": entry.get("id"),
            "title": entry.get("title"),
            "link": entry.get("link"),
            "author": entry.get("author"),
            "updated": list(entry.updated_parsed[:6]) if entry.get("updated_parsed") else None,
            "published": list(entry.published_parsed[:6]) if entry.get("published_parsed") else None,
            "tags": [tag["term"] for tag in entry.get("tags", [])],
            "content": [{"type": piece["type"], "value": piece["value"]} for piece in entry.get("content", [])],
            "summary": entry.get("summary"),
            "enclosures": [piece["href"] for piece in entry.get("enclosures", [])],
        } for entry in seen.entries],
    }


def walk(url):
    ids = []
    while url:
        seen = look(url)
        ids += [entry["id"] for entry in seen["entries"] if entry["id"] not in ids]
        url = seen["links"].get("prev-archive")
    return ids


def newsboat(folder, url):
    home = pathlib.Path(folder)
    home.mkdir(parents=True, exist_ok=True)
    (home / "urls").write_text(url + "\n")
    (home / "config").write_text("error-log " + str(home / "errors.log") + "\n")
    command = ["newsboat", "-u", str(home / "urls"), "-c", str(home / "cache.db"), "-C", str(home / "config"), "-x", "reload"]
    done = subprocess.run(command, env={**os.environ, "HOME": str(home), "TERM": "dumb"}, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"newsboat: {done.returncode}\n{done.stdout}{done.stderr}")
    with sqlite3.connect(home / "cache.db") as cache:
        feeds = cache.execute("select title, etag from rss_feed").fetchall()
        items = cache.execute("select guid, title, author, url, pubDate, content, unread from rss_item "
                              "where deleted = 0 order by pubDate desc, id desc").fetchall()
    names = ("id", "title", "author", "link", "date", "content", "unread")
    return {"title": feeds[0][0], "etag": feeds[0][1], "entries": [dict(zip(names, item)) for item in items]}


def read(folder):
    with sqlite3.connect(pathlib.Path(folder) / "cache.db") as cache:
        cache.execute("update rss_item set unread = 0")
    return {}


if __name__ == "__main__":
    print(json.dumps({"feedparser": look, "walk": walk, "newsboat": newsboat, "read": read}[sys.argv[1]](*sys.argv[2:])))
