// Makes the shapes of order flow from a seed, and their expected results by the simplest possible
// book. Buyers have odd account numbers, sellers even ones, so nobody ever meets himself and the
// results do not depend on self-trade prevention.

/// SplitMix64. Wrapping is its arithmetic.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
  /// A number in 0 ..< bound.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

/// A shape of order flow.
enum Shape: String, CaseIterable {
  /// Half adds near the touch, 45 % cancels of random orders, 5 % aggressive; one symbol.
  case realistic = "A"
  /// Adds and crossing orders, half each.
  case crossing = "B"
  /// A million resting orders over 10,000 levels; random adds and cancels.
  case deep = "C"
  /// 10,000 symbols, mix as A.
  case symbols = "D"
}

/// Builds one flow.
struct FlowGenerator {
  private var random: SplitMix
  private var book: PlainBook
  private var records: [FlowRecord] = []
  private var live: [UInt64] = []
  private var place: [UInt64: Int] = [:]
  private var nextId: UInt64 = 1
  private let shape: Shape
  private let symbols: Int
  private let accounts = 1_000
  private let band: Int
  private var expected = FlowResult()

  init(_ shape: Shape, seed: UInt64) {
    self.shape = shape
    random = SplitMix(state: seed)
    symbols = shape == .symbols ? 10_000 : 1
    band = shape == .deep ? 10_000 : 1_000
    book = PlainBook(symbols: symbols, prices: band + 1)
  }

  /// The flow with `operations` timed records.
  mutating func make(operations: Int) -> FlowFile {
    let prefill = prefillCount
    records.reserveCapacity(prefill + operations)
    for _ in 0..<prefill { addPassive() }
    for _ in 0..<operations { step() }
    expected.resting = UInt64(live.count)
    return FlowFile(
      name: "\(shape.rawValue).flow", prefill: prefill, symbols: UInt32(symbols), lowest: 0,
      highest: Int32(band), accounts: UInt32(accounts), highestOrderId: nextId - 1,
      expected: expected, records: records)
  }

  private var prefillCount: Int {
    switch shape {
    case .realistic: 20_000
    case .crossing: 5_000
    case .deep: 1_000_000
    case .symbols: 200_000
    }
  }

  private mutating func step() {
    let dice = random.below(100)
    switch shape {
    case .realistic, .symbols:
      if dice < 50 { addPassive() } else if dice < 95 { cancel() } else { addAggressive() }
    case .crossing:
      if dice < 50 { addPassive() } else { addAggressive() }
    case .deep:
      if dice < 50 { addPassive() } else { cancel() }
    }
  }

  // MARK: Operations

  private mutating func addPassive() {
    let symbol = random.below(symbols)
    let sells = random.below(2) == 1
    let middle = band / 2
    let distance =
      shape == .deep ? 1 + random.below(middle - 1) : 1 + min(random.below(40), random.below(40))
    add(
      symbol, sells, price: sells ? middle + distance : middle - distance,
      quantity: 1 + random.below(100))
  }

  /// An order through the touch for about what is there, so that the book keeps its size.
  private mutating func addAggressive() {
    let symbol = random.below(symbols)
    let sells = random.below(2) == 1
    let middle = band / 2
    add(
      symbol, sells, price: sells ? middle - 45 : middle + 45,
      quantity: 1 + random.below(shape == .crossing ? 100 : 300))
  }

  private mutating func add(_ symbol: Int, _ sells: Bool, price: Int, quantity: Int) {
    let id = nextId
    nextId += 1
    let account = 2 * (1 + random.below(accounts / 2)) - (sells ? 0 : 1)
    let before = expected.trades
    let rested = book.add(id, symbol, sells, price, quantity, &expected) { gone in
      forget(gone, &live, &place)
    }
    if rested {
      place[id] = live.count
      live.append(id)
    }
    records.append(
      FlowRecord(
        orderId: id, price: Int32(price), quantity: UInt32(quantity), symbol: UInt32(symbol),
        account: UInt32(account), operation: 0, side: sells ? 1 : 0,
        flags: expected.trades > before ? 1 : 0))
  }

