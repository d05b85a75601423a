// The set-up of a fuzzed market. An input of `orders` chooses the normal market, or one whose definitions and
// cash are at the bounds of docs/ARITHMETIC.md.
//
//     bit 0   extreme: instruments with the widest bands and the largest lots, caps of 2^50 Wh, three areas
//     bit 1   the newest rules; else those of version 1
//     bit 2   extreme: the grids' prices are 2^40; else 2^21, at which a reading of 2^40 Wh is just paid
//     bit 3   extreme: cash near its bounds
//     bit 4   extreme: the three areas have one currency; else each its own
//     bit 5   extreme: fees and losses of 50 %; else none

import ExchangeCore
import MarketModel

/// The set-up that an input chooses.
struct FuzzDefinitions: Hashable {
  let bits: UInt8

  /// The market of inputs that do not choose.
  static let usual = FuzzDefinitions(bits: 0)

  var isExtreme: Bool { bits & 1 != 0 }
  private var hasNewRules: Bool { bits & 2 != 0 }
  private var gridPrice: Int64 { bits & 4 != 0 ? Limit.price : 1 << 21 }
  private var isRich: Bool { isExtreme && bits & 8 != 0 }
  private var hasOneCurrency: Bool { bits & 16 != 0 }
  private var rate: Rate { bits & 32 != 0 ? .highest : .zero }

  private func currency(_ area: UInt16) -> Currency {
    hasOneCurrency ? .eur : Currency([978, 756, 840][Int(area) - 1])
  }

  // MARK: Set-up

