// Instruments: asset, tick, lot, price band, fees and trading state (sections 2 and 11).

import MarketModel

/// An instrument's definition and trading state. Prices are in 1e-5 per kWh, the lot in Wh, fees in
/// parts per million.
struct Instrument: BitwiseCopyable {
  /// The kind plus one. 0: the instrument does not exist, since an empty row is all zeros.
  private var kindPlusOne: UInt8
  /// The trading state.
  var state: InstrumentState
  var area: UInt16
  var makerFee: UInt32
  var takerFee: UInt32
  /// The asset that is traded for the area's currency (Assets.swift).
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

  /// The kind of contract.
  var kind: InstrumentKind { InstrumentKind(rawValue: kindPlusOne &- 1) ?? .spot }

  // MARK: Effects of the trading state

  /// The reject code for new orders; `nil` when orders may enter.
  @inline(__always) var refusesEntry: RejectCode? {
    switch state {
    case .open: nil
    case .halted: .instrumentHalted
    case .closed: .instrumentClosed
    }
  }

  /// Whether orders rest without cover.
  @inline(__always) var isHalted: Bool { state == .halted }

  /// Whether the instrument is closed, which is final.
  var isClosed: Bool { state == .closed }

  // MARK: Prices and quantities

  var highestFee: Rate { Rate(partsPerMillion: max(makerFee, takerFee)) }

  /// Number of lots in `quantity`, a multiple of the lot.
  @inline(__always) func lots(_ quantity: Int64) -> Int64 {
    lot == 1 ? quantity : quantity / lot
  }

  /// The key of a price in the ladder of `side`; 0 is the best price of the band.
  @inline(__always) func key(_ price: Int64, _ side: Side) -> UInt32 {
    let distance = side.select(sell: price - lowest, buy: highest - price)
    return UInt32(truncatingIfNeeded: tick > 1 ? distance / tick : distance)
  }

  /// The price with `key` in the ladder of `side`.
  @inline(__always) func price(_ key: UInt32, _ side: Side) -> Int64 {
    side == .sell ? lowest + Int64(key) * tick : highest - Int64(key) * tick
  }
}

/// An instrument in its table.
typealias InstrumentRow = Row<Instrument>

extension Row<Instrument> {
  /// Sets the asset of an instrument from an older image: the energy of its area.
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
      return Refusal(.outOfRange, capacity.instruments, .instrument)
    }
    if exists(new.instrument) { return Refusal(.alreadyExists) }
    guard exists(new.area) else { return Refusal(.unknownArea, capacity.areas) }
    return validateTerms(Instrument(new))
  }

  /// Refuses tick, lot, band and fees that are out of range or do not fit each other.
  func validateTerms(_ terms: Instrument) -> Refusal? {
    let (tick, lot) = (terms.tick, terms.lot)
    if tick <= 0 || tick > Limit.price { return Refusal(.badDefinition, tick, .tickSize) }
    if lot <= 0 || lot > Limit.orderQuantity { return Refusal(.badDefinition, lot, .lot) }
    if !isEdge(terms.lowest, terms) {
      return Refusal(.badDefinition, terms.lowest, .lowestPrice)
    }
    if terms.highest < terms.lowest || !isEdge(terms.highest, terms) {
      return Refusal(.badDefinition, terms.highest, .highestPrice)
    }
    let width = (terms.highest - terms.lowest) / tick
    if width >= Limit.bandTicks { return Refusal(.badDefinition, width, .highestPrice) }
    return validateFees(terms)
  }

  /// Whether `price` can be an edge of the instrument's band.
  private func isEdge(_ price: Int64, _ terms: Instrument) -> Bool {
    abs(price.clamped) <= Limit.price && price % terms.tick == 0
      && !price.multipliedReportingOverflow(by: terms.lot).overflow
  }

  private func validateFees(_ terms: Instrument) -> Refusal? {
    let highest = Rate.highest.partsPerMillion
    if terms.makerFee > highest { return Refusal(.badDefinition, terms.makerFee, .makerFee) }
    return terms.takerFee > highest
      ? Refusal(.badDefinition, terms.takerFee, .takerFee) : nil
  }
}

extension Int64 {
  /// The value, but at least `-Int64.max`, so that its magnitude fits.
  fileprivate var clamped: Int64 { Swift.max(self, -Int64.max) }
}
