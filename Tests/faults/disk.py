"""A full disk: the data folder is on a small tmpfs that is filled, then freed."""

import asyncio
import os
import pathlib
import subprocess

from market import BEN, INSTRUMENT, Rejected, SETTINGS, Server

INTAKE_FULL = 9001
SEGMENT = 1 << 20


def run(market, quick):
    if os.geteuid() != 0:
        yield "full disk", 0, "only root can mount a tmpfs", None
        return
    folder = pathlib.Path(market.template.parent) / "small"
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], check=True)
    try:
        result, problem = asyncio.run(case(market, folder))
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    yield "full disk", 1, result, problem


async def case(market, folder):
    data = market.copy("data", folder)
    settings = [s for s in SETTINGS if "segment" not in s] + [f"journal.segment={SEGMENT}"]
    server = Server(market.program, data, settings)
    client = await market.connect(server)
    first = await client.order(BEN, INSTRUMENT, "buy", 100, 100)
    orders = {first.orderId}
    await next_segment(data)
    ballast = folder / "ballast"
    with open(ballast, "wb") as file:
        try:
            while True:
                file.write(bytes(65536))
                file.flush()
        except OSError:
            pass
    taken = await enter_until_refused(client, orders)
    if taken is None:
        return "", "no order was refused on a full disk"
    canceled = await client.cancel(BEN, first.orderId)
    orders.discard(first.orderId)
    refused_again = await refuses(client)
    # Questions are answered, because all accepted commands are durable.
    await client.ask("StatusRequest", timeout=5)
    ballast.unlink()
    waited = await wait_until_taken(client, orders)
    client.drop()
    if not refused_again:
        return "", "it took orders again while the disk was full"
    if waited is None:
        return "", "it did not resume within 10 s after space was freed"
    server.kill()
    problem = await asyncio.to_thread(market.verify, data, orders)
    return (f"{taken} orders taken, then 9001; cancel taken ({canceled.name}); "
            f"resumed {waited:.1f} s after space was freed"), problem


async def next_segment(data):
    """Waits until the next segment is prepared: orders that fit into it are accepted on a full disk."""
    path = data / "journal" / "next.segment"
    while not path.exists() or path.stat().st_size < SEGMENT:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)


async def enter_until_refused(client, orders, most=20_000):
    """Enters orders in groups until one is rejected as intakeFull. Returns the number of accepted ones."""
    for taken in range(most):
        try:
            orders.add((await client.order(
                BEN, INSTRUMENT, "buy", 100 * (1 + taken % 900), 100)).orderId)
        except Rejected as rejection:
            return taken if code(rejection) == INTAKE_FULL else None
        if len(orders) > 3_000:
            oldest = min(orders)
            orders.discard(oldest)
            await client.cancel(BEN, oldest)
    return None


async def refuses(client):
    try:
        await client.order(BEN, INSTRUMENT, "buy", 100, 100)
    except Rejected as rejection:
        return code(rejection) == INTAKE_FULL
    return False


async def wait_until_taken(client, orders):
    loop = asyncio.get_running_loop()
    start = loop.time()
    while loop.time() < start + 10:
        try:
            orders.add((await client.order(BEN, INSTRUMENT, "buy", 200, 100)).orderId)
            return loop.time() - start
        except Rejected:
            await asyncio.sleep(0.1)
    return None


def code(rejection):
    return rejection.message.code
