"""What operators and administrators of participants send, a method for each message. Each is answered with Ack, or
raises `Rejected`; then nothing has changed."""

from __future__ import annotations

from typing import Any, Optional, cast

from .market import MarketData
from .messages import Ack, words
from .units import Energy, Money, Price


class Operating(MarketData):
    """Participants, sessions, accounts, meters, areas, instruments, cash, blocks and limits."""

    async def _act(self, name: str, **fields: Any) -> Ack:
        return cast(Ack, await self._request(name, fields))

    # What there is

    async def create_participant(self, participant: int, short_name: str) -> Ack:
        """Admits a participant; `short_name` has up to 16 ASCII characters."""
        return await self._act("CreateParticipant", participant=participant, shortName=short_name)

    async def create_account(self, account: int, participant: int, label: str = "") -> Ack:
        """Opens an account of a participant; `label` has up to 16 ASCII characters, empty: none."""
        return await self._act("CreateAccount", account=account, participant=participant, label=label)

    async def create_area(self, area: int, area_code: str, storage_cost: Money, storage_price: Money,
                          feed_in_price: Price, retail_price: Price, currency: int = 978,
                          loss_factor: int = 0) -> Ack:
        """Opens a market area: the yearly storage cost per user and the storage price per kWh of capacity, the grid's
        prices, and the part of produced energy that is lost, in 1e-6."""
        return await self._act(
            "CreateArea", area=area, areaCode=area_code, storageCost=storage_cost, storagePrice=storage_price,
            feedInPrice=feed_in_price, retailPrice=retail_price, currency=currency, lossFactor=loss_factor)

    async def set_tariff(self, area: int, feed_in_price: Price, retail_price: Price) -> Ack:
        """Changes the prices of the grid around an area."""
        return await self._act("SetTariff", area=area, feedInPrice=feed_in_price, retailPrice=retail_price)

    async def create_instrument(self, instrument: int, area: int, symbol: str, tick_size: Price, lot: Energy,
                                lowest_price: Price, highest_price: Price, maker_fee: int = 0,
                                taker_fee: int = 0) -> Ack:
        """Lists an instrument, which starts open; fees in 1e-6 of the notional."""
        return await self._act(
            "CreateInstrument", instrument=instrument, area=area, symbol=symbol, tickSize=tick_size, lot=lot,
            lowestPrice=lowest_price, highestPrice=highest_price, makerFee=maker_fee, takerFee=taker_fee)

    async def set_instrument_state(self, instrument: int, state: words.InstrumentState) -> Ack:
        """Opens, halts or closes an instrument; closed is final."""
        return await self._act("SetInstrumentState", instrument=instrument, state=state)

    async def set_cap(self, account: int, area: int, cap: Energy) -> Ack:
        """Sets how much energy an account may hold in an area."""
        return await self._act("SetCap", account=account, area=area, energyCap=cap)

    async def set_rules(self, version: int) -> Ack:
        """Puts a newer version of the market rules in force."""
        return await self._act("SetRules", version=version)

    async def tick(self, time: int) -> Ack:
        """Moves the clock of an exchange on driven time, in ns since 1970."""
        return await self._act("Tick", time=time)

    # Who may do what

    async def block(self, participant: int = 0, account: Optional[int] = None, session: int = 0,
                    keep_orders: bool = False) -> Ack:
        """Blocks one of the three: no new orders, instructions or transfers. Its open orders and standing
        instructions are cancelled unless `keep_orders` is given. For operators and administrators."""
        return await self._act("SetBlock", participant=participant, account=account, sessionId=session,
                               releases="no", keepsOrders="yes" if keep_orders else "no")

    async def release(self, participant: int = 0, account: Optional[int] = None,
                      session: int = 0) -> Ack:
        """Releases what `block` blocked."""
        return await self._act("SetBlock", participant=participant, account=account, sessionId=session,
                               releases="yes", keepsOrders="no")

    async def cancel_orders(self, participant: int = 0, account: Optional[int] = None,
                            session: int = 0, instrument: Optional[int] = None, sides: words.Sides = "both",
                            order_id: Optional[int] = None) -> Ack:
        """Cancels open orders of a participant or of a session, or the one order `order_id`, for an operator
        or an administrator. The others of the arguments narrow it down."""
        if not participant and not session and order_id is None:
            raise ValueError("name the participant, the session or the order: whose orders are cancelled?")
        return await self._act("CancelOrders", participant=participant, account=account,
                               instrument=instrument, sides=sides, orderId=order_id, sessionId=session)

    async def cancel_instructions(self, participant: int = 0, account: Optional[int] = None,
                                  session: int = 0, instrument: Optional[int] = None) -> Ack:
        """Removes standing instructions of a participant or of a session; their open orders stand."""
        if not participant and not session:
            raise ValueError("name the participant or the session whose instructions are removed")
        return await self._act("CancelInstructions", participant=participant, account=account,
                               instrument=instrument, sessionId=session)

    async def cut_session(self, session: int) -> Ack:
        """Ends a session's connection now; its client gets Terminate with 3013 and may log on again."""
        return await self._act("CutSession", sessionId=session)

    async def set_limit(self, kind: words.LimitKind, value: int, participant: int = 0,
                        account: Optional[int] = None, session: int = 0) -> Ack:
        """Sets a limit; `value` 0 removes it. Kinds: of a session messagesPerSecond; of an account
        orderQuantity (Wh), openOrders, dailyNotional and cashAtRisk (1e-8 currency); of a participant
        accounts and sessions, for its administrator."""
        return await self._act("SetLimit", participant=participant, account=account, sessionId=session,
                               kind=kind, value=value)

    async def register_session(self, session_id: int, participant: int, public_key: bytes,
                               roles: words.Roles, orders: words.SessionOrders = "standard",
                               self_trade: words.SelfTradeScope = "unchanged") -> Ack:
        """Registers the key of a session identity, or replaces its key and roles. Needs the role
        administration, or participantAdministration for sessions of the own participant that only trade or
        get drop copies.

        `public_key` is the 32 bytes of an Ed25519 key; `roles` has some of trading, metering, administration,
        dropCopy, participantAdministration, surveillance. Another key than before ends the session's
        connections and removes its standing instructions; `orders` says whether its open orders stay: keep,
        cancel, or standard (they are cancelled only when the session is revoked). `self_trade` says between which
        orders self-trades are prevented: of one account, of all accounts of the participant, or unchanged."""
        return await self._act("RegisterSession", sessionId=session_id, participant=participant,
                               publicKey=public_key, roles=roles, orders=orders, selfTrade=self_trade)

    async def revoke_session(self, session_id: int, orders: words.SessionOrders = "standard") -> Ack:
        """Revokes a session identity: ends its connections, and removes its standing instructions. Needs the
        role administration, or participantAdministration of the own participant, and version 4 of the market
        rules. `orders` is keep or cancel."""
        return await self.register_session(session_id, 0, bytes(32), [], orders)

    async def set_account(self, account: int, label: str = "",
                          state: words.AccountState = "unchanged") -> Ack:
        """Labels an account, closes it ("closed") or opens it again ("open"), for an operator or the administrator
        of its participant. `label` has up to 16 ASCII characters; empty: as before. Closing is refused while
        orders, cash, energy or meters are left (6017, 6018, 6019)."""
        return await self._act("SetAccount", account=account, label=label, state=state)

    async def reset_numbers(self, session_id: Optional[int] = None,
                            account: Optional[int] = None) -> Ack:
        """Sets the last version of a session, whose connections end, or the last client order id of an account
        without open orders, to 0. Name one of the two. Needs the role administration."""
        return await self._act("ResetNumbers", sessionId=session_id or 0, account=account)

    async def deposit(self, account: int, amount: Money, reference: int, source: int = 0,
                      currency: int = 978) -> Ack:
        """Credits cash to an account, for an operator; returns the Ack.

        `amount` is in 1e-8 of the currency, or text such as "12.50". A `reference` takes effect once per `source`, in
        any order; source 0 has one series of references for each account."""
        return await self._act("Deposit", account=account, amount=amount, reference=reference,
                               source=source, currency=currency)

    async def withdraw(self, account: int, amount: Money, reference: int, source: int = 0,
                       currency: int = 978) -> Ack:
        """Debits free cash of an account, for an operator; like `deposit`."""
        return await self._act("Withdraw", account=account, amount=amount, reference=reference,
                               source=source, currency=currency)

    async def register_meter(self, meter: int, account: int, area: int, public_key: bytes,
                             capacity: int = 0, from_time: int = 0,
                             own_readings: bool = False,
                             attestation: words.MeterAttestation = "device",
                             technology: words.MeterTechnology = "unknown") -> Ack:
        """Registers a meter, for an operator, or changes a registered one; returns the Ack.

        A change gives it another key or account (0 ends it): intervals that begin before `from_time`
        (ns since 1970; 0: now) belong to the former ones. `own_readings` lets trading sessions of the
        account's participant send its readings; otherwise the role metering is needed. `attestation` says who answers
        for its readings, `technology` what it measures; both hold at once."""
        return await self._act("RegisterMeter", meter=meter, account=account, area=area,
                               publicKey=public_key, capacity=capacity,
                               ownReadings="yes" if own_readings else "no", fromTime=_moment(from_time),
                               attestation=attestation, technology=technology)

    async def set_meter_place(self, meter: int, place: str) -> Ack:
        """Says where a meter stands, for an operator: up to 16 ASCII characters; returns the Ack."""
        return await self._act("SetMeterPlace", meter=meter, place=place)

    async def compensate(self, reference: int, asset: words.AssetKind, legs: list[tuple[int, int]], *,
                         currency: int = 0, area: int = 0, reason: str = "") -> Ack:
        """Mends a difference of the ledger, for an operator; returns the Ack. The exchange's balances stay.

        `legs` are two or three pairs of an account and the amount that it gets in the ledger, negative when it gives, in
        1e-8 or Wh; they add up to 0. Rejected with 8006 when the reference is not above that of the last compensation."""
        fields: dict[str, object] = {}
        for number, (account, amount) in enumerate(legs, 1):
            fields |= {f"account{number}": account, f"amount{number}": amount}
        return await self._act("Compensate", reference=reference, asset=asset, currency=currency, area=area,
                               reason=reason, **fields)

    async def decide_reading(self, number: int, releases: bool) -> Ack:
        """Releases a reading from quarantine, or refuses it, for an operator; returns the Ack. Rejected with 7015
        when no reading has this number, and with the reading's own code when it cannot be applied."""
        return await self._act("DecideReading", number=number, releases="yes" if releases else "no")

    async def set_parameter(self, subject: words.ParameterSubject, number: int, parameter: words.Parameter,
                            value: int, from_time: int = 0) -> Ack:
        """Changes a parameter of an instrument or an area, for an operator; returns the Ack.

        `subject` is "instrument" (parameters lowestPrice, highestPrice, tick, lot, makerFee, takerFee)
        or "area" (storageCost, storagePrice, lossFactor, feedInPrice, retailPrice, ownUse in seconds, localFirst
        0 or 1, readingWindow in seconds, mintedQuality 0 to 2, unsettledLimit in 1e-8); `value` is a whole number in the unit of the definition.
        `from_time` is when the change takes effect, in ns since 1970 and later than now; 0: at once."""
        return await self._act("SetParameter", subject=subject, number=number, parameter=parameter,
                               value=value, fromTime=_moment(from_time))

    async def withdraw_parameter(self, subject: words.ParameterSubject, number: int,
                                 parameter: words.Parameter, from_time: int = 0) -> Ack:
        """Withdraws announced changes of a parameter before they take effect, for an operator; returns the Ack.

        `from_time` is the moment for which they were announced, in ns since 1970; 0: any. What waits:
        `list_all("changes")`. Rejected with 8016 when nothing does."""
        return await self._act("WithdrawParameter", subject=subject, number=number, parameter=parameter,
                               fromTime=from_time)


def _moment(value: int) -> int:
    """A moment in ns since 1970; 0: at once. None would be the wire's null, which means at once too."""
    if value is None:
        raise TypeError("from_time None is no moment: write ns since 1970, or 0 for at once")
    return value
