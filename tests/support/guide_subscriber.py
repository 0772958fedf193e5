#!/usr/bin/env python3
"""Runs the subscriber that docs/SUBSCRIBERS.md shows, as it stands there but for the ports.

    guide_subscriber.py GUIDE SIGNATURE SERVER-PORT CALLBACK-PORT

SIGNATURE: "X-Hub-Signature" or "webhook-signature", which of its checks is taken. The subscriber believes to stand at the
position 0, so that it has a gap to heal.
"""
import re
import sys
import textwrap


def blocks(text):
    block = []
    for line in text.split("\n") + ["end"]:
        if line.startswith("    ") or (not line and block):
            block.append(line)
        elif block:
            yield textwrap.dedent("\n".join(block))
            block = []


def main():
    guide, signature, server, callback = sys.argv[1:]
    checks = {"X-Hub-Signature", "webhook-signature"} - {signature}
    parts = [block for block in blocks(open(guide).read()) if re.match(r"import |def |http\.server", block)
             and not any(f'headers.get("{other}"' in block for other in checks)]
    # What is to stand at the end of the file.
    program = "\n".join(sorted(parts, key=lambda block: block.startswith("http.server")))
    program = program.replace(":8080", ":" + server).replace("9999", callback)
    exec(compile(program.replace("place = None", "place = 0"), guide, "exec"), {})


if __name__ == "__main__":
    main()
