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


def dissect(dissector, path, faults=False):
    """All messages of a capture: the name, and the fields as (name, show, showname)."""
    run = subprocess.run(
        ["tshark", "-X", f"lua_script:{dissector}", "-r", path, "-T", "pdml"],
        capture_output=True, text=True, check=True)
    assert "Lua" not in run.stderr, run.stderr
    for fault in ("Lua Error", *([] if faults else ["_ws.malformed", "joulebook.fault"])):
        assert fault not in run.stdout, f"{fault} in {path}"
    messages = []
    for packet in xml.fromstring(run.stdout).iter("packet"):
        stream = next(f.get("show") for f in packet.iter("field") if f.get("name") == "tcp.stream")
        for proto in packet.iter("proto"):
            if proto.get("name") == "joulebook":
                fields = [("stream", stream, "")]
                fields += [(f.get("name"), f.get("show"), f.get("showname") or "") for f in proto.iter("field")]
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


def check_faults(dissector, vectors, folder):
    """Each wrong frame has a mark that says what is wrong, and the frames around it are shown."""
    frames = {v["message"]: bytes.fromhex(v["frame"]) for v in reversed(vectors)}
    order, levels, alone = frames["NewOrder"], frames["LevelSnapshot"], frames["NewOrderExtended"]

    def changed(frame, offset, value):
        return frame[:offset] + struct.pack("<H", value) + frame[offset + 2:]

    group = 12 + struct.unpack_from("<H", levels, 4)[0]
    # Bytes on the wire, the mark, the text of the message that is marked, and words of the mark.
    cases = [
        (changed(order, 2, 0x5BE0), "encoding", "64 bytes that are no frame", "0xEB50"),
        (changed(order, 0, 8), "length", "64 bytes that are no frame", "length is 8"),
        (changed(order, 0, 61), "length", "64 bytes that are no frame", "length is 61"),
        (changed(order, 0, 128), "length", "NewOrder", "another frame begins after 64 bytes"),
        (changed(order, 4, 53), "block", "NewOrder", "does not fit"),
        (changed(order, 4, 50), "block", "NewOrder", "ends inside a field"),
        (changed(alone, 4, 72), "block", "NewOrderExtended", "ends inside a field"),
        (changed(order, 6, 999), "template", "template 999", ""),
        (changed(order, 8, 1), "schema", "template 20", ""),
        (changed(order, 10, 99), "version", "NewOrder", "Version 99"),
        (changed(levels, group + 2, 900), "count", "LevelSnapshot", "900 levels"),
        (changed(levels, group, 8), "count", "LevelSnapshot", "of 8 bytes"),
        (order[:60] + bytes([9]) + order[61:], "value", "NewOrder", ""),
        (b"GET / HTTP/1.1\r\n\r\n", "bytes", "18 bytes that are no frame", ""),
        (b"\x40", "bytes", "1 bytes that are no frame", ""),
        (b"\x50\xeb\x40\x00\x50\xeb" * 5, "", "bytes that are no frame", ""),
    ]
    path = f"{folder}/faults.pcap"
    for size in (1_400, 37):
        with open(path, "wb") as file:
            file.write(FILE_HEADER)
            for number, (wrong, *_) in enumerate(cases):
                conversation = Conversation(file, 41_000 + number, 9_100)
                stream = order + wrong + frames["Cancel"] + order
                for start in range(0, len(stream), size):
                    conversation.say(0, stream[start:start + size])
        found = dissect(dissector, path, faults=True)
        for number, case in enumerate(cases):
            shown = [(name, fields) for name, fields in found if fields[0][1] == str(number)]
            names = [name for name, _ in shown]
            assert names[0] == "NewOrder" and names[-2:] == ["Cancel", "NewOrder"], names
            if size > 1_000:
                check_mark(shown[1:-2], *case[1:])
    return len(cases)


def check_mark(shown, mark, text, words):
    """What lies between the right frames is `text`, and has the mark with these words."""
    name, fields = shown[0]
    assert text in name, f"{name} in place of {text}"
    assert all("no frame" in name for name, _ in shown[1:]), shown
    marks = [name for name, _, _ in fields if name.startswith("joulebook.fault.")]
    assert not mark or f"joulebook.fault.{mark}" in marks, f"{mark}: {marks} of {name}"
    said = " ".join(show for name, show, _ in fields if name == "_ws.expert.message")
    assert words in said, f"{words} is not in {said}"


def check_codes(dissector, vectors, folder):
    """A reject code is shown with its name."""
    frame = bytearray(next(bytes.fromhex(v["frame"]) for v in vectors if v["message"] == "Terminate"))
    frame[28:30] = struct.pack("<H", 9003)
    path = f"{folder}/codes.pcap"
    with open(path, "wb") as file:
        file.write(FILE_HEADER)
        Conversation(file, 42_000, 9_100).say(1, bytes(frame))
    [(_, fields)] = dissect(dissector, path, faults=True)
    [words] = [words for name, _, words in fields if name == "joulebook.code"]
    assert re.search(r"[a-z]\w+ \(9003\)", words), words


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
    check_codes(dissector, vectors, folder)
    print(f"{messages} vectors with {values} values, {check_capture(dissector, capture)} captured, "
          f"{check_faults(dissector, vectors, folder)} faults")


main(*sys.argv[1:5])
