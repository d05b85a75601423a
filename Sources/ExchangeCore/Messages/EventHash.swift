// The rolling hash over all events: what a checkpoint in the journal compares. Two runs with the same
// hash took the same decisions; the hash of the whole state is in Inspection/StateHash.swift.

import MarketModel

/// The rolling hash of an exchange's history: of each event, what it decided.
///
/// An event's words are multiplied in pairs, which the processor does at the same time; one step per
/// event then depends on the one before it.
struct EventHash {
  /// The tag of a cancel: the lowest byte of its first word.
  static let canceled: UInt64 = 4

  private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The hash of no history.
  init() {}

  /// The hash of a history that goes on.
  init(value: UInt64) { self.value = value }

  /// Two words as one: both halves of their product.
  @inline(__always) private static func pair(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = (a ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: b ^ 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
  }

  /// Wrapping is the arithmetic of the hash.
  @inline(__always) private mutating func fold(_ word: UInt64) {
    value = EventHash.pair((value &<< 5 | value &>> 59) ^ word, 0x8EBC_6AF0_9C88_C6E3)
  }

  @inline(__always) private static func bits(_ number: Int64) -> UInt64 {
    UInt64(bitPattern: number)
  }

  /// Folds an order's state, and `word` with it.
  @inline(__always) mutating func fold(
    state tag: UInt64, account: UInt32, order: UInt64, price: Int64, leaves: Int64, covered: Int64,
    _ word: UInt64
  ) {
    fold(
      EventHash.pair(tag | UInt64(account) &<< 32, order)
        &+ EventHash.pair(EventHash.bits(price), EventHash.bits(leaves))
        &+ EventHash.pair(EventHash.bits(covered) &+ tag, word))
  }

  /// Folds a trade.
  @inline(__always) mutating func fold(
    trade: UInt64, _ buyer: UInt64, _ seller: UInt64, _ price: Int64, _ quantity: Int64,
    _ buyerFee: Int64, _ sellerFee: Int64
  ) {
    fold(
      EventHash.pair(5 | trade &<< 8, buyer) &+ EventHash.pair(seller, EventHash.bits(price))
        &+ EventHash.pair(EventHash.bits(quantity), EventHash.bits(buyerFee))
        &+ EventHash.bits(sellerFee))
  }

  /// Folds a balance.
  @inline(__always) mutating func fold(
    balance account: UInt32, _ free: Int64, _ reserved: Int64, _ energy: Int64
  ) {
    fold(
      EventHash.pair(7 | UInt64(account) &<< 32, EventHash.bits(free))
        &+ EventHash.pair(EventHash.bits(reserved), EventHash.bits(energy)))
  }

  /// Folds any other event: every event of every family has its words here, and a new one does not compile
  /// before it has.
  mutating func fold(_ event: Event) {
    switch event {
    case .accepted, .replaced, .restated, .canceled, .trade, .balance:
      assertionFailure("folded where they are written")
    case .rejected(let rejected):
      fold(6 | UInt64(rejected.code.rawValue) << 8)
      fold(EventHash.bits(rejected.limit))
      fold(rejected.clientOrderId.rawValue)
    case .metered(let metered):
      fold(8 | UInt64(metered.account.rawValue) << 32)
      fold(EventHash.bits(metered.burned.wattHours))
      fold(EventHash.bits(metered.exported.wattHours))
      fold(EventHash.bits(metered.imported.wattHours))
    case .order(let event): fold(EventHash.word(event))
    case .cash(let event): fold(EventHash.word(event))
    case .reference(let event): fold(EventHash.word(event))
    case .session(let event): fold(EventHash.word(event))
    case .control(let event): fold(EventHash.word(event))
    }
  }

  // MARK: Words of the rarer events (EventWords.generated.swift says which)

  /// A tag and a number.
  static func word(_ tag: UInt64, _ number: some FixedWidthInteger) -> UInt64 {
    tag | UInt64(truncatingIfNeeded: number) << 8
  }

  /// A word and one more number.
  static func word(_ word: UInt64, and number: some FixedWidthInteger) -> UInt64 {
    pair(word, UInt64(truncatingIfNeeded: number))
  }

  /// What the market sees of an order.
  static func word(_ displayed: OrderDisplayed) -> UInt64 {
    28 | UInt64(displayed.isRefilled ? 1 : 0) << 8
      | pair(
        displayed.order.rawValue,
        pair(bits(displayed.total.wattHours), bits(displayed.live.wattHours))) << 9
  }
}

extension Bool {
  /// 0 or 1.
  var word: UInt8 { self ? 1 : 0 }
}
