// Random commands that RandomMarket does not make itself: each field is drawn from the values of
// its world.

import MarketModel

extension RandomMarket: FieldSource {
  /// The client commands that `step` does not make itself.
  static let declaredLater = CommandKind.allCases.filter { kind in
    !kind.roles.isEmpty && !own.contains(kind)
  }

  private static let own: Set<CommandKind> = [
    .enter, .replace, .cancel, .massCancel, .setAgent, .transfer, .meterReading, .deposit,
    .withdraw,
    .createParticipant, .registerSession, .createAccount, .setCap, .createArea, .setTariff,
    .createInstrument, .setInstrumentState, .registerMeter, .tick, .setRules,
    .setBlock, .setLimit,
  ]

  mutating func leavesOut(_ field: String) -> Bool { dice(2) == 0 }
  mutating func integer<Value: FixedWidthInteger>(_ field: String) -> Value {
    Value(truncatingIfNeeded: dice(4))
  }
  /// Draws existing and unknown numbers.
  mutating func identifier<Value: Identifier>(_ field: String) -> Value {
    Value(Value.RawValue(truncatingIfNeeded: dice(7)))
  }
  mutating func choice<Value: CaseIterable>(_ field: String) -> Value {
    let cases = Array(Value.allCases)
    return cases[Int(dice(UInt32(cases.count)))]
  }
  mutating func flag(_ field: String) -> Bool { dice(2) == 0 }
  mutating func price(_ field: String) -> Price { Price(ticks: Int64(dice(13)) * 1_000 - 1_000) }
  mutating func energy(_ field: String) -> Energy {
    Energy(wattHours: Int64(dice(12)) * 1_000 - 1_000)
  }
  mutating func money(_ field: String) -> Money {
    Money(units: Int64(dice(10)) * 100_000_000 - 100_000_000)
  }
  /// Draws a time in seconds, as in every step.
  mutating func timestamp(_ field: String) -> Timestamp {
    Timestamp(nanoseconds: UInt64(dice(1_000)))
  }
  mutating func rate(_ field: String) -> Rate { Rate(partsPerMillion: dice(600_000)) }
  mutating func label(_ field: String) -> Label { .empty }
  mutating func publicKey(_ field: String) -> PublicKey { PublicKey(0, 0, 0, 0) }
  mutating func roles(_ field: String) -> Roles { Roles(rawValue: UInt8(dice(128))) }
}
