"""File descriptors: many silent connections under the usual limit of 1,024 while segments are created, and a
server whose descriptors run out (its limit is lowered while it runs). The process continues in both cases. While
it cannot create a segment it rejects orders and logs the reason, and it resumes when descriptors are free."""

import asyncio
import resource
import time

from market import BEN, INSTRUMENT, LOST, Rejected, SETTINGS, Server

INTAKE_FULL = 9001


def run(market, quick):
    orders = 150 if quick else 1_500
    yield "silent connections, 1,024 descriptors", 1, *asyncio.run(silent(market, orders))
    for number in range(1 if quick else 10):
        result, problem = asyncio.run(none_left(market))
        if problem:
            break
    yield "no descriptor left", number + 1, result, problem


def limited(soft, hard):
    """The command prefix that starts the program with these limits."""
    return ("sh", "-c", f'ulimit -H -n {hard}; ulimit -S -n {soft}; exec "$@"', "sh")


async def silent(market, orders):
    data = market.copy("descriptors")
    server = Server(market.program, data, SETTINGS + ["connections=1100"], prefix=limited(1024, 4096))
    if server.port is None:
        return "", f"it does not start: status {server.process.wait(10)}"
    silence, taken = [], set()
    try:
        for _ in range(1_060):
            silence.append(await asyncio.open_connection("127.0.0.1", server.port))
        client = await market.connect(server)
        before = segments(data)
        for number in range(orders):
            taken.add((await client.order(
                BEN, INSTRUMENT, "buy", 100 * (1 + number % 50), 100)).orderId)
        client.drop()
        turned = segments(data) - before
    except LOST as problem:
        status = server.process.poll()
        server.kill()
        return "", f"{len(silence)} connections, {len(taken)} orders, then {problem!r}; status {status}"
    for _, writer in silence:
        writer.close()
    server.kill()
    problem = await asyncio.to_thread(market.verify, data, taken)
    if turned < 3:
        problem = problem or f"only {turned} segments were created"
    return f"{len(silence)} connections, {len(taken)} orders over {turned} segments", problem


def segments(data):
    return len(list((data / "journal").glob("*.journal")))


async def none_left(market):
    data = market.copy("descriptors")
    server = Server(market.program, data)
    client = await market.connect(server)
    taken = {(await client.order(BEN, INSTRUMENT, "buy", 100, 100)).orderId}
    await asyncio.sleep(0.3)
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        refused = await enter_until_refused(client, taken)
        if refused != INTAKE_FULL:
            return "", f"refused with {refused}"
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
        waited = await wait_until_taken(client, taken)
    except LOST as problem:
        status = server.process.poll()
        server.kill()
        return "", f"{len(taken)} orders, then {problem!r}; status {status}"
    client.drop()
    status = server.stop()
    log = (data.parent / (data.name + ".log")).read_text()
    if waited is None:
        return "", "it did not resume within 10 s"
    if status != 0:
        return "", f"the orderly end came with status {status}"
    if "ALARM: the journal's next segment cannot be created" not in log or "ulimit -n" not in log:
        return "", "the log does not say what is missing"
    if "settlement stops" in log:
        return "", "settlement stopped"
    problem = await asyncio.to_thread(market.verify, data, taken)
    return f"{len(taken)} orders taken, then 9001; resumed {waited:.1f} s after there were some", problem


async def enter_until_refused(client, taken):
    for number in range(2_000):
        try:
            taken.add((await client.order(
                BEN, INSTRUMENT, "buy", 100 * (1 + number % 50), 100)).orderId)
        except Rejected as rejection:
            return rejection.message.code
    return None


async def wait_until_taken(client, taken):
    start = time.monotonic()
    while time.monotonic() < start + 10:
        try:
            taken.add((await client.order(BEN, INSTRUMENT, "buy", 200, 100)).orderId)
            return time.monotonic() - start
        except Rejected:
            await asyncio.sleep(0.1)
    return None
