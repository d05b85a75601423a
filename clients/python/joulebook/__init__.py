"""A client for the Joulebook energy exchange.

Prices are whole numbers in 1e-5 currency per kWh, or Decimal or text in currency per kWh ("0.21"); money in 1e-8
currency, energy in Wh or text with a unit ("1.5kWh"), times in nanoseconds since 1970, UTC.
"""

from . import messages
from .book import BookOrder, OrderBook
from .client import Client
from .codec import Codec
from .comeback import Backoff
from .errors import BufferFull, ConnectionLost, RejectCode, Rejected, Terminated, Throttled, reject_code
from .events import Event, Stream
from .keys import read_key_file, read_private_key, sign_reading
from .levels import Level, LevelBook, MarketPrices
from .market import Feed
from .message import Message
from .messages import AnyMessage
from .orders import Order
from .session import Position
from .units import energy_units, money_units, price_units

__all__ = [
    "AnyMessage", "Backoff", "BookOrder", "BufferFull", "Client", "Codec", "ConnectionLost", "Event", "Feed", "Level",
    "LevelBook", "MarketPrices", "Message", "Order", "OrderBook", "Position", "RejectCode", "Rejected", "Stream",
    "Terminated", "Throttled", "energy_units", "messages", "money_units", "price_units", "read_key_file", "read_private_key",
    "reject_code", "sign_reading",
]
