"""Damage to the files of a stopped or killed server: every byte of a header, sampled bytes of payload
and padding, a last block torn at sampled places. `joulebook journal verify` and the server's start
must notice all of it, or cut what is torn."""

import asyncio
import random
import subprocess

from market import Server


def run(market, quick):
    data = market.copy("files")
    server = Server(market.program, data)
    acknowledged, _ = asyncio.run(market.trade(server, 30))
    server.kill()
    segment = sorted((data / "journal").glob("*.journal"))[0]
    whole = segment.read_bytes()
    chance = random.Random(5)
    places = [*range(0, 128, 16 if quick else 1),
              *(chance.randrange(128, 4096) for _ in range(8 if quick else 200))]
    missed = []
    for place in places:
        flip(segment, whole, place, 1 << chance.randrange(8))
        if verify(market, data) != 65:
            missed.append(place)
        segment.write_bytes(whole)
    yield ("bit flipped in a block that others follow", len(places), "status 65, place named",
           f"not noticed at {missed[:5]}" if missed else None)
    segment = [s for s in sorted((data / "journal").glob("*.journal"))
               if s.read_bytes()[:8] == b"JOULEBLK"][-1]
    whole = segment.read_bytes()
    last = max(i for i in range(0, len(whole), 4096) if whole[i:i + 8] == b"JOULEBLK")
    cuts = [chance.randrange(0, 200) for _ in range(4 if quick else 60)]
    wrong = []
    for cut in cuts:
        segment.write_bytes(whole[:last + cut] + bytes(len(whole) - last - cut))
        if verify(market, data) != 0:
            wrong.append(cut)
    segment.write_bytes(whole)
    yield ("last block torn", len(cuts), "cut off, the rest is whole",
           f"refused at {wrong[:5]}" if wrong else None)
    yield "kill -9 without damage", 1, "recovered", market.verify(data, acknowledged)


def flip(segment, whole, place, bit):
    damaged = bytearray(whole)
    damaged[place] ^= bit
    segment.write_bytes(bytes(damaged))


def verify(market, data):
    return subprocess.run([market.program, "journal", "verify", str(data)],
                          capture_output=True).returncode
