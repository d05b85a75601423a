"""Sends every message of a client to a real server, and waits for every message of the server.

    every_message.py PORT OPERATOR_SEED_HEX

The exit code is 0 only when every template of the schema occurred and every answer was as expected.
"""

import asyncio
import pathlib
import secrets
import sys
import time
from xml.etree import ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients" / "python"))
from joulebook import Client, Codec, Rejected, Terminated, read_private_key  # noqa: E402

FIRM, OTHER, ANA, BEN, AREA, SPOT, SECOND, METER, EUR = 21, 22, 11, 12, 1, 1, 2, 1, 978
BOT, DESK, COPIER, RIVAL = 31, 32, 33, 34
sent, received = set(), set()
encode, decode = Codec.encode, Codec.decode


def counting_encode(self, name, fields):
    sent.add(name)
    return encode(self, name, fields)


def counting_decode(self, frame):
    message = decode(self, frame)
    assert message is not None, "a template that the schema does not know"
    received.add(message.name)
    return message


Codec.encode, Codec.decode = counting_encode, counting_decode


def new_key():
    key = read_private_key(secrets.token_bytes(32))
    return key, key.public_key().public_bytes_raw()


async def rejected(client, code, name, **fields):
    """Checks that the message is rejected with this code."""
    try:
        await client.ask(name, **fields)
    except Rejected as reject:
        assert reject.message.code == code, reject
        return
    raise AssertionError(f"{name} was not rejected")


async def found(operator, keys, meter):
    """Sends every operator's message once."""
    acts = [
        ("CreateArea", dict(area=AREA, currency=EUR, areaCode="11XEVERY", storageCost=15 * 10**10,
                            storagePrice=2 * 10**10, feedInPrice=8_000, retailPrice=30_000)),
        ("SetTariff", dict(area=AREA, feedInPrice=7_000, retailPrice=31_000))]
    acts += [("CreateInstrument", dict(instrument=number, area=AREA, symbol=f"SPOT{number}",
                                       tickSize=100, lot=100, lowestPrice=0, highestPrice=100_000))
             for number in (SPOT, SECOND)]
    acts += [("CreateParticipant", dict(participant=firm, shortName=f"firm{firm}"))
             for firm in (FIRM, OTHER)]
    for session, firm, roles in ((BOT, FIRM, ["trading", "metering"]), (DESK, FIRM, ["trading"]),
                                 (COPIER, FIRM, ["dropCopy"]), (RIVAL, OTHER, ["trading"])):
        acts.append(("RegisterSession", dict(sessionId=session, participant=firm,
                                             publicKey=keys[session][1], roles=roles)))
    for account, firm in ((ANA, FIRM), (BEN, OTHER)):
        acts += [("CreateAccount", dict(account=account, participant=firm)),
                 ("Deposit", dict(account=account, currency=EUR, amount=10**12, reference=1)),
                 ("Withdraw", dict(account=account, currency=EUR, amount=10**9, reference=2)),
                 ("SetCap", dict(account=account, area=AREA, energyCap=50_000))]
    acts.append(("RegisterMeter", dict(meter=METER, account=ANA, area=AREA, publicKey=meter)))
    acts.append(("SetMeterPlace", dict(meter=METER, place="Roof 3")))
    acts.append(("Compensate", dict(reference=1, asset="cash", currency=EUR, account1=ANA, amount1=-1, account2=BEN,
                                    amount2=1, reason="Wrong fee")))
    acts += [("ResetNumbers", dict(account=ANA)), ("ResetNumbers", dict(sessionId=RIVAL))]
    acts.append(("Tick", dict(time=time.time_ns())))
    # A new market has the newest rules, so setting them again is rejected.
    await rejected(operator, 8001, "SetRules", version=8)
    await rejected(operator, 7015, "DecideReading", number=1, releases="no")
    acts.append(("SetParameter", dict(subject="instrument", number=SPOT, parameter="highestPrice",
                                      value=200_000)))
    for value in (100_000, 300_000):
        acts.append(("SetParameter", {"subject": "instrument", "number": SPOT, "value": value,
                                      "parameter": "highestPrice", "fromTime": 7 * 10**18}))
    acts.append(("WithdrawParameter", dict(subject="instrument", number=SPOT, parameter="highestPrice")))
    for name, fields in acts:
        assert (await operator.ask(name, **fields)).name == "Ack", name
    status = await operator.ask("StatusRequest", withStateHash="yes")
    assert status.participantCount == 3 and status.instrumentCount == 2, status


