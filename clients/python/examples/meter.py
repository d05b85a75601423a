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
from joulebook import Client, read_private_key  # noqa: E402

SECOND = 10**9


async def main(options):
    bot = await Client.connect(options.host, options.port, options.session,
                               read_private_key(bytes.fromhex(options.key)))
    now = time.time_ns()
    # Register sequences must increase and intervals must not overlap, so both are taken from the clock.
    bot.meter_reading(read_private_key(bytes.fromhex(options.meter_key)), options.meter, now,
                      now - SECOND, now, options.produced, options.consumed)
    ack = await bot.wait_for(lambda message: message.name in ("MeterReadingAck", "Rejected"))
    print(ack)
    await bot.close()
    return ack.name == "MeterReadingAck"


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