  /// The commands that set up the market. None of them is rejected.
  var foundation: [Command] {
    var bodies: [Command.Body] = [
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))),
      Self.session(1, .administration),
    ]
    if hasNewRules { bodies.append(.control(.setRules(SetRules(version: RulesVersion.newest)))) }
    bodies +=
      isExtreme
      ? (1...3).map { .reference(.createArea(extremeArea($0))) }
      : [.reference(.createArea(Self.area))]
    bodies += instruments.map { .reference(.createInstrument($0)) }
    for number in UInt32(2)...3 { bodies += trader(number) }
    if isExtreme { bodies += otherMeters }
    if isRich { bodies += riches }
    return bodies.map { Command(session: .exchange, body: $0) }
  }

  /// Initial cash of each trader.
  private var cash: Money { Money(units: isExtreme ? 1 << 50 : 40_000_000_000) }

  /// Initial production of each trader: two of the largest lots, if one reading allows that at the grid's
  /// price.
  private var energy: Energy {
    Energy(wattHours: !isExtreme ? 5_000 : gridPrice == Limit.price ? 1 << 20 : 1 << 37)
  }

  private func trader(_ number: UInt32) -> [Command.Body] {
    let account = AccountId(number)
    return [
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(number), name: .empty))),
      Self.session(number, [.trading, .metering]),
      .reference(
        .createAccount(CreateAccount(account: account, participant: ParticipantId(number)))),
      Self.meter(number, account, AreaId(1), FuzzMarket.keys[Int(number) - 1]),
      .cash(.deposit(CashMovement(account: account, currency: .eur, amount: cash, reference: 1))),
      Self.reading(number, energy),
    ]
  }

  /// Meters of account 2 in the other areas; they have the keys of sessions 2 and 3.
  private var otherMeters: [Command.Body] {
    [
      Self.meter(1, AccountId(2), AreaId(2), FuzzMarket.keys[1]),
      Self.meter(4, AccountId(2), AreaId(3), FuzzMarket.keys[2]),
      Self.reading(1, Energy(wattHours: 1 << 20)), Self.reading(4, Energy(wattHours: 1 << 20)),
    ]
  }

  /// Deposits nearly up to their bound, and an equal amount from the grid of area 2. Account 2 can store
  /// nothing, so its next reading in another area is exported and paid too.
  private var riches: [Command.Body] {
    let caps = (UInt16(1)...3).map { SetCap(account: AccountId(2), area: AreaId($0), cap: .zero) }
    let paid = Energy(wattHours: (Limit.total - (1 << 41)) / gridPrice - (1 << 20))
    let deposits = [
      (AccountId(2), Int64(1 << 60)), (AccountId(3), Limit.total - (1 << 60) - 2 * cash.units),
    ].map {
      CashMovement(account: $0, currency: .eur, amount: Money(units: $1), reference: 2)
    }
    return deposits.map { .cash(.deposit($0)) } + caps.map { .reference(.setCap($0)) }
      + [Self.reading(1, max(paid, Energy(wattHours: 1)), 2)]
  }

  private static func session(_ number: UInt32, _ roles: Roles) -> Command.Body {
    .reference(
      .registerSession(
        RegisterSession(
          session: SessionId(number), participant: ParticipantId(number), roles: roles,
          publicKey: FuzzMarket.keys[Int(number) - 1])))
  }

  private static func meter(
    _ number: UInt32, _ account: AccountId, _ area: AreaId, _ key: PublicKey
  ) -> Command.Body {
    .reference(
      .registerMeter(
        RegisterMeter(
          meter: MeterId(number), account: account, area: area, publicKey: key, capacity: .max)))
  }

  /// The second reading of a meter ends at the begin of the run, the first a quarter of an hour before.
  private static func reading(
    _ meter: UInt32, _ produced: Energy, _ number: UInt64 = 1
  ) -> Command.Body {
    let end = FuzzMarket.beginning - 900_000_000_000 * (2 - number)
    return .meterReading(
      MeterReading(
        meter: MeterId(meter), registerSequence: number,
        intervalStart: Timestamp(nanoseconds: end - 900_000_000_000),
        intervalEnd: Timestamp(nanoseconds: end), produced: produced, consumed: .zero))
  }

  private static let area = CreateArea(
    area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
    storagePrice: Money(units: 20), feedInPrice: Price(ticks: 8_000),
    retailPrice: Price(ticks: 32_000), lossFactor: Rate(partsPerMillion: 20_000))

  /// An area with the highest default cap: floor(4000 x 3 x 2^50 / (3 x 4000)) = 2^50 Wh.
  private func extremeArea(_ number: UInt16) -> CreateArea {
    CreateArea(
      area: AreaId(number), currency: currency(number), code: .empty,
      storageCost: Money(units: 3 << 50), storagePrice: Money(units: 4_000),
      feedInPrice: Price(ticks: gridPrice), retailPrice: Price(ticks: gridPrice), lossFactor: rate)
  }

  /// The instruments: the normal two, or four at the limits of the listing rules.
  private var instruments: [CreateInstrument] {
    if !isExtreme {
      return [1, 2].map {
        Self.spot($0, 1, tick: 100, lot: 100, 0, 40_000, Rate(partsPerMillion: 1_000), 2_000)
      }
    }
    let (price, parts) = (Limit.price, rate.partsPerMillion)
    return [
      Self.spot(1, 1, tick: 1 << 18, lot: 1 << 22, -price, price, rate, parts),
      Self.spot(2, 1, tick: 16, lot: Limit.orderQuantity, -(1 << 26), 1 << 26, rate, parts),
      Self.spot(3, 2, tick: price, lot: 1, -price, price, rate, parts),
      Self.spot(4, 3, tick: 1, lot: 1, price - Limit.bandTicks + 1, price, rate, parts),
    ]
  }

  private static func spot(
    _ number: UInt32, _ area: UInt16, tick: Int64, lot: Int64, _ lowest: Int64, _ highest: Int64,
    _ maker: Rate, _ taker: UInt32
  ) -> CreateInstrument {
    CreateInstrument(
      instrument: InstrumentId(number), area: AreaId(area), symbol: .empty,
      tick: Price(ticks: tick), lot: Energy(wattHours: lot), lowestPrice: Price(ticks: lowest),
      highestPrice: Price(ticks: highest), makerFee: maker, takerFee: Rate(partsPerMillion: taker))
  }

  // MARK: Amounts within the bounds

  /// The command with its amounts mapped into the ranges of an extreme market, often to their ends. Otherwise a
  /// fuzzer would rarely find a price on a tick of 2^18.
  /// - Parameter instrument: Instrument of the order, if the command is about one.
  func fitted(_ body: Command.Body, instrument: (OrderId) -> InstrumentId?) -> Command.Body {
    switch body {
    case .enter(var order):
      guard let listed = listed(order.instrument) else { return body }
      order.price = Self.price(order.price, listed)
      order.quantity = Self.quantity(order.quantity, at: order.price, listed)
      return .enter(order)
    case .replace(var order):
      guard let listed = instrument(order.order).flatMap(listed) else { return body }
      order.price = Self.price(order.price, listed)
      order.quantity = Self.quantity(order.quantity, at: order.price, listed)
      return .replace(order)
    case .order(.setAgent(var agent)):
      guard let listed = listed(agent.instrument) else { return body }
      agent.sellPrice = Self.price(agent.sellPrice, listed)
      agent.buyPrice = Self.price(agent.buyPrice, listed)
      return .order(.setAgent(agent))
    case .meterReading, .cash(.deposit), .cash(.withdraw), .cash(.transfer), .reference(.setTariff),
      .reference(.setCap):
      return fitted(body)
    default: return body
    }
  }

  private func fitted(_ body: Command.Body) -> Command.Body {
    switch body {
    case .cash(.deposit(var cash)):
      cash.amount.units = Self.amount(cash.amount.units, 1...Limit.total)
      return .cash(.deposit(cash))
    case .cash(.withdraw(var cash)):
      cash.amount.units = Self.amount(cash.amount.units, 1...Limit.total)
      return .cash(.withdraw(cash))
    case .cash(.transfer(var transfer)):
      transfer.amount = Self.amount(transfer.amount, 1...Limit.total)
      return .cash(.transfer(transfer))
    case .meterReading(var reading):
      reading.produced.wattHours = Self.amount(reading.produced.wattHours, 0...Limit.reading)
      reading.consumed.wattHours = Self.amount(reading.consumed.wattHours, 0...Limit.reading)
      return .meterReading(reading)
    case .reference(.setTariff(var tariff)):
      tariff.feedInPrice.ticks = Self.amount(tariff.feedInPrice.ticks, 0...Limit.price)
      tariff.retailPrice.ticks = Self.amount(tariff.retailPrice.ticks, 0...Limit.price)
      return .reference(.setTariff(tariff))
    case .reference(.setCap(var cap)):
      cap.cap.wattHours = Self.amount(cap.cap.wattHours, 0...Limit.cap)
      return .reference(.setCap(cap))
    default: return body
    }
  }

  private func listed(_ number: InstrumentId) -> CreateInstrument? {
    instruments.first { $0.instrument == number }
  }

  /// A price: the highest byte selects an end of the price band; otherwise the other bytes are a distance in
  /// ticks from its middle, so that close values remain close prices.
  private static func price(_ price: Price, _ listed: CreateInstrument) -> Price {
    let (lowest, tick) = (listed.lowestPrice.ticks, listed.tick.ticks)
    let steps = (listed.highestPrice.ticks - lowest) / tick
    let ticks =
      switch price.ticks >> 56 {
      case 1: Int64(0)
      case 2: steps
      default: (steps / 2 + (price.ticks >> 8 & .max) % (steps + 1)) % (steps + 1)
      }
    return Price(ticks: lowest + ticks * tick)
  }

  /// A quantity in whole lots: the highest byte selects the largest order, or the one whose notional with fee is
  /// 2^62; otherwise the other bytes are the number of lots.
  private static func quantity(
    _ quantity: Energy, at price: Price, _ listed: CreateInstrument
  ) -> Energy {
    let lot = listed.lot.wattHours
    let most = Limit.orderQuantity / lot
    let perLot = max(Int128(price.ticks.magnitude) * Int128(lot), 1)
    let fits = Int64(min(max(Int128(Limit.cash) * 2 / (3 * perLot), 1), Int128(most)))
    let lots =
      switch quantity.wattHours >> 56 {
      case 1: most
      case 2: fits
      default: 1 + (quantity.wattHours >> 8 & .max) % fits
      }
    return Energy(wattHours: lots * lot)
  }

  /// A number in a range: one of its ends, the middle, or any other.
  private static func amount(_ given: Int64, _ range: ClosedRange<Int64>) -> Int64 {
    let width = range.upperBound - range.lowerBound
    switch given & 7 {
    case 0: return given == 0 ? range.lowerBound : range.upperBound
    case 1: return range.upperBound - width / 2
    default: return range.lowerBound + (given >> 3 & .max) % (width + 1)
    }
  }
}
