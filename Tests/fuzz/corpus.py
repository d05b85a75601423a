"""Writes the initial inputs of a fuzz target.

    corpus.py unpack TARGET FOLDER    writes them as files
    corpus.py pack TARGET FOLDER      keeps those of a folder in corpus/TARGET.found.hex

The target `frames` uses the frames of proto/vectors. The others have a file of hexadecimal digits,
corpus/TARGET.hex, with inputs of one or more lines, each after a line that begins with `#` and describes it.
Inputs that long runs found are in corpus/TARGET.found.hex, one per line.
"""

import hashlib
import json
import pathlib
import sys

here = pathlib.Path(__file__).parent


def frames():
    vectors = json.loads((here / "../../proto/vectors/joulebook.json").read_text())
    return [sender + bytes.fromhex(v["frame"]) for v in vectors for sender in (b"\0", b"\1")]


def written(text):
    found = [b""]
    for line in text.splitlines():
        if line.startswith("#"):
            found.append(b"")
        else:
            found[-1] += bytes.fromhex(line)
    return [one for one in found if one]


def unpack(target, folder):
    seeds = frames() if target == "frames" else written((here / f"corpus/{target}.hex").read_text())
    found = here / f"corpus/{target}.found.hex"
    if found.exists():
        seeds += [bytes.fromhex(line) for line in found.read_text().splitlines()]
    for seed in seeds:
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)


def pack(target, folder):
    inputs = sorted((one.read_bytes() for one in folder.iterdir()), key=lambda one: (len(one), one))
    lines = [one.hex() + "\n" for one in inputs if one]
    (here / f"corpus/{target}.found.hex").write_text("".join(lines))


command, target, folder = sys.argv[1:]
{"pack": pack, "unpack": unpack}[command](target, pathlib.Path(folder))
