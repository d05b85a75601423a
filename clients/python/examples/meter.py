"""A meter: reports what its account has produced and consumed in the second that has just passed.

    python meter.py HOST PORT SESSION KEY METER METER_KEY --produced 5000

The session sends it, the meter's own key signs it: Ed25519 seeds, 64 hexadecimal digits each.
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
    # The register's sequence has to rise, and intervals must not overlap: the clock sees to both.
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
parser.add_argument("meter_key", help="the meter's own")
parser.add_argument("--produced", type=int, default=0, help="Wh")
parser.add_argument("--consumed", type=int, default=0, help="Wh")
sys.exit(not asyncio.run(main(parser.parse_args())))
