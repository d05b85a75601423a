import MarketModel

/// Random field values, with extreme values more often than by chance.
struct AnyFields: FieldSource {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  private mutating func bits<Value: FixedWidthInteger>() -> Value {
    switch random.next() % 8 {
    case 0: Value.min
    case 1: Value.max
    default: Value(truncatingIfNeeded: random.next())
    }
  }

  mutating func leavesOut(_ field: String) -> Bool { random.next() % 2 == 0 }

  /// A rules version that this program does not know would be rejected.
  mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value {
    field == "setRules.version" ? Value(random.next() % UInt64(RulesVersion.newest + 1)) : bits()
  }

  mutating func identifier<Value: Identifier>(_ field: String) -> Value { Value(bits()) }

  mutating func choice<Value: CaseIterable>(_ field: String) -> Value {
    let cases = Array(Value.allCases)
    return cases[Int(random.next() % UInt64(cases.count))]
  }

  mutating func flag(_ field: String) -> Bool { random.next() % 2 == 0 }
  mutating func price(_ field: String) -> Price { Price(ticks: bits()) }
  mutating func energy(_ field: String) -> Energy { Energy(wattHours: bits()) }
  mutating func money(_ field: String) -> Money { Money(units: bits()) }
  mutating func timestamp(_ field: String) -> Timestamp { Timestamp(nanoseconds: bits()) }
  mutating func rate(_ field: String) -> Rate { Rate(partsPerMillion: bits()) }
  /// Others are refused.
  mutating func label(_ field: String) -> Label {
    let length = random.next() % 17
    let text = String(
      decoding: (0..<length).map { _ in UInt8(32 + random.next() % 95) }, as: UTF8.self)
    // One of blanks only is refused too.
    return Label(text.allSatisfy { $0 == " " } ? "" : text) ?? .empty
  }
  mutating func roles(_ field: String) -> Roles { Roles(rawValue: bits()) }
  mutating func noteText(_ field: String) -> NoteText {
    NoteText(bits(), bits(), bits(), bits(), bits())
  }
  mutating func publicKey(_ field: String) -> PublicKey {
    PublicKey(bits(), bits(), bits(), bits())
  }
}
