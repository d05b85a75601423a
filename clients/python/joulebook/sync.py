"""The client for programs without an event loop: every method waits for its answer.

    from joulebook.sync import Client

    with Client.connect("127.0.0.1", 9100, session_id=2, key=key) as bot:
        order = bot.order(account=1, instrument=1, side="sell", price="0.12", quantity="5kWh")
        for message in bot.messages():
            print(message)

The session lives in an event loop on a thread of its own, which keeps it alive. Methods may be called from any thread.
Callbacks run on the session's thread and must not call the client's methods, which would wait for themselves.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from ssl import SSLContext
from types import TracebackType
from typing import (
    TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Coroutine, Dict, Generic, Iterator, Optional, Type, TypeVar,
    Union, cast, overload)

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from . import client as asynchronous
from .comeback import Backoff
from .definitions import Definitions
from .events import Event, Stream
from .levels import LevelBook
from .message import Message
from .messages import AnyMessage
from .orders import Order
from .session import Position

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")
Item = TypeVar("Item")
M = TypeVar("M", bound=Message)


def _waiting(method: "Callable[Concatenate[Any, P], Awaitable[R]]") -> "Callable[Concatenate[Client, P], R]":
    """A method that runs the asynchronous one in the session's loop and waits for its result."""
    @functools.wraps(method)
    def call(self: "Client", *args: "P.args", **kwargs: "P.kwargs") -> R:
        return self._run(cast("Coroutine[Any, Any, R]", method(self._client, *args, **kwargs)))
    return cast("Callable[Concatenate[Client, P], R]", call)


class Subscription(Generic[Item]):
    """A stream that a loop can go over: `for item in subscription`. `next(timeout)` waits for one item."""

    def __init__(self, client: "Client", stream: Stream[Item]) -> None:
        self._client, self._stream = client, stream

    def __iter__(self) -> "Subscription[Item]":
        return self

    def __next__(self) -> Item:
        return self.next()

    def next(self, timeout: Optional[float] = None) -> Item:
        """The next item. Raises `StopIteration` at the end, and `TimeoutError`."""
        if not self._client._loop.is_running():
            raise StopIteration
        try:
            return self._client._run(asyncio.wait_for(self._stream.__anext__(), timeout))
        except StopAsyncIteration:
            raise StopIteration from None

    def close(self) -> None:
        """Ends the stream."""
        self._client._call(self._stream.close)


