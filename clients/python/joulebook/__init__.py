"""A client for the Joulebook energy exchange.

Prices are integers in 1e-5 currency per kWh, money in 1e-8 currency, energy in Wh, times in
nanoseconds since 1970, UTC.
"""

from .client import Client, Message, Position, Rejected, Terminated
from .codec import Codec, read_key_file, read_private_key, sign_reading
from .levels import Level, LevelBook

__all__ = [
    "Client", "Codec", "Level", "LevelBook", "Message", "Position", "Rejected", "Terminated",
    "read_key_file", "read_private_key", "sign_reading",
]
