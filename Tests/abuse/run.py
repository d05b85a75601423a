"""What one abuser costs nine honest clients: a row for each kind. The exit code is 1 when a check failed.

    Tests/abuse/run.sh [--quick] [--seconds 5] [--program FILE] [KIND ...]

Each row starts a server with default settings, and nine honest clients that send 900 orders a second between them. They
are measured alone first. Then the abuser joins them, from 127.0.0.2. In full rows their p99 must stay below 5 ms, or
twice what it is without the abuser; quick rows check only that nobody honest is cut, that memory is bounded, and what the
abuser got, because tests measure no time.
"""

import argparse
import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from types import SimpleNamespace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import abusers  # noqa: E402
from exchange import DEEP, ROOT, Market, calm, certificate, disk, honest, memory, outcome  # noqa: E402
from market import Server  # noqa: E402
from session import Session  # noqa: E402
from joulebook import read_private_key  # noqa: E402

MOST = 0.005                    # Seconds; others' p99.
DISK = 64 << 20                 # Bytes a second that one abuser may write.


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few kinds, without bounds of time")
    parser.add_argument("--seconds", type=float, help="duration of a row")
    parser.add_argument("--program", default=str(ROOT / ".build" / "debug" / "joulebook"))
    parser.add_argument("--abuse", help=argparse.SUPPRESS)
    parser.add_argument("kinds", nargs="*", choices=[*abusers.KINDS, []], help="kinds to run; all unless given")
    options = parser.parse_args()
    if options.abuse:
        return abuse(json.loads(options.abuse))
    seconds = options.seconds or (1.5 if options.quick else 5)
    folder = tempfile.mkdtemp(prefix="joulebook-abuse-")
    failed, finished = 0, False
    try:
        market = Market(options.program, folder, 20_000 if options.quick else DEEP)
        print(f"{'abuser':<66}{'p50':>9}{'p99':>9}{'longest':>9}{'alone p99':>11}  got")
        for name, row in abusers.KINDS.items():
            if options.kinds and name not in options.kinds or options.quick and not options.kinds and not row["quick"]:
                continue
            problem = measure(market, name, row, seconds, options.quick)
            failed += problem is not None
            if problem:
                print(f"    FAILED: {problem}", flush=True)
        finished = True
    finally:
        if failed or not finished:
            print(f"{failed} kinds of abuse failed; the servers' logs: {folder}/*.log", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


def measure(market, name, row, seconds, is_quick):
    """Prints a row. Returns the problem, or None."""
    seconds *= row["times"]
    data = market.folder / name
    shutil.copytree(market.template(row["deep"]), data)
    settings = list(row["settings"])
    if row["health"]:
        settings.append("health=127.0.0.1:0")
    options = []
    if row["tls"]:
        files = certificate(market.folder)
        settings += [f"tls.certificate={files[0]}", f"tls.key={files[1]}"]
        options = ["--tls-authorities", files[0]]
    server = Server(market.program, data, settings)
    if server.port is None:
        return f"{name}: the server does not start"
    problem = None
    try:
        alone, problem = calm(market, server, min(seconds, 2), "300ms", options=options)
        if problem:
            return problem
        before, written = memory(server.pid), disk(data)
        plan = json.dumps(dict(kind=name, port=server.port, seconds=seconds + 0.5, keys=market.keys,
                               depth=market.depth, order_of_victim=market.order_of_victim,
                               health=health_port(server)))
        abuser = subprocess.Popen([sys.executable, __file__, "--abuse", plan], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        abuser.stdout.readline()                       # It is connected.
        others, problem = outcome(honest(market, server, seconds, options=options))
        out, errors = abuser.communicate(timeout=300)
        said = json.loads(out.strip().splitlines()[-1]) if out.strip() else dict(got="", problem=errors[-400:])
        problem = problem or said["problem"]
        grown, rate = memory(server.pid) - before, (disk(data) - written) / (seconds + 0.5)
        if others:
            print(f"{row['name']:<66}" + "".join(f"{value * 1e3:7.2f}ms" for value in others)
                  + f"{alone[1] * 1e3:9.2f}ms  {said['got']}; +{max(0, grown) >> 20} MiB, {rate / 1e6:.1f} MB/s", flush=True)
            if not is_quick and others[1] > max(MOST, 2 * alone[1]):
                problem = problem or f"others' p99 {others[1] * 1e3:.1f} ms, {alone[1] * 1e3:.1f} alone"
        if grown > row["memory"] << 20:
            problem = problem or f"the server grew by {grown >> 20} MiB"
        if rate > DISK:
            problem = problem or f"{rate / 1e6:.0f} MB a second were written"
        # It is still there, for everybody.
        _, still = calm(market, server, 0.5, "100ms", options=options)
        problem = problem or still
    finally:
        if server.process.poll() is not None:
            problem = f"the server ended with {server.process.returncode}"
        server.kill()
        if not problem:
            shutil.rmtree(data, ignore_errors=True)
    return problem


def health_port(server):
    """Port of the health server, from the log; None without one."""
    server.errors.flush()
    for line in pathlib.Path(server.errors.name).read_text().splitlines():
        if "health and metrics" in line and "port=" in line:
            return int(line.split("port=")[1].split()[0].rstrip("]"))
    return None


def abuse(plan):
    """The abuser's process. It runs at the lowest priority: an abuser has a computer of its own, and what it costs others
    must come from the server, not from sharing the two cores of this machine with them."""
    os.nice(19)
    market = SimpleNamespace(
        keys=plan["keys"], depth=plan["depth"], order_of_victim=plan["order_of_victim"],
        key=lambda name: read_private_key(bytes.fromhex(plan["keys"][name])))
    problems = []
    context = SimpleNamespace(
        market=market, port=plan["port"], seconds=plan["seconds"], health=plan["health"], source=plan.get("source", "127.0.0.2"),
        expect=lambda holds, text: None if holds else problems.append(text))

    async def opened(name="abuser", identity=2, reads=True):
        return await Session.open(market, plan["port"], name, identity, source=context.source, reads=reads)
    context.open = opened
    print("ready", flush=True)
    got = asyncio.run(abusers.KINDS[plan["kind"]]["run"](context))
    print(json.dumps(dict(got=got, problem=problems[0] if problems else None)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
