"""Honest clients and abusers of all kinds together for ten minutes: nothing may grow, nobody honest may be cut, and
afterwards the journal replays and the ledger equals the engine. The exit code is 1 when a check failed.

    Tests/abuse/run.sh soak [--minutes 10] [--program FILE] [--seed 1]

Nine honest clients trade all the time. Beside them two abusers at a time, one with a session and one without, drawn from
all kinds that work on a shallow book over plain TCP, each for ten seconds. Memory, threads and open files are read every ten
seconds. Each kind comes once, then each kind again: what the first round did not need, the others must not need either.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import abusers  # noqa: E402
from exchange import ROOT, Market, disk, honest, memory, outcome  # noqa: E402
from market import Server  # noqa: E402

TURN = 10                       # Seconds of an abuser.
STRANGERS = ("silent", "comes_and_goes", "noise", "wrong_signatures", "slow_health")
GROWTH = 32 << 20               # Bytes of memory that the rounds after the first may add.
SETTINGS = ["journal.retain=200000", "snapshot.commands=100000", "snapshot.keep=1"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--program", default=str(ROOT / ".build" / "release" / "joulebook"))
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="joulebook-soak-"))
    problems = soak(options, folder)
    for problem in problems:
        print(f"FAILED: {problem}", flush=True)
    print(f"{0 if problems else 1} passed, {len(problems)} failed" + (f"; logs: {folder}" if problems else ""))
    if not problems:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if problems else 0


def soak(options, folder):
    market = Market(options.program, folder)
    data = folder / "soak"
    shutil.copytree(market.template(False), data)
    server = Server(options.program, data, [*SETTINGS, "health=127.0.0.1:0"])
    kinds = [name for name, row in abusers.KINDS.items() if not (row["deep"] or row["tls"])]
    chance, problems, samples, used = random.Random(options.seed), [], [], {}
    members = [name for name in kinds if name not in STRANGERS]
    turns = max(4, round(options.minutes * 60 / TURN))
    try:
        print(f"{'seconds':>7}{'memory':>12}{'threads':>9}{'files':>7}{'disk':>10}{'p50':>10}{'p99':>10}{'longest':>10}  abusers")
        for turn in range(turns):
            if turn % len(members) == 0:
                chance.shuffle(members)
            chosen = [members[turn % len(members)], chance.choice(STRANGERS)]
            started = [begin(market, server, name) for name in chosen]
            waits, problem = outcome(honest(market, server, TURN))
            problems += [problem] if problem else []
            for name, process in zip(chosen, started):
                out, errors = process.communicate(timeout=300)
                last = (out.strip().splitlines() or [""])[-1]
                said = json.loads(last) if last.startswith("{") else dict(problem=errors.strip()[-400:])
                used[name] = used.get(name, 0) + 1
                problems += [f"{name}: {said['problem']}"] if said["problem"] else []
            if server.process.poll() is not None:
                return [*problems, f"the server ended with {server.process.returncode}"]
            samples.append(sample(server, data))
            times = "".join(f"{value * 1e3:8.2f}ms" for value in waits) if waits else " " * 30
            rss, threads, files, on_disk = samples[-1]
            print(f"{(turn + 1) * TURN:7}{rss / 2**20:9.1f}MiB{threads:9}{files:7}{on_disk / 2**20:7.0f}MiB{times}  "
                  + ", ".join(chosen), flush=True)
        problems += grown(samples, min(len(members), turns // 2))
    finally:
        if server.process.poll() is None:
            status = server.stop()
            problems += [] if status == 0 else [f"the server stopped with {status}"]
    print(f"{len(used)} kinds of abusers, {sum(used.values())} turns", flush=True)
    problems += [f"{' '.join(command)}: {text}" for command in (
        ["journal", "verify", str(data)], ["ledger", "verify", "--data", str(data)])
        if (text := failure(options.program, command))]
    return problems


def begin(market, server, name):
    health = next((int(line.split("port=")[1].split()[0].rstrip("]")) for line in
                   pathlib.Path(server.errors.name).read_text().splitlines()
                   if "health and metrics" in line and "port=" in line), None)
    plan = json.dumps(dict(kind=name, port=server.port, seconds=TURN, keys=market.keys, depth=market.depth,
                           order_of_victim=market.order_of_victim, health=health,
                           source="127.0.0.2" if name in STRANGERS else "127.0.0.3"))
    return subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("run.py")), "--abuse", plan],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def sample(server, data):
    """Resident memory, threads, open files of the server, and bytes on its disk."""
    process = pathlib.Path(f"/proc/{server.pid}")
    return memory(server.pid), len(list((process / "task").iterdir())), len(list((process / "fd").iterdir())), disk(data)


def grown(samples, rounds):
    """What grew after the first `rounds` samples, in sentences."""
    first, last = samples[:rounds], samples[-max(1, len(samples) // 6):]
    problems = []
    if (more := min(s[0] for s in last) - max(s[0] for s in first)) > GROWTH:
        problems.append(f"memory grew by {more >> 20} MiB")
    if max(s[1] for s in last) > max(s[1] for s in first):
        problems.append(f"threads grew from {max(s[1] for s in first)} to {max(s[1] for s in last)}")
    if min(s[2] for s in last) > max(s[2] for s in first) + 16:
        problems.append(f"open files grew from {max(s[2] for s in first)} to {min(s[2] for s in last)}")
    return problems


def failure(program, command):
    """What a command said, if it failed."""
    done = subprocess.run([program, *command], capture_output=True, text=True, timeout=600)
    return None if done.returncode == 0 else (done.stdout + done.stderr).strip()[-400:]


if __name__ == "__main__":
    sys.exit(main())
