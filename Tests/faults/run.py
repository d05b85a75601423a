"""Injects faults into a real server and prints a table. The exit code is 1 when a check failed.

    Tests/faults/run.sh [--quick] [calls|writes|files|kills|power|pruning|disk|clients|floods|clock|descriptors|sessions|answers|comebacks ...]
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import answers  # noqa: E402
import calls  # noqa: E402
import clients  # noqa: E402
import clock  # noqa: E402
import comebacks  # noqa: E402
import descriptors  # noqa: E402
import disk  # noqa: E402
import files  # noqa: E402
import floods  # noqa: E402
import kills  # noqa: E402
import power  # noqa: E402
import pruning  # noqa: E402
import sessions  # noqa: E402
import writes  # noqa: E402
from market import ROOT, Market  # noqa: E402

PARTS = {"calls": calls, "writes": writes, "files": files, "kills": kills, "power": power,
         "pruning": pruning, "disk": disk, "clients": clients,
         "floods": floods, "clock": clock, "descriptors": descriptors, "sessions": sessions,
         "answers": answers, "comebacks": comebacks}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="run only a few cases of each part")
    parser.add_argument("--program", default=str(ROOT / ".build" / "debug" / "joulebook"))
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts to run; all unless given")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="joulebook-faults-")
    failed, finished = 0, False
    try:
        market = Market(options.program, folder)
        print(f"{'fault':<44}{'tried':>6}  result")
        for name in options.parts or PARTS:
            start = time.monotonic()
            for fault, tried, result, problem in PARTS[name].run(market, options.quick):
                failed += problem is not None
                verdict = f"FAILED: {problem}" if problem else f"ok: {result}"
                print(f"{fault:<44}{tried:>6}  {verdict} ({time.monotonic() - start:.0f} s)",
                      flush=True)
                start = time.monotonic()
        finished = True
    finally:
        if failed or not finished:
            print(f"{failed} kinds of faults failed; the servers' logs: {folder}/*.log", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
