import MarketModel

/// Any value of every field, its edges more often than chance.
struct AnyFields: FieldSource {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64: small, seeded, the same everywhere.
  private mutating func word() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  private mutating func bits<Value: FixedWidthInteger>() -> Value {
    switch word() % 8 {
    case 0: Value.min
    case 1: Value.max
    default: Value(truncatingIfNeeded: word())
    }
  }

  mutating func leavesOut(_ field: String) -> Bool { word() % 2 == 0 }

  /// Rules that this program does not know are rejected.
  mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value {
    field == "setRules.version" ? Value(word() % UInt64(RulesVersion.newest + 1)) : bits()
  }

  mutating func identifier<Value: Identifier>(_ field: String) -> Value { Value(bits()) }

  mutating func choice<Value: CaseIterable>(_ field: String) -> Value {
    let cases = Array(Value.allCases)
    return cases[Int(word() % UInt64(cases.count))]
  }

  mutating func flag(_ field: String) -> Bool { word() % 2 == 0 }
  mutating func price(_ field: String) -> Price { Price(ticks: bits()) }
  mutating func energy(_ field: String) -> Energy { Energy(wattHours: bits()) }
  mutating func money(_ field: String) -> Money { Money(units: bits()) }
  mutating func timestamp(_ field: String) -> Timestamp { Timestamp(nanoseconds: bits()) }
  mutating func rate(_ field: String) -> Rate { Rate(partsPerMillion: bits()) }
  mutating func label(_ field: String) -> Label { Label(low: bits(), high: bits()) }
  mutating func roles(_ field: String) -> Roles { Roles(rawValue: bits()) }
  mutating func publicKey(_ field: String) -> PublicKey {
    PublicKey(bits(), bits(), bits(), bits())
  }
}
