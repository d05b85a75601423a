"""The codec: words, units and errors; the golden vectors when the repository is there."""

import json
import pathlib
import unittest
from decimal import Decimal

from joulebook import Codec, energy_units, money_units, price_units

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "proto" / "vectors" / "joulebook.json"


class Units(unittest.TestCase):
    def test_exact(self):
        for given, expected in ((21_000, 21_000), ("0.21", 21_000), (Decimal("0.21"), 21_000), ("-0.05", -5_000),
                                ("1e-5", 1), (Decimal("12"), 1_200_000)):
            self.assertEqual(price_units(given), expected)
        for given, expected in ((1_500, 1_500), ("1500", 1_500), ("1.5kWh", 1_500), ("2 MWh", 2_000_000),
                                (Decimal("1500"), 1_500), ("500Wh", 500)):
            self.assertEqual(energy_units(given), expected)
        self.assertEqual(money_units("12.50"), 1_250_000_000)

    def test_refused(self):
        for function, given, kind, words in (
                (price_units, "1e-9999999", ValueError, "100 digits"), (price_units, "1e99999999", ValueError, "100 digits"),
                (price_units, "0.1" + "0" * 400 + "1", ValueError, "100 digits"),
                (energy_units, Decimal("sNaN"), ValueError, "whole"),
                (price_units, 0.21, TypeError, '"0.21"'), (price_units, 21_000.0, TypeError, "not exact"),
                (price_units, "0,21", ValueError, "separator is a point"), (price_units, "0.123456", ValueError, "1e-5"),
                (price_units, Decimal("0.210000000000000000000000000000000001"), ValueError, "whole"),
                (price_units, "NaN", ValueError, "whole"), (price_units, True, TypeError, "no number"),
                (price_units, "0_1", ValueError, "digits 0 to 9"), (price_units, "٠.٢", ValueError, "digits 0 to 9"),
                (money_units, "1_000", ValueError, "digits 0 to 9"), (energy_units, "1_0kWh", ValueError, '"1.5kWh"'),
                (energy_units, "٥kWh", ValueError, '"1.5kWh"'),
                (price_units, None, TypeError, "no number"), (energy_units, 1.5, TypeError, '"1.5kWh"'),
                (energy_units, "1.5", ValueError, '"1.5kWh"'), (energy_units, "1.5kwh", ValueError, "1.5kWh"),
                (energy_units, "5kW", ValueError, "no energy"), (money_units, 12.5, TypeError, '"12.50"')):
            with self.subTest(given=given), self.assertRaises(kind) as caught:
                function(given)
            self.assertIn(words, str(caught.exception))


class Frames(unittest.TestCase):
    codec = Codec()

    def test_wrong_words(self):
        for name, fields, kind, words in (
                ("NewOrder", dict(side="sel"), ValueError, "one of buy, sell, not 'sel'; did you mean sell?"),
                ("SetAccount", dict(account=1, label=5), TypeError, "text of up to 16 ASCII characters, not 5"),
                ("NewOrder", dict(side=1), ValueError, "one of buy, sell"),
                ("NewOrder", {}, ValueError, "needs side: one of buy, sell"),
                ("NewOrder", dict(side="sell", quantitiy=1), ValueError, "did you mean quantity?"),
                ("NewOrdr", {}, ValueError, "did you mean NewOrder?"),
                ("NewOrder", dict(side="sell", price=0.21), TypeError, "NewOrder.price"),
                ("NewOrder", dict(side="sell", price=None), TypeError, "NewOrder.price is a number and cannot be None"),
                ("SetLimit", dict(kind="openOrders", value=None), TypeError, "cannot be None"),
                ("NewOrder", dict(side="sell", account=1.0), TypeError, "whole number"),
                ("NewOrder", dict(side="sell", account=-1), ValueError, "does not fit"),
                ("NewOrder", dict(side="sell", flags="postOnly"), TypeError, "['postOnly']"),
                ("NewOrder", dict(side="sell", flags=["postOny"]), ValueError, "did you mean postOnly?"),
                ("CreateParticipant", dict(shortName="x" * 17), ValueError, "at most 16"),
                ("CreateParticipant", dict(shortName="Überl"), ValueError, "ASCII"),
                ("RegisterSession", dict(publicKey=b"short"), ValueError, "32 bytes")):
            with self.subTest(name=name, fields=fields), self.assertRaises(kind) as caught:
                self.codec.encode(name, fields)
            self.assertIn(words, str(caught.exception))

    def test_messages(self):
        accepted = self.codec.message("Accepted", orderId=5, side="sell", price="0.12")
        self.assertEqual((accepted.name, accepted.orderId, accepted.price, accepted.clientOrderId),
                         ("Accepted", 5, 12_000, None))
        with self.assertRaisesRegex(AttributeError, "no field coverd; did you mean covered"):
            accepted.coverd
        with self.assertRaises(AttributeError):
            accepted.price = 1
        row = self.codec.message("ParticipantRow", name="Ana")
        self.assertEqual((row.name, row.fields["name"]), ("ParticipantRow", "Ana"))

    def test_former_names(self):
        self.assertEqual(self.codec.encode("SetCap", dict(account=1, area=2, cap=5)),
                         self.codec.encode("SetCap", dict(account=1, area=2, energyCap=5)))
        balance = self.codec.message("BalanceUpdate", cap=7)
        self.assertEqual((balance.energyCap, balance.cap, balance.fields["cap"]), (7, 7, 7))

    def test_other_versions(self):
        status = self.codec.encode("Status", dict(meterCount=7, rulesVersion=3))
        block = int.from_bytes(status[4:6], "little")
        # Without the last two fields.
        old = bytearray(status[:-16])
        old[0:2], old[4:6] = len(old).to_bytes(2, "little"), (block - 16).to_bytes(2, "little")
        read = self.codec.decode(bytes(old))
        self.assertEqual((read.meterCount, read.rulesVersion), (7, None))
        new = bytearray(status + bytes(8))
        new[0:2], new[4:6] = len(new).to_bytes(2, "little"), (block + 8).to_bytes(2, "little")
        self.assertEqual(self.codec.decode(bytes(new)), self.codec.decode(status))
        unknown = bytearray(status)
        unknown[6:8] = (999).to_bytes(2, "little")
        self.assertIsNone(self.codec.decode(bytes(unknown)))
        for wrong in (b"", status[:20], b"GET / HTTP/1.1\r\n\r\n", status[:-4]):
            with self.assertRaises(ValueError):
                self.codec.decode(wrong)

    @unittest.skipUnless(VECTORS.exists(), "the golden vectors are in the repository")
    def test_vectors(self):
        for vector in json.loads(VECTORS.read_text()):
            frame = bytes.fromhex(vector["frame"])
            message = self.codec.decode(frame)
            self.assertEqual(message.name, vector["message"])
            self.assertEqual(self.codec.encode(message.name, message.fields), frame, vector["message"])


if __name__ == "__main__":
    unittest.main()