async def refused(port, key):
    """Sends Negotiate and Establish messages that are rejected."""
    for session, milliseconds, answer in ((99, 5_000, "NegotiationReject"),
                                          (BOT, 5, "EstablishmentReject")):
        try:
            await Client.connect("127.0.0.1", port, session, key, keep_alive_ms=milliseconds)
            raise AssertionError("it was let in")
        except Terminated as refusal:
            assert refusal.message.name == answer, refusal


async def orders(bot, desk, rival, meter_key):
    """Enters an ask that waits, is explained, covered and traded; sends all other messages about orders."""
    ask = await bot.order(ANA, SPOT, "sell", 10_000, 3_000)
    assert ask.waitReason == "awaitingEnergy"
    why = await bot.ask("ExplainRequest", orderId=ask.orderId, account=ANA)
    assert (why.name, why.reason) == ("Explanation", "awaitingEnergy"), why
    state = await bot.ask("OrderStatusRequest", orderId=ask.orderId, account=ANA)
    assert (state.name, state.leaves, state.covered) == ("OrderStatus", 3_000, 0), state
    quarter, now = 900 * 10**9, time.time_ns()
    bot.meter_reading(meter_key, METER, 1, now - quarter, now, 5_000, 0)
    await bot.wait_for(lambda m: m.name == "Restated" and m.covered == 3_000)
    if "MeterReadingAck" not in received:
        await bot.wait_for(lambda m: m.name == "MeterReadingAck")
    noted = await rival.order(BEN, SPOT, "buy", 10_000, 1_000, display_quantity=500, note="order 17")
    assert noted.name == "Accepted"
    await bot.wait_for(lambda m: m.name == "Trade" and m.quantity == 1_000)
    number = bot.send("Replace", orderId=ask.orderId, clientOrderId=time.time_ns(), price=11_000,
                      quantity=2_000, account=ANA)
    await bot.wait_for(lambda m: m.name == "Replaced" and m.leaves == 1_000, number=number)
    await bot.cancel(ANA, ask.orderId)
    entered = await desk.order(ANA, SPOT, "buy", 5_000, 1_000, on_behalf_of=BOT)
    assert entered.name == "Ack"
    await bot.wait_for(lambda m: m.name == "Accepted" and m.price == 5_000)
    cancel = await bot.ask("MassCancel", account=ANA, sides="both")
    assert (cancel.name, cancel.orderCount) == ("MassCancelReport", 1), cancel
    agent = await bot.ask("SetAgent", account=ANA, instrument=SECOND, sellPrice=20_000,
                          sellAbove=1_000, target=500, flags=["sells"])
    assert agent.name == "AgentReport"
    moved = await bot.ask("Transfer", clientOrderId=time.time_ns(), fromAccount=ANA, toAccount=BEN,
                          asset="cash", currency=EUR, amount=100)
    assert moved.name == "TransferReport"
    assert (await bot.balance(ANA, AREA)).energy == 4_000
    await rejected(bot, 6001, "Cancel", account=ANA, orderId=12345)
    await bot.ask("Transfer", clientOrderId=time.time_ns(), fromAccount=ANA, toAccount=BEN,
                  asset="cash", currency=EUR, amount=1)


