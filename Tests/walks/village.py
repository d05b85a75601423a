"""A village of 100 households in two areas, as a market file and as a model.

The model books readings and trades by docs/MARKET-RULES.md alone, in exact integers: money in 1e-8, energy in Wh, prices
in 1e-5 a kWh, rates in millionths. Nothing of it comes from the program.
"""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HOUSEHOLDS = 100
SPLIT = 60                                   # Households from this number on are in area 2.
METERING = 150                               # Participant and session that send all readings.
LOT = 1_000
CAP = 20_000                                 # 2 x 300 / (1.5 x 20) kWh.
OWN_CAP = 10_000
CAPACITY = 25_000                            # Rated power of every meter, W.
STOPPED = 7                                  # The household that is stopped, and has an instruction.


def up(numerator, denominator):
    """The quotient, rounded up."""
    return -(-numerator // denominator)


def decimal(value, places, at_least):
    """`value` x 10^-`places`, with at least so many decimals, as a person writes it."""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[:-places], digits[-places:]
    while len(fraction) > at_least and fraction.endswith("0"):
        fraction = fraction[:-1]
    return f"{'-' if value < 0 else ''}{whole}.{fraction}"


def money(units):
    return decimal(units, 8, 2)


def energy(watt_hours):
    return decimal(watt_hours, 3, 3)


def price(ticks):
    return decimal(ticks, 5, 2)


def percent(millionths):
    return f"{millionths / 10_000:g}%"


@dataclass
class Area:
    number: int
    currency: str
    feed_in: int
    retail: int
    loss: int                                # Millionths.
    maker: int
    taker: int
    fees: int = 0
    grid: int = 0
    grid_energy: int = 0


@dataclass
class Household:
    number: int
    deposit: int
    cash: int = 0
    energy: int = 0
    reserved: int = 0
    tally: dict = field(default_factory=dict)
    sequence: int = 0                        # The meter's last register sequence.
    rest: int = 0                            # The rest of the meter's losses, millionths of a Wh.

    @property
    def participant(self):
        return self.number + 2

    session = participant

    @property
    def account(self):
        return self.number + 100

    @property
    def meter(self):
        return self.number + 1_000

    @property
    def area(self):
        return 1 if self.number < SPLIT else 2

    @property
    def cap(self):
        return OWN_CAP if self.number % 10 == 0 else CAP

    @property
    def name(self):
        return ("Müller, Anna" if self.number == 0 else f"Person {self.number}, \"Haus\"")

    @property
    def is_poor(self):
        """Whether it pays in little, so that what it imports becomes a debt."""
        return self.number % 20 == 5

    def count(self, item, watt_hours=0, units=0):
        had = self.tally.get(item, (0, 0))
        self.tally[item] = (had[0] + watt_hours, had[1] + units)


class Village:
    """The households, the areas, and their books."""

    def __init__(self):
        self.areas = {1: Area(1, "EUR", 8_000, 32_000, 25_000, 1_000, 2_000),
                      2: Area(2, "CHF", 5_000, 27_500, 0, 0, 0)}
        self.households = [
            Household(number, 10_000_000 if number % 20 == 5 else (50 + number) * 10**8 + number * 10**6)
            for number in range(HOUSEHOLDS)]
        for house in self.households:
            house.cash = house.deposit
        self.meter_keys = {house.meter: Ed25519PrivateKey.generate() for house in self.households}

    # MARK: The market file

    def file(self, extra=None):
        """The lines of the market file. `extra` is one more household."""
        houses = self.households + ([extra] if extra else [])
        lines = ["# A village, written by a script.", "areas:"]
        for area, loss in ((self.areas[1], "2.5%"), (self.areas[2], None)):
            lines += [f"  {area.number}:", f"    code: 11XVILLAGE{area.number}", f"    currency: {area.currency}",
                      "    storage-cost: 300", "    storage-price: 20", f"    feed-in: {price(area.feed_in)}",
                      f"    retail: {price(area.retail)}"] + ([f"    loss: {loss}"] if loss else [])
        lines.append("instruments:")
        for area, fees in ((1, ["    maker-fee: 0.1%", "    taker-fee: 0.2%"]), (2, [])):
            lines += [f"  {area}:", f"    area: {area}", f"    symbol: SPOT{area}", "    tick: 0.001", "    lot: 1kWh",
                      "    lowest: 0", "    highest: 1", *fees]
        lines.append("participants:")
        for house in houses:
            lines += [f"  {house.participant}:", f"    name: house-{house.number}"]
        lines += [f"  {METERING}:", "    name: meters", "sessions:"]
        for house in houses:
            lines += [f"  {house.session}:", f"    participant: {house.participant}", "    roles: [trading]",
                      f"    public-key: keys/{house.session}.pub"]
        lines += [f"  {METERING}:", f"    participant: {METERING}", "    roles: [metering]",
                  f"    public-key: keys/{METERING}.pub", "accounts:"]
        for house in houses:
            lines += [f"  {house.account}:", f"    participant: {house.participant}"]
            if house.cap != CAP:
                lines += ["    caps:", f"      {house.area}: {house.cap // 1_000}kWh"]
            lines += ["    deposits:", f"      - {money(house.deposit)} {self.areas[house.area].currency}"]
            if house.number == STOPPED:
                lines += ["    instructions:", "      1:", "        sell-price: 0.50", "        sell-above: 18kWh",
                          "        target: 15kWh"]
        lines.append("meters:")
        for house in houses:
            lines += [f"  {house.meter}:", f"    account: {house.account}", f"    area: {house.area}",
                      f'    public-key: "{self.public(house.meter)}"', f"    capacity: {CAPACITY}"]
        return lines

    @property
    def definitions(self):
        """How many things the file defines."""
        own_caps = sum(house.cap != CAP for house in self.households)
        parts = 5 * len(self.households)     # A participant, a session, an account, its deposit and a meter each.
        return len(self.areas) + 2 + 2 + parts + own_caps + 1

    def public(self, meter):
        return self.meter_keys[meter].public_key().public_bytes_raw().hex()

    # MARK: The books

    def read(self, house, produced, consumed, loss=None, retail=None):
        """Books a reading of an hour, which is too long for own use, while no order stands that it could meet (market
        rules, section 7), at the prices with which its area began unless others are given. Returns what MeterReadingAck says: lost, exported, burned from the balance, imported."""
        area = self.areas[house.area]
        lost, house.rest = divmod(house.rest + (area.loss if loss is None else loss) * produced, 1_000_000)
        house.energy += produced - lost
        exported = max(0, house.energy - house.cap) if produced else 0
        house.energy -= exported
        imported = max(0, consumed - house.energy)
        house.energy -= consumed - imported
        earned, paid = exported * area.feed_in, imported * (area.retail if retail is None else retail)
        house.cash += earned - paid
        area.grid += paid - earned
        area.grid_energy += exported - imported
        house.count("Production", produced)
        house.count("Losses into storage", lost)
        house.count("Exported to the grid", exported, earned)
        house.count("Imported from the grid", imported, -paid)
        house.count("Consumption", consumed)
        return lost, exported, consumed - imported, imported

    def trade(self, seller, buyer, ticks, watt_hours):
        """Books a trade in which the buyer's order came second (sections 5 and 6)."""
        area = self.areas[seller.area]
        notional = ticks * watt_hours
        for house, sign, rate, item in ((seller, 1, area.maker, "Sold in the market"),
                                        (buyer, -1, area.taker, "Bought in the market")):
            fee = up(rate * notional, 1_000_000)
            house.cash += sign * notional - fee
            house.energy -= sign * watt_hours
            area.fees += fee
            house.count(item, watt_hours, sign * notional)
            house.count("Trading fees", 0, -fee)

    def bid(self, house, ticks, watt_hours):
        """Cash that an open bid reserves (section 6): by lots, with the higher of the two fees."""
        area = self.areas[house.area]
        lots, per_lot = watt_hours // LOT, ticks * LOT
        return lots * (per_lot + up(max(area.maker, area.taker) * per_lot, 1_000_000))

    def balances(self):
        """The rows of the list of balances: (account, area, currency, free, reserved, energy, cap)."""
        rows = {(str(house.account), str(house.area), self.areas[house.area].currency,
                 money(house.cash - house.reserved), money(house.reserved), energy(house.energy), energy(house.cap))
                for house in self.households}
        for area in self.areas.values():
            for role, cash in (("fees", area.fees), ("grid", area.grid)):
                rows.add((f"{role} of area {area.number}", "", area.currency, money(cash), "0.00", "", ""))
        return rows

    def debts(self):
        """Names and amounts of those who owe."""
        return {(house.name, money(-house.cash)) for house in self.households if house.cash < 0}
