"""Compares the output of tshark with the dissector with known values.

    dissect.py DISSECTOR VECTORS CAPTURE FOLDER

The golden vectors of all messages are sent in segments that end inside frames; the dissection must show all of
their values. In the capture of a real conversation every frame must be a named message, without malformed
frames and errors of the dissector.
"""

import json
import random
import re
import struct
import subprocess
import sys
import xml.etree.ElementTree as xml

from pcap import FILE_HEADER, Conversation


def dissect(dissector, path):
    """All messages of a capture: the name, and the fields as (name, show, showname)."""
    run = subprocess.run(
        ["tshark", "-X", f"lua_script:{dissector}", "-r", path, "-T", "pdml"],
        capture_output=True, text=True, check=True)
    assert "Lua" not in run.stderr, run.stderr
    for fault in ("Lua Error", "_ws.malformed"):
        assert fault not in run.stdout, f"{fault} in {path}"
    messages = []
    for proto in xml.fromstring(run.stdout).iter("proto"):
        if proto.get("name") == "joulebook":
            fields = [(f.get("name"), f.get("show"), f.get("showname") or "")
                      for f in proto.iter("field")]
            messages.append(((proto.get("showname") or "").replace("Joulebook ", ""), fields))
    return messages


def shown(value, field, fields):
    """Whether `field` shows `value` of the vector."""
    name, show, words = field
    if isinstance(value, list):
        bits = [(n, s) for n, s, _ in fields if n.startswith(name + "_")]
        return {n[len(name) + 1:] for n, s in bits if s in ("1", "True")} == set(value)
    if isinstance(value, dict) and len(value) > 1:
        expected = struct.pack(f"<{len(value)}Q", *value.values())
        return bytes.fromhex(show.replace(":", "")) == expected
    if isinstance(value, dict):
        return int(show) == next(iter(value.values()))
    if value is None:
        return words.endswith("(null)")
    if isinstance(value, int):
        return int(show, 0) == value
    return show == value or f": {value} (" in words


def check_vectors(dissector, vectors, folder):
    """Writes all vectors to one stream and compares their dissection."""
    path = f"{folder}/vectors.pcap"
    stream = b"".join(bytes.fromhex(v["frame"]) for v in vectors)
    dice, start = random.Random(1), 0
    with open(path, "wb") as file:
        file.write(FILE_HEADER)
        conversation = Conversation(file, 40_000, 9_100)
        while start < len(stream):
            size = dice.randint(60, 900)
            conversation.say(0, stream[start:start + size])
            start += size
    found = dissect(dissector, path)
    assert len(found) == len(vectors), f"{len(found)} messages of {len(vectors)}"
    values = 0
    for (name, fields), vector in zip(found, vectors):
        assert name == vector["message"], f"{name} in place of {vector['message']}"
        entries = [v for v in vector["values"].values()
                   if isinstance(v, list) and v and isinstance(v[0], dict)]
        for key, value in [*vector["values"].items(),
                           *(pair for group in entries for entry in group
                             for pair in entry.items())]:
            if key.startswith("reserved") or (isinstance(value, list) and value in entries):
                continue
            if isinstance(value, list) and key == "levels" or value == [] and key == "blockers":
                continue
            known = [f for f in fields
                     if re.fullmatch(rf"joulebook\.{key}(_[A-Z]\w*)?", f[0])]
            assert any(shown(value, f, fields) for f in known), (
                f"{name} {vector['variant']}: {key} is {value}, shown as {known}")
            values += 1
    return len(found), values


def check_capture(dissector, path):
    """Checks the dissection of a captured conversation."""
    found = [name for name, _ in dissect(dissector, path)]
    for name in ("Challenge", "Negotiate", "NegotiationResponse", "Establish", "EstablishmentAck", "NewOrder",
                 "Accepted", "MeterReading", "Trade", "BalanceUpdate", "Terminate"):
        assert name in found, f"no {name} in the capture"
    assert all(re.fullmatch(r"[A-Z]\w+", name) for name in found), found
    return len(found)


def main(dissector, vectors_path, capture, folder):
    with open(vectors_path) as file:
        vectors = json.load(file)
    messages, values = check_vectors(dissector, vectors, folder)
    print(f"{messages} vectors with {values} values, {check_capture(dissector, capture)} captured")


main(*sys.argv[1:5])