async def market(watcher, rival, operator):
    """Requests reference data and all views of the market data."""
    watcher.send("ReferenceDataRequest")
    end = await watcher.wait_for(lambda m: m.name == "ReferenceDataEnd")
    assert (end.areaCount, end.instrumentCount) == (1, 2), end
    watcher.send("MarketDataSubscribe", area=AREA, snapshot="orders")
    last = await watcher.wait_for(lambda m: m.name == "SnapshotEnd")
    bid = await rival.order(BEN, SPOT, "buy", 9_000, 2_000)
    await watcher.wait_for(lambda m: m.name == "OrderAdd" and m.orderId == bid.orderId)
    rival.send("Replace", orderId=bid.orderId, clientOrderId=time.time_ns(), price=9_000,
               quantity=1_500, account=BEN)
    await watcher.wait_for(lambda m: m.name == "OrderModify" and m.total == 1_500)
    await watcher_sells(watcher)
    await watcher.wait_for(lambda m: m.name == "OrderModify" and m.total == 1_000)
    await rival.cancel(BEN, bid.orderId)
    await watcher.wait_for(lambda m: m.name == "OrderDelete" and m.orderId == bid.orderId)
    for state in ("halted", "open"):
        await operator.ask("SetInstrumentState", instrument=SPOT, state=state)
        await watcher.wait_for(lambda m: m.name == "StateChange" and m.state == state)
    watcher.send("MarketDataSubscribe", area=AREA, snapshot="levels")
    await watcher.wait_for(lambda m: m.name == "LevelSnapshot")
    again = await watcher.wait_for(lambda m: m.name == "SnapshotEnd")
    bid = await rival.order(BEN, SPOT, "buy", 9_100, 2_000)
    await watcher.wait_for(lambda m: m.name == "LevelUpdate" and m.orderCount == 1)
    for view, name in (("orders", "OrderAdd"), ("levels", "LevelUpdate")):
        watcher.send("MarketDataResume", area=AREA, fromSeqNo=again.seqNo + 1, view=view)
        await watcher.wait_for(lambda m: m.name == name and m.seqNo == again.seqNo + 1)
    await rejected(watcher, 8007, "MarketDataResume", area=AREA, fromSeqNo=10**6)
    watcher.send("MarketDataSubscribe", area=AREA, snapshot="top")
    await watcher.wait_for(lambda m: m.name == "TopOfBook" and m.bidPrice == 9_100)
    assert (await watcher.ask("MarketDataUnsubscribe", area=AREA)).name == "Ack"
    assert again.seqNo > (last.seqNo or 0)


async def watcher_sells(watcher):
    """Sells half a kWh to the bid from the observing session, so that the market data reports a trade."""
    watcher.send("NewOrder", clientOrderId=time.time_ns(), account=ANA, instrument=SPOT,
                 side="sell", price=9_000, quantity=500, timeInForce="immediateOrCancel")
    await watcher.wait_for(lambda m: m.name == "MarketTrade" and m.quantity == 500)


async def unnamed(operator):
    """Sends the remaining commands of operators with missing fields; each must be answered, perhaps by a
    reject."""
    mark = "{urn:joulebook:command}"
    schema = pathlib.Path(__file__).resolve().parents[2] / "proto" / "joulebook.xml"
    for message in ElementTree.parse(schema).getroot():
        if message.get(mark + "role") == "administration" and message.get("name") not in sent:
            try:
                await operator.ask(message.get("name"))
            except Rejected:
                pass


async def session(port, key):
    """Sends the messages of the session: keep-alive, gaps, retransmission, finishing."""
    bot = await Client.connect("127.0.0.1", port, BOT, key, keep_alive_ms=1_000,
                               cancel_after_ms=None)
    order = await bot.order(ANA, SPOT, "buy", 1_000, 100)
    bot._next_seq_no += 3
    bot.send("BalanceRequest", account=ANA, area=AREA)
    gap = await bot.wait_for(lambda m: m.name == "NotApplied")
    assert gap.missing == 3
    bot._writer.write(bot._codec.encode("RetransmitRequest", {
        "sessionVersion": bot.position.session_version, "fromSeqNo": 10**6, "count": 1}))
    refusal = await bot.wait_for(lambda m: m.name == "RetransmitReject")
    assert refusal.code == 1016, refusal
    for _ in range(100):
        if "Sequence" in received:
            break
        await asyncio.sleep(0.2)
    position = bot.position
    bot.drop()
    back = await Client.connect("127.0.0.1", port, BOT, key, cancel_after_ms=0, resume=type(position)(
        position.session_version, 1))
    again = await back.wait_for(lambda m: m.name == "Accepted")
    assert again.orderId == order.orderId
    await back.finish()
    await back.close()


