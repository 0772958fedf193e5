#!/usr/bin/env python3
"""A second verifier, written from docs/AUDIT.md alone: prints "POSITION CHAIN" of the last archive page's end."""
import hashlib
import json
import sys
import urllib.request
from lxml import etree

LOG = "{urn:courant:log:1}"
FH = "{http://purl.org/syndication/history/1.0}"
ATOM = "{http://www.w3.org/2005/Atom}"
TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
ADDED = {ATOM + "link", ATOM + "content", "{http://www.w3.org/2007/app}edited"}


def get(url):
    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None
    try:
        return urllib.request.build_opener(NoRedirect).open(url).read()
    except urllib.error.HTTPError as error:
        if error.code == 303:
            return None
        raise


def show_nothing_else(element, mark):
    added = [(child.tag, child.get("rel")) for child in mark.itersiblings()]
    assert not len(mark) and not mark.text and not mark.tail, "text stands in or behind a c:log"
    assert len(set(added)) == len(added) and {tag for tag, _ in added} <= ADDED, "something stands behind a c:log"
    assert element.tag == ATOM + "entry" or not added, "something stands behind the c:log of a deleted-entry"
    assert not any(child.tail for child in mark.itersiblings()), "text stands behind a c:log"
    if mark.get("redacted") is not None:
        assert element.tag == TOMBSTONE and len(element) == 1 and not element.text, "a redacted entry shows more"


def leaf_of(element, mark):
    salt = bytes.fromhex(mark.get("salt"))
    children = list(element)
    for child in children[children.index(mark):]:
        element.remove(child)
    return hashlib.sha256(salt + etree.tostring(element, method="c14n", exclusive=True, with_comments=True)).digest()


def main(feed):
    index = json.loads(get(feed + "/archive"))
    chain, position = bytes.fromhex(index["floor"]["chain"]), index["floor"]["position"]
    url = index["pages"][0]["url"] if index["pages"] else feed + "/archive/1"
    while (body := get(url)) is not None:
        page = etree.fromstring(body)
        assert page.find(FH + "archive") is not None, url + " is no archive document"
        marked = {}
        for element in page:
            if element.tag in (ATOM + "entry", TOMBSTONE):
                mark = element.findall(LOG + "log")[-1:]
                assert mark, f"an element {element.tag} carries no c:log"
                show_nothing_else(element, mark[0])
                assert int(mark[0].get("position")) not in marked, "a position stands there twice"
                marked[int(mark[0].get("position"))] = (element, mark[0])
        for number in sorted(marked):
            element, mark = marked[number]
            element.tail = None
            assert number == position + 1, f"position {position + 1} is missing"
            leaf = bytes.fromhex(mark.get("leaf"))
            if mark.get("redacted") is None:
                assert leaf_of(element, mark) == leaf, f"position {number} is not what its leaf was made of"
            chain, position = hashlib.sha256(chain + leaf).digest(), number
        end = page.find(LOG + "chain")
        assert (int(end.get("position")), end.get("value")) == (position, chain.hex()), url + ": another chain value"
        url = [link.get("href") for link in page.findall(ATOM + "link") if link.get("rel") == "next-archive"][0]
    print(position, chain.hex())


main(sys.argv[1])
