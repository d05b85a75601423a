"""Compares the Swift codecs with PyPI sbe, message by message.

    compare_codecs.py joulebook.xml vectors/joulebook.json swift-frames.txt

For each vector, the values encoded by sbe must equal the bytes of the Swift codecs, and the bytes decoded by
sbe must equal the values. Each message of the schema must have a vector. Prints the differences and exits with
1, or prints the counts and exits with 0.
"""

import json
import struct
import sys

import sbe


def frame(schema, message, values):
    """The frame that sbe encodes from `values`."""
    body = schema.encode(message, values)
    return struct.pack("<HH", 4 + len(body), 0xEB50) + body


def main(schema_path, vectors_path, frames_path):
    with open(schema_path) as file:
        schema = sbe.Schema.parse(file)
    with open(vectors_path) as file:
        vectors = json.load(file)
    with open(frames_path) as file:
        swift = {tuple(line.split()[:2]): line.split()[2] for line in file}

    by_name = {message.name: message for message in schema.messages.values()}
    differences = []
    for vector in vectors:
        name, variant = vector["message"], vector["variant"]
        written = swift.pop((name, variant), "")
        encoded = frame(schema, by_name[name], vector["values"]).hex()
        if encoded != written:
            differences.append(f"{name} {variant}: sbe wrote\n  {encoded}, Swift\n  {written}")
        if encoded != vector["frame"]:
            differences.append(f"{name} {variant}: sbe wrote\n  {encoded}, the vector is\n  {vector['frame']}")
        decoded = schema.decode(bytes.fromhex(written)[4:]) if written else None
        if decoded is None or decoded.message_name != name or decoded.value != vector["values"]:
            differences.append(f"{name} {variant}: sbe read {decoded}, the vector is {vector['values']}")
    differences += [f"Swift wrote {key}, which no vector has" for key in swift]
    seen = {vector["message"] for vector in vectors}
    differences += [f"{name} has no vector" for name in by_name if name not in seen]

    print("\n".join(differences) or f"{len(seen)} messages, {len(vectors)} vectors: equal")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
