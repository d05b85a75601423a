"""Walks through a newcomer's first hour, and the work of an operator and of a broker, on a real server, a line for each
step. The exit code is 1 when a step failed.

    Tests/walks/run.sh [--program FILE] [newcomer|operator|broker ...]
"""

import argparse
import pathlib
import shutil
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import broker_walk  # noqa: E402
import newcomer_walk  # noqa: E402
import operator_walk  # noqa: E402
from walk import ROOT, Walk  # noqa: E402

WALKS = {"newcomer": newcomer_walk.run, "operator": operator_walk.run, "broker": broker_walk.run}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(ROOT / ".build" / "debug" / "joulebook"))
    parser.add_argument("walks", nargs="*", choices=[*WALKS, []], help="walks to run; all unless given")
    options = parser.parse_args()
    passed = failed = 0
    for name in options.walks or WALKS:
        folder = tempfile.mkdtemp(prefix=f"joulebook-{name}-")
        walk = Walk(options.program, folder)
        print(f"{name}", flush=True)
        try:
            WALKS[name](walk)
        except Exception:
            walk.check("the walk reaches its end", "its end", traceback.format_exc()[-2_000:])
        finally:
            walk.end()
        passed, failed = passed + walk.passed, failed + walk.failed
        if walk.failed:
            print(f"  the files of this walk: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