class Client:
    """A session with the exchange, opened by `Client.connect(...)`; its methods are those of `joulebook.Client`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        self._loop, self._thread = loop, thread
        self._client: asynchronous.Client

    @classmethod
    def connect(cls, host: str, port: int, session_id: int, key: Ed25519PrivateKey, keep_alive_ms: int = 5_000,
                cancel_after_ms: Optional[int] = 0, resume: Optional[Position] = None, ssl: Optional[SSLContext] = None,
                reconnect: Union[bool, Backoff] = False, wait_when_throttled: bool = False,
                silence_ms: Optional[int] = None, pace: Union[bool, int] = False) -> "Client":
        """Connects and logs on; the arguments and errors are those of `joulebook.Client.connect`."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name=f"joulebook session {session_id}", daemon=True)
        thread.start()
        made = cls(loop, thread)
        try:
            made._client = made._run(asynchronous.Client.connect(
                host, port, session_id, key, keep_alive_ms, cancel_after_ms, resume, ssl, reconnect,
                wait_when_throttled, silence_ms, pace))
        except BaseException:
            made._stop()
            raise
        return made

    def _run(self, work: "Coroutine[Any, Any, R]") -> R:
        """Runs a coroutine in the session's loop. A waiting program that is interrupted cancels it."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a callback of the session cannot wait for the session")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _call(self, function: Callable[[], R]) -> R:
        """Calls a function in the session's loop."""
        if threading.current_thread() is self._thread:
            return function()

        async def call() -> R:
            return function()
        return self._run(call())

    def _stop(self) -> None:
        if self._loop.is_running():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def close(self) -> None:
        """Ends the session in order, and its thread. Does nothing the second time."""
        if self._loop.is_running():
            self._run(self._client.close())
            self._stop()

    def drop(self) -> None:
        """Aborts the connection as if it were lost, and ends the thread."""
        if self._loop.is_running():
            self._call(self._client.drop)
            self._stop()

    # Messages

    def send(self, name: str, /, **fields: Any) -> int:
        """Sends a message and returns its sequence number, without waiting for an answer."""
        return self._call(lambda: self._client.send(name, **fields))

    def messages(self) -> Iterator[AnyMessage]:
        """The messages that answered no request, until the session ends; a loss is raised."""
        return self._iterate(self._client.messages())

    def list_all(self, *args: Any, **selection: Any) -> Iterator[Message]:
        """All rows of a list, page by page; the arguments are those of `list_page`."""
        return self._iterate(self._client.list_all(*args, **selection))

    def _iterate(self, items: AsyncIterator[Item]) -> Iterator[Item]:
        while True:
            try:
                item = self._run(cast("Coroutine[Any, Any, Item]", items.__anext__()))
            except StopAsyncIteration:
                return
            yield item

    def stream(self, *kinds: Any) -> "Subscription[Any]":
        """A stream of the messages of these kinds from now on, of all without kinds."""
        return Subscription(self, self._call(lambda: self._client.stream(*kinds)))

    def events(self) -> Subscription[Event]:
        """A stream of the session's events from now on."""
        return Subscription(self, self._call(self._client.events))

    def on(self, kind: Union[str, Type[Message]], call: Callable[[Any], object]) -> Callable[[], None]:
        """Calls `call` on the session's thread with each message or event of a kind."""
        return self._call(lambda: self._client.on(cast(str, kind), call))

    def meter_reading(self, *args: Any, **fields: Any) -> int:
        """Signs a reading and sends it without waiting; the arguments are those of `read_meter`."""
        return self._call(lambda: self._client.meter_reading(*args, **fields))

    @property
    def market(self) -> bytes:
        """The market's id, 16 bytes."""
        return self._client.market

    @property
    def position(self) -> Position:
        """The present position, for `connect(resume=...)`."""
        return self._call(lambda: self._client.position)

    @property
    def messages_per_second(self) -> Optional[int]:
        """The messages a second to which the requests of a client with `pace` keep; None: as many as they are."""
        return self._client.messages_per_second

    @property
    def orders(self) -> Dict[int, Order]:
        """The open orders that the session knows now, by order id."""
        return self._call(lambda: dict(self._client.orders))

    @property
    def definitions(self) -> Definitions:
        """The areas and instruments that the client was told of, as they are now."""
        return self._client.definitions

    @property
    def is_connected(self) -> bool:
        """Whether the session is established now."""
        return self._client.is_connected

    def done(self, order: Order, timeout: Optional[float] = None) -> Order:
        """Waits until an order has left the book, and returns it."""
        return self._run(order.done(timeout))

    def ask(self, name: str, timeout: float = 30, **fields: Any) -> Message:
        """Sends a message and waits for its answer."""
        return self._run(self._client.ask(name, timeout, **fields))

    @overload
    def wait_for(self, condition: Type[M], timeout: float = 30, number: Optional[int] = None,
                 where: Optional[Callable[[M], bool]] = None) -> M: ...
    @overload
    def wait_for(self, condition: Callable[[AnyMessage], bool], timeout: float = 30,
                 number: Optional[int] = None) -> AnyMessage: ...

    def wait_for(self, condition: Any, timeout: float = 30, number: Optional[int] = None,
                 where: Optional[Callable[[Any], bool]] = None) -> Any:
        """Receives messages up to the first one of a class, or that meets a condition; see `joulebook.Client`."""
        return self._run(self._client.wait_for(condition, timeout, number, where))

    def book(self, area: int, timeout: float = 30) -> LevelBook:
        """Subscribes to an area's market data, and returns a book of its levels that the client keeps."""
        return self._run(self._client.book(area, timeout=timeout)).book

    receive = _waiting(asynchronous.Client.receive)
    drain = _waiting(asynchronous.Client.drain)
    finish = _waiting(asynchronous.Client.finish)

    order = _waiting(asynchronous.Client.order)
    order_for = _waiting(asynchronous.Client.order_for)
    place = _waiting(asynchronous.Client.place)
    market_order = _waiting(asynchronous.Client.market_order)
    replace = _waiting(asynchronous.Client.replace)
    cancel = _waiting(asynchronous.Client.cancel)
    cancel_for = _waiting(asynchronous.Client.cancel_for)
    cancel_by_client_id = _waiting(asynchronous.Client.cancel_by_client_id)
    mass_cancel = _waiting(asynchronous.Client.mass_cancel)
    set_agent = _waiting(asynchronous.Client.set_agent)
    transfer_cash = _waiting(asynchronous.Client.transfer_cash)
    transfer_energy = _waiting(asynchronous.Client.transfer_energy)
    order_status = _waiting(asynchronous.Client.order_status)
    explain = _waiting(asynchronous.Client.explain)
    balance = _waiting(asynchronous.Client.balance)
    status = _waiting(asynchronous.Client.status)
    list_page = _waiting(asynchronous.Client.list_page)
    open_orders = _waiting(asynchronous.Client.open_orders)
    read_meter = _waiting(asynchronous.Client.read_meter)

    reference_data = _waiting(asynchronous.Client.reference_data)
    subscribe = _waiting(asynchronous.Client.subscribe)
    unsubscribe = _waiting(asynchronous.Client.unsubscribe)
    resume_market_data = _waiting(asynchronous.Client.resume_market_data)

    create_participant = _waiting(asynchronous.Client.create_participant)
    create_account = _waiting(asynchronous.Client.create_account)
    create_area = _waiting(asynchronous.Client.create_area)
    set_tariff = _waiting(asynchronous.Client.set_tariff)
    create_instrument = _waiting(asynchronous.Client.create_instrument)
    set_instrument_state = _waiting(asynchronous.Client.set_instrument_state)
    set_parameter = _waiting(asynchronous.Client.set_parameter)
    withdraw_parameter = _waiting(asynchronous.Client.withdraw_parameter)
    set_cap = _waiting(asynchronous.Client.set_cap)
    set_rules = _waiting(asynchronous.Client.set_rules)
    tick = _waiting(asynchronous.Client.tick)
    register_session = _waiting(asynchronous.Client.register_session)
    revoke_session = _waiting(asynchronous.Client.revoke_session)
    register_meter = _waiting(asynchronous.Client.register_meter)
    set_meter_place = _waiting(asynchronous.Client.set_meter_place)
    compensate = _waiting(asynchronous.Client.compensate)
    decide_reading = _waiting(asynchronous.Client.decide_reading)
    set_account = _waiting(asynchronous.Client.set_account)
    reset_numbers = _waiting(asynchronous.Client.reset_numbers)
    deposit = _waiting(asynchronous.Client.deposit)
    withdraw = _waiting(asynchronous.Client.withdraw)
    block = _waiting(asynchronous.Client.block)
    release = _waiting(asynchronous.Client.release)
    cancel_orders = _waiting(asynchronous.Client.cancel_orders)
    cancel_instructions = _waiting(asynchronous.Client.cancel_instructions)
    cut_session = _waiting(asynchronous.Client.cut_session)
    set_limit = _waiting(asynchronous.Client.set_limit)