async def rights(rival, operator):
    """Blocks, limits and cuts, by the methods of the client."""
    bid = await rival.order(BEN, SPOT, "buy", 1_000, 1_000)
    acts = [operator.cancel_orders(order_id=bid.orderId), operator.cancel_instructions(participant=OTHER),
            operator.set_limit("orderQuantity", 500, account=BEN)]
    for act in acts:
        answer = await act
        assert answer.name == "Ack", answer
    await rival.wait_for(lambda m: m.name == "Canceled" and m.orderId == bid.orderId)
    for refusing, code, granting in (
            (None, 6011, operator.set_limit("orderQuantity", 0, account=BEN)),
            (operator.block(account=BEN), 6010, operator.release(account=BEN))):
        if refusing is not None:
            assert (await refusing).name == "Ack"
        try:
            await rival.order(BEN, SPOT, "buy", 1_000, 1_000)
            raise AssertionError("the order was accepted")
        except Rejected as refusal:
            assert refusal.message.code == code, refusal
        assert (await granting).name == "Ack"
    await rival.order(BEN, SPOT, "buy", 1_000, 1_000)
    assert (await operator.cut_session(BOT)).name == "Ack"


async def readings(bot, operator, meter_key):
    """A late reading, its next version, one that is quarantined and released, an unsigned one, and their lists."""
    quarter, end = 900 * 10**9, time.time_ns() - 3_600 * 10**9
    first = await bot.read_meter(meter_key, METER, 2, end - quarter, end, 1_000, 0)
    assert (first.isLaterVersion, first.quality, first.isUncounted) == ("no", "measured", "no"), first
    second = await bot.read_meter(meter_key, METER, 3, end - quarter, end, 400, 0, quality="substituted")
    assert (second.isLaterVersion, second.previousSequence, second.producedDifference) == ("yes", 2, -600), second
    try:
        await bot.read_meter(meter_key, METER, 4, end - 4 * quarter, end - 3 * quarter, 10**6, 0)
        raise AssertionError("4 MW were accepted")
    except Rejected as refusal:
        assert refusal.code == 7007, refusal
    kept = await bot.wait_for(lambda m: m.name == "ReadingQuarantined")
    assert (kept.meter, kept.produced, kept.code) == (METER, 10**6, 7007), kept
    (row,), _ = await bot.list_page("quarantine", scope="all")
    assert (row.name, row.number, row.code, row.account) == ("QuarantineRow", kept.number, 7007, ANA), row
    assert (await operator.decide_reading(kept.number, True)).name == "Ack"
    released = await bot.wait_for(lambda m: m.name == "MeterReadingAck" and m.refSeqNo is None)
    assert released.intervalEnd == end - 3 * quarter, released
    rows, _ = await bot.list_page("readings", scope="all", meter=METER)
    assert [row.registerSequence for row in rows][:2] == [4, 3] and rows[1].quality == "substituted", rows
    (gap, *_), _ = await bot.list_page("gaps", meter=METER)
    assert (gap.name, gap.gapStart, gap.gapEnd) == ("ReadingGapRow", end - 3 * quarter, end - quarter), gap
    attested = METER + 1
    assert (await operator.register_meter(attested, ANA, AREA, bytes(32), attestation="meteringOperator",
                                          technology="solar")).name == "Ack"
    assert (await bot.read_meter(None, attested, 1, end - quarter, end, 0, 10)).consumed == 10


