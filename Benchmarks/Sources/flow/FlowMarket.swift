// The expected results of a generated flow. They come from a simple order book that shares no code with the
// exchange, or from the exchange itself if cover matters. In the latter case they only detect changes; the
// reference model of the tests shows that the exchange is correct.

import MarketModel
import OrderFlow

/// Applies the records of a flow while it is generated.
protocol FlowMarket {
  /// Results of all records so far, without `resting`.
  var result: FlowResult { get }
  /// Applies a record.
  /// - Returns: Whether an added order rests, and the orders that left the book.
  mutating func apply(_ record: FlowRecord) -> (rests: Bool, gone: [UInt64])
  /// The symbol of a resting order.
  func symbol(of id: UInt64) -> UInt32
}

/// The market on the simple order book.
struct PlainMarket: FlowMarket {
  private(set) var result = FlowResult()
  private var book: PlainBook
  private let endowment: Endowment

  init(_ flow: FlowFile) {
    book = PlainBook(symbols: Int(flow.symbols), prices: Int(flow.highest) + 1)
    endowment = Endowment(flow: flow.name)
  }

  mutating func apply(_ record: FlowRecord) -> (rests: Bool, gone: [UInt64]) {
    var gone: [UInt64] = []
    if record.operation == FlowRecord.cancel {
      book.cancel(record.orderId)
      return (false, [record.orderId])
    }
    let waits = endowment.of(record.account) == (energy: 0, cap: 0)
    let rests = book.add(
      record.orderId, Int(record.symbol), record.side == 1, Int(record.price),
      Int(record.quantity), waits: waits, &result, &gone)
    return (rests, gone)
  }

  func symbol(of id: UInt64) -> UInt32 { book.symbol(of: id) }
}

/// The market on the exchange itself.
final class EngineMarket: FlowMarket {
  private(set) var result = FlowResult()
  private var runner: FlowRunner
  private var ids: [UInt64: OrderId] = [:]
  private var owners: [UInt64: UInt32] = [:]

  init(_ flow: FlowFile) { runner = FlowRunner(flow, looksAhead: false) }

  func apply(_ record: FlowRecord) -> (rests: Bool, gone: [UInt64]) {
    var gone: [UInt64] = []
    var sent = record
    if record.operation == FlowRecord.cancel {
      sent.account = owners[record.orderId] ?? 0
      sent.orderId = ids[record.orderId]?.rawValue ?? 0
    } else {
      owners[record.orderId] = record.account
    }
    runner.apply(sent) { event in note(event, &gone) }
    let isAdd = record.operation == FlowRecord.add
    return (isAdd && !gone.contains(record.orderId), gone)
  }

  private func note(_ event: Event, _ gone: inout [UInt64]) {
    switch event {
    case .accepted(let state): ids[state.clientOrderId.rawValue] = state.order
    case .trade(let trade):
      let takerBuys = trade.aggressor == .buy
      result.trade(
        maker: (takerBuys ? trade.seller : trade.buyer).clientOrderId.rawValue,
        taker: (takerBuys ? trade.buyer : trade.seller).clientOrderId.rawValue,
        price: trade.price.ticks, quantity: trade.quantity.wattHours)
      for party in [trade.buyer, trade.seller] where party.leaves == .zero {
        gone.append(party.clientOrderId.rawValue)
      }
    case .canceled(let canceled) where canceled.state.leaves == .zero:
      gone.append(canceled.state.clientOrderId.rawValue)
    default: break
    }
  }

  func symbol(of id: UInt64) -> UInt32 { 0 }
}

/// A simple price-time order book: a queue of ids per price; cancelled ids are skipped.
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

  /// Adds an order and matches it. An order that waits is in the book and never trades.
  /// - Returns: Whether a part of it rests.
  mutating func add(
    _ id: UInt64, _ symbol: Int, _ sells: Bool, _ price: Int, _ quantity: Int,
    waits: Bool, _ result: inout FlowResult, _ gone: inout [UInt64]
  ) -> Bool {
    var left = quantity
    while !waits, left > 0, let (level, maker) = head(symbol, ofAsks: !sells),
      sells ? level >= price : level <= price
    {
      guard var resting = orders[maker] else { break }
      let traded = min(left, resting.quantity)
      result.trade(maker: maker, taker: id, price: Int64(level), quantity: Int64(traded))
      left -= traded
      resting.quantity -= traded
      orders[maker] = resting.quantity > 0 ? resting : nil
      if resting.quantity == 0 { gone.append(maker) }
    }
    if left == 0 { return false }
    orders[id] = Resting(symbol: symbol, sells: sells, price: price, quantity: left)
    if waits { return true }
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
  mutating func cancel(_ id: UInt64) { orders.removeValue(forKey: id) }

  func symbol(of id: UInt64) -> UInt32 { UInt32(orders[id]?.symbol ?? 0) }

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
