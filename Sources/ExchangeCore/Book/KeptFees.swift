// The fee rates of orders that rested when the rates of their instrument changed. Such an order
// trades at the rates at which it reserved its cash, until a replace makes it reserve anew (section
// 6).

import MarketModel

/// Fee rates in parts per million.
struct FeeRates: BitwiseCopyable {
  var maker: UInt32
  var taker: UInt32

  var highest: Rate { Rate(partsPerMillion: max(maker, taker)) }
}

/// Fee rates by slot; valid for orders with the mark `keepsFees`.
struct KeptFees: ~Copyable, StateComponent {
  private let rates: Table<FeeRates>
  /// The highest slot that ever kept rates; 0 when there was none.
  private(set) var highest: UInt32 = 0

  init(capacity: Capacity) { rates = Table(capacity: Int(capacity.orders) + 1) }

  subscript(slot: UInt32) -> FeeRates { rates[slot] }

  /// Notes the rates of the order in a slot.
  fileprivate mutating func keep(_ rates: FeeRates, of slot: UInt32) {
    self.rates[slot] = rates
    highest = max(highest, slot)
  }

  static func add(to layout: inout StateLayout) { layout.add(FeeRates.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(exchange.keptFees.highest)
    exchange.keptFees.rates.write(to: sink, used: Int(exchange.keptFees.highest) + 1)
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.keptFees.highest = source.get(UInt32.self)
    exchange.keptFees.rates.read(from: source)
  }
}

extension Exchange {
  /// The fee rates at which an order trades.
  func feeRates(_ order: OpenOrder) -> FeeRates {
    order.marks.keepsFees
      ? keptFees[order.slot]
      : FeeRates(maker: order.instrument.makerFee, taker: order.instrument.takerFee)
  }

  /// Makes every resting order of an instrument keep the present rates, before they change. Linear
  /// in the instrument's orders.
  mutating func keepFees(of instrument: UInt32) {
    for side in [Side.buy, .sell] {
      walkBook(instrument, side) { exchange, order in
        if order.marks.keepsFees { return }
        exchange.keptFees.keep(exchange.feeRates(order), of: order.slot)
        order.marks.keepsFees = true
      }
    }
  }
}