async def lists(bot, operator):
    assert (await operator.set_limit("openOrders", 1_000, account=BEN)).name == "Ack"
    assert (await operator.block(account=BEN, keep_orders=True)).name == "Ack"
    (limit,), _ = await operator.list_page("limits", account=BEN)
    assert (limit.name, limit.kind, limit.inForce, limit.ofOperator) == ("LimitRow", "openOrders", 1_000, 1_000)
    (block,), _ = await operator.list_page("blocks", scope="all")
    assert (block.name, block.account, block.byOperator) == ("BlockRow", BEN, "yes")
    assert (await operator.release(account=BEN)).name == "Ack"
    assert (await operator.set_limit("openOrders", 0, account=BEN)).name == "Ack"
    for kind in ("orders", "accounts", "instructions", "meters", "limits", "blocks", "areas", "instruments"):
        rows = [row async for row in bot.list_all(kind, count=1)]
        whole, end = await bot.list_page(kind)
        assert len(rows) == len(whole) and end.cursor is None, (kind, len(rows), len(whole))
    assert (await operator.set_account(BEN, label="Flat 3")).name == "Ack"
    rows, _ = await operator.list_page("accounts", scope="all", account=BEN)
    assert (rows[0].label, rows[0].isClosed) == ("Flat 3", "no"), rows[0]
    for kind in ("participants", "sessions", "house", "accounts", "meters"):
        rows, end = await operator.list_page(kind, scope="all")
        assert rows and end.rowCount > 0, kind
    moment = 7 * 10**18
    assert (await operator.set_parameter("instrument", SPOT, "takerFee", 10_000, moment)).name == "Ack"
    meter = [row async for row in operator.list_all("meters", scope="all")][0]
    assert (await operator.register_meter(METER, 0, 0, bytes(32), from_time=moment)).name == "Ack"
    (fee, end), _ = await operator.list_page("changes", scope="all")
    assert (fee.name, fee.parameter, fee.present, fee.value) == ("ParameterChangeRow", "takerFee", 0, 10_000), fee
    assert (end.name, end.account, end.newAccount) == ("MeterChangeRow", meter.account, None), end
    assert (await operator.withdraw_parameter("instrument", SPOT, "takerFee", moment)).name == "Ack"
    assert (await operator.register_meter(METER, end.account, end.area, end.publicKey)).name == "Ack"
    assert not (await operator.list_page("changes", scope="all"))[0]
    count = (await operator.status()).tradeCount
    for _ in range(300):
        # The ledger settles trades a little later than they happen.
        trades = [row async for row in operator.list_all("trades", scope="all", count=1)]
        if len(trades) == 2 * count:
            break
        await asyncio.sleep(0.1)
    assert len(trades) == 2 * count > 0, (len(trades), count)
    assert all(row.name == "TradeRow" for row in trades)
    moment = trades[-1].tradeTime
    before, _ = await operator.list_page("trades", scope="all", to_time=moment)
    since, _ = await operator.list_page("trades", scope="all", from_time=moment)
    assert [row.tradeId for row in before + since] == [row.tradeId for row in trades[:len(before + since)]]
    try:
        await operator.list_page("trades", scope="all", from_time=2, to_time=1)
        raise AssertionError("a period that ends before it begins was accepted")
    except Rejected as refusal:
        assert refusal.message.code == 9033, refusal


async def main(port, operator_seed):
    port = int(port)
    keys = {number: new_key() for number in (BOT, DESK, COPIER, RIVAL)}
    meter_key, meter = new_key()
    operator = await Client.connect("127.0.0.1", port, 1,
                                    read_private_key(bytes.fromhex(operator_seed)))
    await found(operator, keys, meter)
    await refused(port, keys[BOT][0])
    bot, desk, copier, rival = [
        await Client.connect("127.0.0.1", port, number, keys[number][0])
        for number in (BOT, DESK, COPIER, RIVAL)]
    await orders(bot, desk, rival, meter_key)
    await copier.wait_for(lambda m: m.name == "ReportCopy" and m.originSession == BOT)
    await copier.wait_for(lambda m: m.name == "Trade")
    # The copy of another session's reject must not be taken for a reject of this session.
    waited = {"SettlementNotice", "TransferReport"}
    while waited:
        report = await copier.wait_for(
            lambda m: m.name in waited and m.fields.get("amount") in (None, 1))
        waited.discard(report.name)
        assert copier.position.next_report == report.seqNo + 1, "copies and notices are reports"
    await market(bot, rival, operator)
    await unnamed(operator)
    await readings(bot, operator, meter_key)
    await lists(bot, operator)
    await bot.close()
    await session(port, keys[BOT][0])
    await rights(rival, operator)
    for client in (desk, copier, rival, operator):
        await client.close()
    await asyncio.sleep(0.5)
    missed = {m.name for m in Codec().schema.messages.values()} - sent - received
    assert not missed, f"never met: {', '.join(sorted(missed))}"
    print(f"{len(sent)} messages sent, {len(received)} received, none of {len(sent | received)} missed")


asyncio.run(main(*sys.argv[1:3]))
