"""Damage to the files of a stopped or killed server: every bit of a block's header, sampled bytes of payload
and padding, the last block torn at every byte of its contents; every byte of a snapshot's header and of its
first piece's, sampled bytes of the rest. `joulebook journal verify` and the server's start must detect all
damage, or cut off a torn block; a start does not use a damaged snapshot."""

import asyncio
import random
import struct
import subprocess
import time

from market import SETTINGS, Server

NO_SNAPSHOTS = SETTINGS + ["snapshot.commands=0"]
HEADER, BLOCK, PIECES = 128, 4096, 4096


def run(market, quick):
    yield from journal(market, quick)
    yield from snapshot(market, quick)


def journal(market, quick):
    data = market.copy("files")
    server = Server(market.program, data)
    acknowledged, _ = asyncio.run(market.trade(server, 30))
    server.kill()
    segment = sorted((data / "journal").glob("*.journal"))[0]
    whole = segment.read_bytes()
    chance = random.Random(5)
    bits = [(place, 1 << bit) for place in range(HEADER) for bit in range(8)]
    bits = chance.sample(bits, 8) if quick else bits
    bits += [(chance.randrange(HEADER, BLOCK), 1 << chance.randrange(8))
             for _ in range(8 if quick else 200)]
    missed = []
    for place, bit in bits:
        flip(segment, whole, place, bit)
        if verify(market, data) != 65:
            missed.append(place)
        segment.write_bytes(whole)
    yield ("bit flipped in a block that others follow", len(bits), "status 65, place named",
           f"not detected at {missed[:5]}" if missed else None)
    segment = [s for s in sorted((data / "journal").glob("*.journal"))
               if s.read_bytes()[:8] == b"JOULEBLK"][-1]
    whole = segment.read_bytes()
    last = max(i for i in range(0, len(whole), BLOCK) if whole[i:i + 8] == b"JOULEBLK")
    contents = HEADER + struct.unpack_from("<I", whole, last + 36)[0]
    cuts = range(contents)
    cuts = chance.sample(cuts, 4) if quick else cuts
    wrong = []
    for cut in cuts:
        segment.write_bytes(whole[:last + cut] + bytes(len(whole) - last - cut))
        if verify(market, data) != 0:
            wrong.append(cut)
    segment.write_bytes(whole)
    yield ("last block torn", len(cuts), "cut off, the rest is whole",
           f"refused at {wrong[:5]}" if wrong else None)
    yield "kill -9 without damage", 1, "recovered", market.verify(data, acknowledged)


def snapshot(market, quick):
    """A server whose newest snapshot is damaged starts from an older one or from the journal, and logs it."""
    data = market.copy("snapshot")
    log = data.parent / (data.name + ".log")
    server = Server(market.program, data)
    acknowledged, _ = asyncio.run(market.trade(server, 120))
    newest = await_snapshot(data)
    server.kill()
    if newest is None:
        yield "byte flipped in a snapshot", 0, "", "there is no snapshot"
        return
    whole = newest.read_bytes()
    chance = random.Random(7)
    heads = [*range(HEADER), *range(PIECES, PIECES + 24)]
    places = chance.sample(heads, 4) if quick else heads
    places += [chance.randrange(PIECES + 24, len(whole)) for _ in range(2 if quick else 48)]
    missed, lost = [], set()
    for place in places:
        flip(newest, whole, place, 1 << chance.randrange(8))
        noticed = verify(market, data) == 65
        log.write_text("")
        server = Server(market.program, data, NO_SNAPSHOTS)
        if server.port is None:
            missed.append(place)
        elif not noticed or f"{newest.name} cannot be used" not in log.read_text():
            missed.append(place)
        elif place == places[-1]:
            lost = asyncio.run(market.missing(server, acknowledged))
        server.kill()
        newest.write_bytes(whole)
    problem = (f"not detected at {missed[:5]}" if missed
               else f"{len(lost)} acknowledged orders are lost" if lost
               else market.verify(data, acknowledged))
    yield ("byte flipped in the newest snapshot", len(places),
           "logged, started without it, nothing lost", problem)


def await_snapshot(data):
    """Waits for a snapshot and returns the newest one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = sorted((data / "journal").glob("0*.snapshot"))
        if found:
            return found[-1]
        time.sleep(0.05)
    return None


def flip(segment, whole, place, bit):
    damaged = bytearray(whole)
    damaged[place] ^= bit
    segment.write_bytes(bytes(damaged))


def verify(market, data):
    return subprocess.run([market.program, "journal", "verify", str(data)],
                          capture_output=True).returncode
