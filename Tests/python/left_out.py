"""Checks how the client encodes missing fields: as null, zero, the default of the schema, or an error."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "clients" / "python"))

from joulebook.codec import Codec  # noqa: E402

codec = Codec()


def sent(name, **fields):
    return codec.decode(codec.encode(name, fields)).fields


assert sent("CancelOrders", participant=2)["sides"] == "both"
assert sent("MassCancel", account=1)["sides"] == "both"
assert sent("MassCancel", account=1, sides="buy")["sides"] == "buy"
meter = sent("RegisterMeter", meter=1, account=1, area=1)
assert (meter["ownReadings"], meter["fromTime"]) == ("no", None), meter
assert sent("RegisterSession", sessionId=1)["selfTrade"] == "account"
order = sent("NewOrder", side="sell")
assert (order["timeInForce"], order["selfTradePrevention"]) == ("goodTillCancel", "cancelNewer"), order
for name, fields, words in [
    ("NewOrder", {}, "NewOrder needs side: one of buy, sell"),
    ("SetInstrumentState", {"instrument": 1}, "SetInstrumentState needs state: one of"),
]:
    try:
        codec.encode(name, fields)
    except ValueError as error:
        assert str(error).startswith(words), error
    else:
        raise AssertionError(f"{name} was sent without a value")
print("ok")
