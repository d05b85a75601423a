"""Prices, money and energy: exact numbers of the wire from what people write.

    price_units("0.21")       21_000          1e-5 currency per kWh
    price_units(21_000)       21_000          a whole number is in the wire's unit already
    money_units(Decimal("12.50"))             1e-8 currency
    energy_units("1.5kWh")    1_500           Wh

A float is refused: 0.1 + 0.2 is not 0.3, and an exchange must not guess.
"""

from __future__ import annotations

import operator
import re
from decimal import Context, Decimal, InvalidOperation
from typing import Union

#: A price: a whole number of 1e-5 currency per kWh; or Decimal or text in currency per kWh ("0.21").
Price = Union[int, Decimal, str]
#: Money: a whole number of 1e-8 currency; or Decimal or text in currency ("12.50").
Money = Union[int, Decimal, str]
#: Energy: a whole number of Wh, also as Decimal or text ("1500"); or text with a unit ("1.5kWh", "2 MWh").
Energy = Union[int, Decimal, str]

_ENERGY = re.compile(r"\s*([-+]?[0-9.]+)\s*([kMG]?Wh)?\s*", re.ASCII)
# As many digits as anybody writes, so that nothing is rounded on the way.
_DIGITS = Context(prec=400)
_PREFIXES = {"Wh": 1, "kWh": 10**3, "MWh": 10**6, "GWh": 10**9}


def price_units(value: Price) -> int:
    """The price in 1e-5 currency per kWh. Raises `TypeError` for a float, `ValueError` for a text that is no number
    or has more than five decimals."""
    return _scaled(value, 5, "price", "currency per kWh", '"0.21" or Decimal("0.21") for 0.21 per kWh, or 21000')


def money_units(value: Money) -> int:
    """The amount in 1e-8 currency. Raises like `price_units`, for more than eight decimals."""
    return _scaled(value, 8, "amount", "currency", '"12.50" or Decimal("12.50"), or 1250000000')


def energy_units(value: Energy) -> int:
    """The energy in Wh. Raises `TypeError` for a float, `ValueError` for a text that is no energy, and for what is
    not a whole number of Wh."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        match = _ENERGY.fullmatch(value)
        if not match:
            raise ValueError(f'{value!r} is no energy: write "1.5kWh", "1500Wh" or 1500 (Wh)')
        number, unit = _number(match[1], value), match[2] or "Wh"
    elif isinstance(value, Decimal):
        number, unit = _plain(value, value), "Wh"
    else:
        return _whole(value, "energy", '"1.5kWh", or a whole number of Wh such as 1500')
    return _exact(_DIGITS.multiply(number, Decimal(_PREFIXES[unit])), value, 'of Wh; with a unit, write "1.5kWh"')


def _scaled(value: Price, decimals: int, what: str, unit: str, example: str) -> int:
    if type(value) is int:
        return value
    if isinstance(value, (str, Decimal)):
        number = _number(value, value) if isinstance(value, str) else _plain(value, value)
        return _exact(_DIGITS.scaleb(number, decimals), value,
                      f"of 1e-{decimals} {unit}")
    return _whole(value, what, example)


def _number(text: str, whole: str) -> Decimal:
    if "_" in text or not text.isascii():
        # Python takes both for numbers; who writes them means something else.
        raise ValueError(f"{whole!r} is no number: write it with the digits 0 to 9 and a point, such as 0.21")
    try:
        return _plain(Decimal(text), whole)
    except InvalidOperation:
        hint = "; the decimal separator is a point" if "," in whole else ""
        raise ValueError(f"{whole!r} is no number{hint}") from None


def _plain(number: Decimal, value: object) -> Decimal:
    """The number, if it has a size that is exact in `_DIGITS`; an exponent of a million takes minutes to write out."""
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{value} is not a whole number of any unit")
    if len(digits) > 100 or abs(exponent) > 100:
        raise ValueError(f"{str(value)[:40]} is no number that an exchange takes: at most 100 digits")
    return number


def _exact(number: Decimal, value: object, unit: str) -> int:
    if not number.is_finite() or number != number.to_integral_value():
        raise ValueError(f"{value} is not a whole number {unit}")
    return int(number)


def _whole(value: object, what: str, example: str) -> int:
    """A whole number of another type than int, such as numpy's."""
    if not isinstance(value, bool):
        try:
            return operator.index(value)  # type: ignore[arg-type]
        except TypeError:
            pass
    raise TypeError(f"{what} {value!r} is a {type(value).__name__}, which is not exact: write {example}"
                    if isinstance(value, float) else f"{what} {value!r} is no number: write {example}")
