#!/usr/bin/env python3
"""What `invariant` costs: replays of one journal, in turn by a build with it and one without.

    Benchmarks/invariants.py [--runs 120] [--commands 1000000]

Builds both, writes a long history of a busy market, and compares the processor time of both threads of
`joulebook replay`, pair by pair, so that what else the machine does falls on both alike. Excluded: the disk
(the journal is in memory) and everything that a server does besides.
"""

import argparse
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BARE = ROOT / ".build-bare"


def build(jobs):
    swift = [os.environ.get("SWIFT", "swift"), "build", "-q", "-c", "release", "-j", str(jobs)]
    product = ["--product", "joulebook"]
    subprocess.run(swift + product, cwd=ROOT, check=True)
    bare = ["--scratch-path", str(BARE), "-Xswiftc", "-DWITHOUT_INVARIANTS"]
    subprocess.run(swift + product + bare, cwd=ROOT, check=True)
    subprocess.run(swift + ["--package-path", "Benchmarks", "--product", "history"], cwd=ROOT,
                   check=True)


def seconds(program, data):
    """Processor time of a replay."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "replay", data], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=120, help="pairs of replays")
    parser.add_argument("--commands", type=int, default=1_000_000, help="commands in the journal")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-build", action="store_true", help="both are built")
    options = parser.parse_args()
    if not options.no_build:
        build(options.jobs)
    stated = str(ROOT / ".build" / "release" / "joulebook")
    bare = str(BARE / "release" / "joulebook")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="joulebook-invariants-", dir=memory)
    try:
        data = folder + "/data"
        history = str(ROOT / "Benchmarks" / ".build" / "release" / "history")
        subprocess.run([history, "--folder", data, "--commands", str(options.commands)], check=True,
                       stdout=subprocess.DEVNULL)
        pairs = []
        for run in range(options.runs + 2):
            order = [stated, bare] if run % 2 else [bare, stated]
            times = {program: seconds(program, data) for program in order}
            if run >= 2:  # The first two fill the caches.
                pairs.append((times[stated], times[bare]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(pairs)


def ratio(pairs):
    return statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)


def report(pairs):
    chance = random.Random(1)
    drawn = sorted(ratio(chance.choices(pairs, k=len(pairs))) for _ in range(2_000))
    low, high = drawn[100], drawn[1_899]
    print(f"with       {statistics.median(a for a, _ in pairs) * 1e3:.0f} ms, "
          f"fastest {min(a for a, _ in pairs) * 1e3:.0f} ms")
    print(f"without    {statistics.median(b for _, b in pairs) * 1e3:.0f} ms, "
          f"fastest {min(b for _, b in pairs) * 1e3:.0f} ms")
    print(f"ratio      {ratio(pairs):.3f}, of the fastest "
          f"{min(a for a, _ in pairs) / min(b for _, b in pairs):.3f}; 90 % of such ratios of medians: {low:.3f} to {high:.3f}")


if __name__ == "__main__":
    main()
