// The rolling hash over all events: what a checkpoint in the journal compares. Two runs with the same
// hash took the same decisions; the hash of the whole state is in Inspect/StateHash.swift.

import MarketModel

/// Folds 64-bit words into one. Order matters; not cryptographic.
struct WordHash {
  var value: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Wrapping is the arithmetic of the hash.
  @inline(__always) mutating func fold(_ word: UInt64) {
    value = (value &<< 5 | value &>> 59) ^ (word &* 0xC2B2_AE3D_27D4_EB4F)
    value = value &* 0x9E37_79B9_7F4A_7C15
  }

  @inline(__always) mutating func fold(_ word: Int64) { fold(UInt64(bitPattern: word)) }
  @inline(__always) mutating func fold(_ word: UInt32) { fold(UInt64(word)) }
  @inline(__always) mutating func fold(_ flag: Bool) { fold(UInt64(flag ? 1 : 0)) }
}

/// The rolling hash of an exchange's history.
struct EventHash {
  private var words = WordHash()

  var value: UInt64 { words.value }

  /// Folds what an event decided: which, about what, how much.
  mutating func fold(_ event: Event) {
    switch event {
    case .accepted(let state): fold(1, state)
    case .replaced(let state): fold(2, state)
    case .restated(let state): fold(3, state)
    case .canceled(let canceled):
      fold(4 | UInt64(canceled.reason.rawValue) << 8, canceled.state)
      words.fold(canceled.quantity.wattHours)
    case .trade(let trade): fold(trade)
    case .rejected(let rejected):
      words.fold(6 | UInt64(rejected.code.rawValue) << 8)
      words.fold(rejected.limit)
      words.fold(rejected.clientOrderId.rawValue)
    case .balance(let balance): fold(balance)
    case .metered(let metered): fold(metered)
    default: words.fold(EventHash.tag(event))
    }
  }

  private mutating func fold(_ tag: UInt64, _ state: OrderState) {
    fold(
      tag, account: state.account.rawValue, order: state.order.rawValue, price: state.price.ticks,
      leaves: state.leaves.wattHours, covered: state.covered.wattHours)
  }

  /// Folds an order's state.
  @inline(__always) mutating func fold(
    _ tag: UInt64, account: UInt32, order: UInt64, price: Int64, leaves: Int64, covered: Int64
  ) {
    words.fold(tag | UInt64(account) << 32)
    words.fold(order)
    words.fold(price)
    words.fold(leaves)
    words.fold(covered)
  }

  private mutating func fold(_ trade: Trade) {
    words.fold(5 | trade.trade.rawValue << 8)
    words.fold(trade.buyer.order.rawValue)
    words.fold(trade.seller.order.rawValue)
    words.fold(trade.price.ticks)
    words.fold(trade.quantity.wattHours)
    words.fold(trade.buyer.fee.units)
    words.fold(trade.seller.fee.units)
  }

  private mutating func fold(_ balance: Balance) {
    words.fold(7 | UInt64(balance.account.rawValue) << 32)
    words.fold(balance.free.units)
    words.fold(balance.reserved.units)
    words.fold(balance.energy.wattHours)
  }

  private mutating func fold(_ metered: Metered) {
    words.fold(8 | UInt64(metered.account.rawValue) << 32)
    words.fold(metered.burned.wattHours)
    words.fold(metered.exported.wattHours)
    words.fold(metered.imported.wattHours)
  }

  private static func tag(_ event: Event) -> UInt64 {
    switch event {
    case .massCanceled(let done): 9 | UInt64(done.count) << 8
    case .transferred(let done): 10 | UInt64(bitPattern: done.transfer.amount) << 8
    case .deposited(let done): 11 | UInt64(bitPattern: done.movement.amount.units) << 8
    case .withdrawn(let done): 12 | UInt64(bitPattern: done.movement.amount.units) << 8
    case .agentSet(let done): 13 | UInt64(done.agent.account.rawValue) << 8
    case .acknowledged(let done): 14 | UInt64(done.session.rawValue) << 8
    case .participantCreated(let done): 15 | UInt64(done.participant.rawValue) << 8
    case .sessionRegistered(let done): 16 | UInt64(done.session.rawValue) << 8
    case .accountCreated(let done): 17 | UInt64(done.account.rawValue) << 8
    case .capSet(let done): 18 | UInt64(bitPattern: done.cap.wattHours) << 8
    case .areaCreated(let done): 19 | UInt64(done.definition.area.rawValue) << 8
    case .tariffSet(let done): 20 | UInt64(done.area.rawValue) << 8
    case .instrumentCreated(let done): 21 | UInt64(done.instrument.rawValue) << 8
    case .instrumentStateChanged(let done): 22 | UInt64(done.state.rawValue) << 8
    case .meterRegistered(let done): 23 | UInt64(done.meter.rawValue) << 8
    case .settlementConfirmed(let done): 24 | done.batch << 8
    case .sessionBegan(let done): 26 | done.version << 8
    case .sessionEnded(let done): 27 | UInt64(done.count) << 8
    case .alarm(let alarm): 25 | UInt64(alarm.kind.rawValue) << 8
    default: 0
    }
  }
}