  private mutating func cancel() {
    if live.isEmpty { return addPassive() }
    let id = live[random.below(live.count)]
    let symbol = book.cancel(id)
    forget(id, &live, &place)
    records.append(
      FlowRecord(
        orderId: id, price: 0, quantity: 0, symbol: UInt32(symbol), account: 0, operation: 1,
        side: 0, flags: 0))
  }
}

/// Takes an id out of the list of live ids by putting the last in its place.
private func forget(_ id: UInt64, _ live: inout [UInt64], _ place: inout [UInt64: Int]) {
  guard let index = place.removeValue(forKey: id) else { return }
  let last = live.removeLast()
  if last != id {
    live[index] = last
    place[last] = index
  }
}

/// The simplest price-time book: a queue of ids per price, cancelled ids are skipped when met.
struct PlainBook {
  private struct Resting {
    var symbol: Int
    var sells: Bool
    var price: Int
    var quantity: Int
  }
  private struct Queue {
    var ids: [UInt64] = []
    var first = 0
  }
  private var orders: [UInt64: Resting] = [:]
  private var bids: [[Int: Queue]]
  private var asks: [[Int: Queue]]
  private let prices: Int
  private var best: [(bid: Int, ask: Int)]

  init(symbols: Int, prices: Int) {
    self.prices = prices
    bids = Array(repeating: [:], count: symbols)
    asks = Array(repeating: [:], count: symbols)
    best = Array(repeating: (bid: -1, ask: prices), count: symbols)
  }

  /// Adds an order and matches it.
  /// - Returns: whether some of it rests.
  mutating func add(
    _ id: UInt64, _ symbol: Int, _ sells: Bool, _ price: Int, _ quantity: Int,
    _ result: inout FlowResult, gone: (UInt64) -> Void
  ) -> Bool {
    var left = quantity
    while left > 0, let (level, maker) = head(symbol, ofAsks: !sells),
      sells ? level >= price : level <= price
    {
      guard var resting = orders[maker] else { break }
      let traded = min(left, resting.quantity)
      result.trade(maker: maker, taker: id, price: Int64(level), quantity: Int64(traded))
      left -= traded
      resting.quantity -= traded
      orders[maker] = resting.quantity > 0 ? resting : nil
      if resting.quantity == 0 { gone(maker) }
    }
    if left == 0 { return false }
    orders[id] = Resting(symbol: symbol, sells: sells, price: price, quantity: left)
    if sells {
      asks[symbol][price, default: Queue()].ids.append(id)
      best[symbol].ask = min(best[symbol].ask, price)
    } else {
      bids[symbol][price, default: Queue()].ids.append(id)
      best[symbol].bid = max(best[symbol].bid, price)
    }
    return true
  }

  /// Removes an order.
  /// - Returns: its symbol.
  mutating func cancel(_ id: UInt64) -> Int { orders.removeValue(forKey: id)?.symbol ?? 0 }

  /// The first live order on the best level of a side.
  private mutating func head(_ symbol: Int, ofAsks: Bool) -> (price: Int, id: UInt64)? {
    var price = ofAsks ? best[symbol].ask : best[symbol].bid
    while price >= 0, price < prices {
      if let id = firstLive(symbol, ofAsks, price) { return (price, id) }
      price += ofAsks ? 1 : -1
      if ofAsks { best[symbol].ask = price } else { best[symbol].bid = price }
    }
    return nil
  }

  private mutating func firstLive(_ symbol: Int, _ ofAsks: Bool, _ price: Int) -> UInt64? {
    guard var queue = ofAsks ? asks[symbol][price] : bids[symbol][price] else { return nil }
    while queue.first < queue.ids.count, orders[queue.ids[queue.first]] == nil { queue.first += 1 }
    let id = queue.first < queue.ids.count ? queue.ids[queue.first] : nil
    if queue.first > 1_024 || id == nil {
      queue.ids.removeFirst(queue.first)
      queue.first = 0
    }
    let kept: Queue? = id == nil ? nil : queue
    if ofAsks { asks[symbol][price] = kept } else { bids[symbol][price] = kept }
    return id
  }
}
