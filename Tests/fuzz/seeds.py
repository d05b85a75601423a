"""Writes the seeds of a fuzz target as files: seeds.py TARGET FOLDER

Frames are those of proto/vectors; other targets have a file of hex, an input over one or more lines, each
input after a line that begins with `#` and tells what it is.
"""

import json
import pathlib
import sys

target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
here = pathlib.Path(__file__).parent


def frames():
    vectors = json.loads((here / "../../proto/vectors/joulebook.json").read_text())
    return [sender + bytes.fromhex(v["frame"]) for v in vectors for sender in (b"\0", b"\1")]


def inputs(text):
    found = [b""]
    for line in text.splitlines():
        if line.startswith("#"):
            found.append(b"")
        else:
            found[-1] += bytes.fromhex(line)
    return [one for one in found if one]


seeds = frames() if target == "frames" else inputs((here / f"corpus/{target}.hex").read_text())
for number, seed in enumerate(seeds):
    (folder / f"seed-{number:03}").write_bytes(seed)
