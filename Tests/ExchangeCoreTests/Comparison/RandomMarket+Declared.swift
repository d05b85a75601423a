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
    .setParameter, .note, .setBlock, .setLimit,
  ]

  /// Sessions 1, 2, 4 and 6 of `world` with other keys, mostly with their roles. Session 1, which
  /// sends most commands, loses only the administration.
  mutating func registeredAgain() -> Step {
    let known: [(session: UInt32, participant: UInt32, roles: UInt8)] = [
      (1, 1, 7), (2, 2, 1), (4, 3, 4), (6, 1, 1), (6, 1, 1),
    ]
    let it = known[Int(dice(5))]
    var participant = ParticipantId(it.participant)
    var roles = Roles(rawValue: it.roles)
    if dice(3) == 0 { participant = ParticipantId(0) }
    switch dice(8) {
    case 0, 1: roles = it.session == 1 ? [.trading, .metering] : []
    case 2: participant = ParticipantId(dice(4))
    case 3: roles = [.trading]
    default: break
    }
    return Step(
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(it.session), participant: participant, roles: roles,
            publicKey: PublicKey(UInt64(dice(3)), 0, 0, 0),
            orders: [.standard, .cancel, .keep][Int(dice(3))]))), by: dice(3) == 0 ? 1 : 0)
  }

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
  mutating func label(_ field: String) -> Label { Label(low: UInt64(dice(3)), high: 0) }
  mutating func publicKey(_ field: String) -> PublicKey { PublicKey(0, 0, 0, 0) }
  mutating func noteText(_ field: String) -> NoteText { NoteText(UInt64(dice(9)), 0, 0, 0, 0) }
  mutating func roles(_ field: String) -> Roles { Roles(rawValue: UInt8(dice(128))) }
}
