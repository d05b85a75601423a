// Instruments: what is traded, in which steps, and whether it trades (sections 2 and 11).

import MarketModel

/// An instrument's definition and state.
struct Instrument: BitwiseCopyable {
  /// Its kind plus one; 0: the instrument does not exist. (All-zero bytes are an empty row.)
  private var kindPlusOne: UInt8
  /// Its phase.
  var state: InstrumentState
  var area: UInt16
  var makerFee: UInt32
  var takerFee: UInt32
  /// What changes hands against the area's currency (Assets.swift).
  fileprivate(set) var asset: UInt32
  var tick: Int64
  var lot: Int64
  var lowest: Int64
  var highest: Int64
  var symbol: Label

  init(_ new: CreateInstrument) {
    kindPlusOne = new.kind.rawValue + 1
    state = .open
    area = new.area.rawValue
    (makerFee, takerFee) = (new.makerFee.partsPerMillion, new.takerFee.partsPerMillion)
    switch new.kind {
    case .spot: asset = Asset(energyOf: new.area).number
    }
    (tick, lot) = (new.tick.ticks, new.lot.wattHours)
    (lowest, highest) = (new.lowestPrice.ticks, new.highestPrice.ticks)
    symbol = new.symbol
  }

  var exists: Bool { kindPlusOne != 0 }

  /// What kind of contract it is.
  var kind: InstrumentKind { InstrumentKind(rawValue: kindPlusOne &- 1) ?? .spot }

  // MARK: What its phase allows

  /// Why no order may enter; `nil` when one may.
  @inline(__always) var refusesEntry: RejectCode? {
    switch state {
    case .open: nil
    case .halted: .instrumentHalted
    case .closed: .instrumentClosed
    }
  }

  /// Whether its orders rest without cover.
  @inline(__always) var isHalted: Bool { state == .halted }

  /// Whether it is gone for good.
  var isClosed: Bool { state == .closed }

  // MARK: Prices and quantities

  var highestFee: Rate { Rate(partsPerMillion: max(makerFee, takerFee)) }

  /// How many lots `quantity` is; a multiple of the lot.
  @inline(__always) func lots(_ quantity: Int64) -> Int64 {
    lot == 1 ? quantity : quantity / lot
  }

  /// The key of a price in the ladder of `side`: 0 is the best that the band allows.
  @inline(__always) func key(_ price: Int64, _ side: Side) -> UInt32 {
    let distance = side.select(sell: price - lowest, buy: highest - price)
    return UInt32(truncatingIfNeeded: tick > 1 ? distance / tick : distance)
  }

  /// The price with `key` in the ladder of `side`.
  @inline(__always) func price(_ key: UInt32, _ side: Side) -> Int64 {
    side == .sell ? lowest + Int64(key) * tick : highest - Int64(key) * tick
  }
}

/// An instrument in its place.
typealias InstrumentRow = Row<Instrument>

extension Row<Instrument> {
  /// What an instrument of the version before traded: its area's energy.
  func tradesEnergyOfItsArea() { address.pointee.asset = UInt32(address.pointee.area) }
}

extension Exchange {
  @inline(__always) func exists(_ instrument: InstrumentId) -> Bool {
    instrument.rawValue >= 1 && instrument.rawValue <= capacity.instruments
      && products.instruments[instrument.rawValue].exists
  }

  func validate(_ new: CreateInstrument) -> Refusal? {
    let number = new.instrument.rawValue
    guard number >= 1, number <= capacity.instruments else {
      return Refusal(.outOfRange, capacity.instruments)
    }
    if exists(new.instrument) { return Refusal(.alreadyExists) }
    guard exists(new.area) else { return Refusal(.unknownArea, capacity.areas) }
    let (tick, lot) = (new.tick.ticks, new.lot.wattHours)
    if tick <= 0 || tick > Limit.price { return Refusal(.badDefinition, tick) }
    if lot <= 0 || lot > Limit.orderQuantity { return Refusal(.badDefinition, lot) }
    for price in [new.lowestPrice.ticks, new.highestPrice.ticks] {
      let fits = abs(price.clamped) <= Limit.price && price % tick == 0
      if !fits || price.multipliedReportingOverflow(by: lot).overflow {
        return Refusal(.badDefinition, price)
      }
    }
    if new.highestPrice < new.lowestPrice {
      return Refusal(.badDefinition, new.highestPrice.ticks)
    }
    let width = (new.highestPrice.ticks - new.lowestPrice.ticks) / tick
    if width >= Limit.bandTicks { return Refusal(.badDefinition, width) }
    for fee in [new.makerFee, new.takerFee]
    where fee.partsPerMillion > Rate.highest.partsPerMillion {
      return Refusal(.badDefinition, fee.partsPerMillion)
    }
    return nil
  }
}

extension Int64 {
  /// Itself, but never the one value whose magnitude does not fit.
  fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}
