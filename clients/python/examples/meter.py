"""A meter: sends one signed reading for the last second.

    python meter.py HOST PORT SESSION KEY METER METER_KEY --produced 5000

KEY is the key of the session that sends the reading, METER_KEY the key of the meter that signs it. Both
are Ed25519 seeds of 64 hexadecimal digits.
"""

import argparse
import asyncio
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from joulebook import Client, Rejected, read_private_key  # noqa: E402

SECOND = 10**9


async def main(options: argparse.Namespace) -> bool:
    bot = await Client.connect(options.host, options.port, options.session,
                               read_private_key(bytes.fromhex(options.key)))
    now = time.time_ns()
    # Register sequences must increase and intervals must not overlap, so both are taken from the clock.
    try:
        print(await bot.read_meter(read_private_key(bytes.fromhex(options.meter_key)), options.meter, now,
                                   now - SECOND, now, options.produced, options.consumed))
    except Rejected as rejection:
        print(f"rejected: {rejection}")
        return False
    finally:
        await bot.close()
    return True


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("host")
parser.add_argument("port", type=int)
parser.add_argument("session", type=int)
parser.add_argument("key", help="Ed25519 seed, 64 hexadecimal digits")
parser.add_argument("meter", type=int)
parser.add_argument("meter_key", help="Ed25519 seed of the meter, 64 hexadecimal digits")
parser.add_argument("--produced", type=int, default=0, help="produced energy in Wh")
parser.add_argument("--consumed", type=int, default=0, help="consumed energy in Wh")
sys.exit(not asyncio.run(main(parser.parse_args())))
