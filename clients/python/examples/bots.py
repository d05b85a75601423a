"""Common parts of the example bots: arguments, log-on and reference data."""

import argparse
from dataclasses import dataclass

from joulebook import Client, Message, read_private_key


def arguments(description: str) -> argparse.ArgumentParser:
    """A parser with the arguments that all bots have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("session", type=int)
    parser.add_argument("key", help="Ed25519 seed, 64 hexadecimal digits")
    parser.add_argument("account", type=int)
    parser.add_argument("instrument", type=int)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="time that it trades (default: until it is stopped)")
    return parser


async def connect(args: argparse.Namespace) -> Client:
    """Logs on. The exchange cancels the orders two seconds after a lost connection."""
    key = read_private_key(bytes.fromhex(args.key))
    return await Client.connect(args.host, args.port, args.session, key, cancel_after_ms=2_000)


@dataclass(frozen=True)
class Market:
    """An instrument and its area, as they are now: while the bot is subscribed to the area, changes come."""

    bot: Client
    number: int

    @property
    def instrument(self) -> Message:
        return self.bot.definitions.instruments[self.number]

    @property
    def area(self) -> Message:
        return self.bot.definitions.areas[self.instrument.area]

    def price(self, wanted: float) -> int:
        """The nearest multiple of the tick within the price band."""
        tick = self.instrument.tickSize
        price = round(wanted / tick) * tick
        return min(max(price, self.instrument.lowestPrice), self.instrument.highestPrice)

    def lots(self, energy: float) -> int:
        """`energy` in Wh, rounded down to whole lots."""
        return int(energy // self.instrument.lot) * self.instrument.lot


async def market(bot: Client, instrument: int) -> Market:
    """The definitions of an instrument and of its area."""
    await bot.reference_data()
    return Market(bot, instrument)
