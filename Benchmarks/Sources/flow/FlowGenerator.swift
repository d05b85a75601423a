// Generates the shapes of order flow from a seed. Buyers have odd account numbers and sellers even ones, so
// no account trades with itself and the results do not depend on self-trade prevention.

import MarketModel
import OrderFlow

/// A shape of order flow.
enum Shape: String, CaseIterable {
  /// 50 % orders near the best price, 45 % cancels of random orders, 5 % aggressive orders; one symbol.
  case realistic = "A"
  /// Half resting orders, half crossing orders.
  case crossing = "B"
  /// A million resting orders on 10,000 levels; random adds and cancels.
  case deep = "C"
  /// The mix of A on 10,000 symbols.
  case symbols = "D"
  /// Recorded orders of an exchange.
  case recorded = "E"
  /// The mix of A; half of the accounts have neither energy nor headroom, so half of the resting orders wait.
  case waiting = "F"
  /// The mix of A; a fifth of the commands are meter readings, which change cover.
  case meters = "G"
  /// A seller with 1,000 open orders whose best order appears and disappears.
  case adversary = "H"
}

/// Builds one flow.
struct FlowGenerator {
  /// The seller of shape H.
  static let adversary: UInt32 = 2

  private var random: SeededRandom
  private var market: any FlowMarket
  private var records: [FlowRecord] = []
  private var live: [UInt64] = []
  private var place: [UInt64: Int] = [:]
  private var owners: [UInt64: UInt32] = [:]
  private var nextId: UInt64 = 1
  private let shape: Shape
  private let symbols: Int
  private let accounts = 1_000
  private let band: Int

  init(_ shape: Shape, seed: UInt64) {
    self.shape = shape
    random = SeededRandom(seed: seed)
    symbols = shape == .symbols ? 10_000 : 1
    band = shape == .deep ? 10_000 : shape == .adversary ? 4_000 : 1_000
    let frame = FlowFile(
      name: shape.rawValue, prefill: 0, symbols: UInt32(symbols), lowest: 0, highest: Int32(band),
      accounts: UInt32(accounts), highestOrderId: 0, expected: FlowResult(), records: [])
    // If cover matters, a plain book cannot compute the results, so the exchange itself does.
    market = shape == .meters ? EngineMarket(frame) : PlainMarket(frame)
  }

  /// Generates the flow with `operations` timed records.
  mutating func make(operations: Int) -> FlowFile {
    let prefill = prefillCount
    records.reserveCapacity(prefill + operations)
    for number in 0..<prefill {
      if shape == .adversary { addBehind(number) } else { addPassive() }
    }
    let timed = shape == .adversary ? min(operations, 20_000) : operations
    for _ in 0..<timed { step() }
    var expected = market.result
    expected.resting = UInt64(live.count)
    return FlowFile(
      name: "\(shape.rawValue).flow", prefill: prefill, symbols: UInt32(symbols), lowest: 0,
      highest: Int32(band), accounts: UInt32(accounts), highestOrderId: nextId - 1,
      expected: expected, records: records)
  }

  private var prefillCount: Int {
    switch shape {
    case .realistic, .waiting, .meters, .recorded: 20_000
    case .crossing: 5_000
    case .deep: 1_000_000
    case .symbols: 200_000
    case .adversary: 1_000
    }
  }

  private mutating func step() {
    let dice = random.below(100)
    switch shape {
    case .realistic, .symbols, .waiting, .recorded: stepAsTraders(dice)
    case .meters:
      if random.below(5) == 0 { read() } else { stepAsTraders(dice) }
    case .crossing:
      if dice < 50 { addPassive() } else { addAggressive() }
    case .deep:
      if dice < 50 { addPassive() } else { cancel() }
    case .adversary:
      if live.count == prefillCount { addBest() } else { cancelLast() }
    }
  }

  private mutating func stepAsTraders(_ dice: Int) {
    if dice < 50 { addPassive() } else if dice < 95 { cancel() } else { addAggressive() }
  }

  // MARK: Operations

  private mutating func addPassive() {
    let sells = random.below(2) == 1
    let middle = band / 2
    let distance =
      shape == .deep ? 1 + random.below(middle - 1) : 1 + min(random.below(40), random.below(40))
    add(
      random.below(symbols), sells, price: sells ? middle + distance : middle - distance,
      quantity: 1 + random.below(100))
  }

  /// A crossing order of the size of a resting one, so that the book keeps its size.
  private mutating func addAggressive() {
    let sells = random.below(2) == 1
    let middle = band / 2
    add(
      random.below(symbols), sells, price: sells ? middle - 45 : middle + 45,
      quantity: 1 + random.below(100))
  }

  /// One of the thousand asks of shape H's seller, which together use all of its energy.
  private mutating func addBehind(_ number: Int) {
    add(0, true, price: band / 2 + 10 + number, quantity: 50, account: FlowGenerator.adversary)
  }

  /// The best ask of shape H's seller, which takes the energy of all its others.
  private mutating func addBest() {
    add(0, true, price: band / 2 + 1, quantity: 50_000, account: FlowGenerator.adversary)
  }

  private mutating func add(
    _ symbol: Int, _ sells: Bool, price: Int, quantity: Int, account: UInt32? = nil
  ) {
    let id = nextId
    nextId += 1
    let owner = account ?? UInt32(2 * (1 + random.below(accounts / 2)) - (sells ? 0 : 1))
    var record = FlowRecord(
      orderId: id, price: Int32(price), quantity: UInt32(quantity), symbol: UInt32(symbol),
      account: owner, operation: FlowRecord.add, side: sells ? 1 : 0, flags: 0)
    let before = market.result.trades
    let outcome = market.apply(record)
    for gone in outcome.gone where gone != id { forget(gone) }
    if outcome.rests {
      place[id] = live.count
      live.append(id)
    }
    record.flags = market.result.trades > before ? 1 : 0
    owners[id] = owner
    records.append(record)
  }

  private mutating func cancel() {
    if live.isEmpty { return addPassive() }
    cancel(live[random.below(live.count)])
  }

  private mutating func cancelLast() { cancel(nextId - 1) }

  private mutating func cancel(_ id: UInt64) {
    let record = FlowRecord(
      orderId: id, price: 0, quantity: 0, symbol: market.symbol(of: id), account: 0,
      operation: FlowRecord.cancel, side: 0, flags: 0)
    for gone in market.apply(record).gone where gone != id { forget(gone) }
    forget(id)
    records.append(record)
  }

  /// A meter reading of shape G: production or consumption that gives or takes cover.
  private mutating func read() {
    let account = UInt32(4 * (1 + random.below(accounts / 4 - 1)) + 2 - random.below(2))
    let produces = random.below(2) == 1
    let record = FlowRecord(
      orderId: 0, price: 0, quantity: UInt32(1 + random.below(500)), symbol: 0, account: account,
      operation: FlowRecord.reading, side: produces ? 1 : 0, flags: 0)
    for gone in market.apply(record).gone { forget(gone) }
    records.append(record)
  }

  /// Removes an id from the list of live ids by replacing it with the last one.
  private mutating func forget(_ id: UInt64) {
    guard let index = place.removeValue(forKey: id) else { return }
    let last = live.removeLast()
    if last != id {
      live[index] = last
      place[last] = index
    }
  }
}
