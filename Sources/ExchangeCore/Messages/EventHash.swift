// The rolling hash over all events, which checkpoints in the journal compare. Two runs with equal
// event hashes took equal decisions. Inspection/StateHash.swift has the hash of the whole state.

import MarketModel

/// The rolling hash over an exchange's events; it covers what each event decided.
///
/// The words of an event are multiplied in pairs, which the processor does in parallel. Only one
/// step of each event depends on the event before it.
struct EventHash {
  /// The tag of a cancel, in the lowest byte of its first word.
  static let canceled: UInt64 = 4

  private(set) var value: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// The hash before the first event.
  init() {}

  /// A hash that continues from `value`.
  init(value: UInt64) { self.value = value }

  /// Combines two words: the exclusive or of both halves of their product.
  @inline(__always) private static func pair(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = (a ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: b ^ 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
  }

  /// Folds a word into the hash, with wrapping arithmetic.
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

  /// Folds any other event. The switches are exhaustive, so a new event does not compile without
  /// its words.
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
      if let word = EventHash.localWord(metered) { fold(word) }
      if metered.quality != .measured {
        fold(EventHash.word(UInt64(metered.quality.rawValue), metered.countsProduction.word))
      }
    case .order(let event): fold(EventHash.word(event))
    case .cash(let event): fold(EventHash.word(event))
    case .reference(let event): fold(EventHash.word(event))
    case .metering(let event): fold(EventHash.word(event))
    case .session(let event): fold(EventHash.word(event))
    case .control(let event): fold(EventHash.word(event))
    }
  }

  // MARK: Words of the infrequent events (EventWords.generated.swift lists them)

  /// A word made of a tag and a number.
  static func word(_ tag: UInt64, _ number: some FixedWidthInteger) -> UInt64 {
    tag | UInt64(truncatingIfNeeded: number) << 8
  }

  /// A word combined with another number.
  static func word(_ word: UInt64, and number: some FixedWidthInteger) -> UInt64 {
    pair(word, UInt64(truncatingIfNeeded: number))
  }

  /// The word of a note.
  static func word(_ noted: Noted) -> UInt64 {
    let text = noted.text
    return 55
      | pair(
        pair(noted.order.rawValue, noted.clientOrderId.rawValue),
        pair(text.word0, text.word1) &+ pair(text.word2, text.word3) &+ text.word4) << 8
  }

  /// The word of a changed parameter.
  static func word(_ done: ParameterSet) -> UInt64 {
    54 | UInt64(done.change.parameter.rawValue) << 8
      | pair(
        UInt64(done.change.number) << 8 | UInt64(done.change.subject.rawValue),
        pair(bits(done.change.value), bits(done.defaultCap.wattHours))) << 16
  }

  /// The word of a correction.
  static func word(_ done: Corrected) -> UInt64 {
    58 | UInt64(done.account.rawValue) << 8
      | pair(
        pair(bits(done.producedDifference.wattHours), bits(done.consumedDifference.wattHours))
          &+ pair(bits(done.lostDifference.wattHours), bits(done.feedInPrice.ticks)),
        pair(bits(done.exportsBack.wattHours), bits(done.exported.wattHours))
          &+ pair(bits(done.importsBack.wattHours), bits(done.imported.wattHours))
          &+ bits(done.retailPrice.ticks)) << 40
  }

  /// The word of a reading in quarantine.
  static func word(_ done: Quarantined) -> UInt64 {
    59 | UInt64(done.code.rawValue) << 8
      | pair(
        pair(done.number, done.reading.intervalStart.nanoseconds),
        pair(done.reading.registerSequence, UInt64(done.reading.meter.rawValue))) << 24
  }

  /// The word of a decision about a reading.
  static func word(_ done: ReadingDecided) -> UInt64 {
    word(word(60, done.decision.number), and: done.decision.releases.word)
  }

  /// The word of what a reading used itself and traded locally; `nil` where it did neither, as before
  /// version 6 of the rules.
  fileprivate static func localWord(_ metered: Metered) -> UInt64? {
    if metered.own == .zero, metered.boughtLocally == .zero, metered.soldLocally == .zero {
      return nil
    }
    return pair(
      pair(bits(metered.own.wattHours), bits(metered.soldLocally.wattHours)),
      pair(bits(metered.localCost.units), bits(metered.localRevenue.units)))
  }

  /// The word of a displayed quantity.
  static func word(_ displayed: OrderDisplayed) -> UInt64 {
    28 | UInt64(displayed.isRefilled ? 1 : 0) << 8
      | pair(
        displayed.order.rawValue,
        pair(bits(displayed.total.wattHours), bits(displayed.live.wattHours))) << 9
  }
}

extension Bool {
  /// 1 for true, 0 for false.
  var word: UInt8 { self ? 1 : 0 }
}
