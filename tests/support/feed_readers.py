#!/usr/bin/env python3
"""What feed readers make of a feed of ours; the programs are those of Debian's packages python3-feedparser, newsboat and liferea.

    feed_readers.py feedparser URL [ETAG]     one look: status, entity tag, feed, links and entries, as JSON
    feed_readers.py walk URL                  the head and all archive pages behind it (RFC 5005 section 4): the ids, as JSON
    feed_readers.py newsboat FOLDER URL       one reload by a newsboat that lives in FOLDER: its articles, as JSON
    feed_readers.py read FOLDER               marks all that this newsboat has as read
    feed_readers.py liferea FOLDER URL COUNT  a liferea that lives in FOLDER subscribes, or looks again, until it has so many articles: these, as JSON
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time


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


def liferea(folder, url, count):
    """Liferea fetches while its window is open: it gets a display and a session bus of its own."""
    home = pathlib.Path(folder)
    config = home / "config" / "liferea"
    if not config.exists():
        config.mkdir(parents=True)
        # Without a list it would begin with feeds of others.
        (config / "feedlist.opml").write_text('<opml version="1.0"><head><title>Feeds</title></head><body/></opml>\n')
    runtime = home / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    read_end, write_end = os.pipe()
    display = subprocess.Popen(["Xvfb", "-displayfd", str(write_end), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
                               pass_fds=[write_end], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write_end)
    try:
        number = os.read(read_end, 16).decode().strip()
        if not number:
            sys.exit("Xvfb does not start")
        places = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "XDG_DATA_HOME": home / "data",
                  "XDG_CACHE_HOME": home / "cache", "XDG_RUNTIME_DIR": runtime}
        environment = {**os.environ, **{name: str(place) for name, place in places.items()}, "DISPLAY": ":" + number,
                       "GSETTINGS_BACKEND": "memory", "NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11",
                       "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}  # tests run as root, too
        command = ["dbus-run-session", "--", sys.executable, __file__, "liferea-inside", folder, url, count]
        # A file and no pipe: what the bus has started may outlive it, and would keep a pipe open.
        said = home / "session.log"
        done = subprocess.run(command, env=environment, stdout=said.open("w"), stderr=subprocess.STDOUT)
        if done.returncode != 0:
            sys.exit(f"liferea: {done.returncode}\n{said.read_text(errors='replace')}")
        return json.loads((home / "articles.json").read_text())
    finally:
        display.terminate()
        display.wait()


def liferea_inside(folder, url, count):
    def tell(*words):
        return subprocess.run(["dbus-send", "--session", "--print-reply", "--dest=org.gnome.feed.Reader",
                               "/org/gnome/feed/Reader", "org.gnome.feed.Reader." + words[0], *words[1:]],
                              capture_output=True).returncode == 0

    def until(is_so, what):
        give_up = time.monotonic() + 90
        while not is_so():
            if time.monotonic() > give_up or program.poll() is not None:
                sys.exit(f"{what} did not come about: " + log.read_text(errors="replace")[-3000:])
            time.sleep(0.1)

    def stored(query):
        with sqlite3.connect(f"file:{folder}/data/liferea/liferea.db?mode=ro", uri=True) as data:
            return data.execute(query).fetchall()

    log = pathlib.Path(folder) / "liferea.log"
    program = subprocess.Popen(["liferea", "--debug-update"], stdout=log.open("w"), stderr=subprocess.STDOUT)
    try:
        until(lambda: tell("Ping"), "an answer of liferea")
        tell("SetOnline", "boolean:true")
        is_known = any(url == source for (source,) in stored("select source from subscription"))
        tell("Refresh") if is_known else tell("Subscribe", "string:" + url)
        until(lambda: stored("select count(*) from items")[0][0] >= int(count), f"an article no. {count}")
    finally:
        # Its menu's way to end: on a signal it does what no signal handler may, and hangs now and then.
        subprocess.run(["gdbus", "call", "--session", "--dest", "net.sourceforge.liferea", "--object-path",
                        "/net/sourceforge/liferea", "--method", "org.gtk.Actions.Activate", "quit", "[]", "{}"])
        try:
            program.wait(timeout=60)
        except subprocess.TimeoutExpired:
            program.kill()
            sys.exit("liferea does not end")
    names = ("id", "title", "content", "date", "unread")
    rows = stored("select source_id, title, description, date, 1 - read from items order by date desc, item_id desc")
    # Not to the standard output: whatever the bus starts writes there as well.
    (pathlib.Path(folder) / "articles.json").write_text(json.dumps({"entries": [dict(zip(names, row)) for row in rows]}))


if __name__ == "__main__":
    ways = {"feedparser": look, "walk": walk, "newsboat": newsboat, "read": read, "liferea": liferea,
            "liferea-inside": liferea_inside}
    print(json.dumps(ways[sys.argv[1]](*sys.argv[2:])))
