import ExchangeCore
import MarketModel
import Testing

@Suite("Rules 2 and 11: definitions, the exchange's own commands")
struct DefinitionTests {
  @Test("A number is given once.")
  func numbersAreGivenOnce() {
    expect(
      """
      participant 1 -> rejected alreadyExists
      account ana of 1 -> rejected alreadyExists
      account ana of 9 -> rejected alreadyExists
      area 1 cost 1500.00 price 200.00 -> rejected alreadyExists
      spot 1 -> rejected alreadyExists
      register ana ana -> rejected alreadyExists
      """)
  }

  @Test("All entities that a definition refers to must exist.")
  func references() {
    expect(
      """
      session 5 of 3 roles 1 -> rejected unknownParticipant 4
      session 5 of 0 roles 1 -> rejected unknownParticipant 4
      account #9 of 3 -> rejected unknownParticipant 4
      spot 2 in 3 -> rejected unknownArea 4
      register #9 #9 -> rejected unknownAccount 16
      register #9 ana in 3 -> rejected unknownArea 4
      tariff 3 -> rejected unknownArea 4
      halt 7 -> rejected unknownInstrument 8
      """)
  }

  @Test("Only the administration defines.")
  func onlyAdministration() {
    expect(
      """
      participant 3 by 2 -> rejected notPermitted 4
      session 5 of 2 roles 7 by 2 -> rejected notPermitted 4
      account #9 of 2 by 2 -> rejected notPermitted 4
      area 2 cost 1500.00 price 200.00 by 3 -> rejected notPermitted 4
      tariff 1 by 3 -> rejected notPermitted 4
      spot 2 by 3 -> rejected notPermitted 4
      halt 1 by 2 -> rejected notPermitted 4
      register #9 eva by 2 -> rejected notPermitted 4
      tick 1s by 2 -> rejected notPermitted 4
      participant 3 by 9 -> rejected unknownSession
      """)
  }

  @Test("An area's storage cost, storage price and tariff must be within their bounds.")
  func areas() {
    expect(
      """
      area 2 cost -0.01 price 200.00 -> rejected badDefinition -1000000
      area 2 cost 1500.00 price 0.00 -> rejected badDefinition
      area 2 cost 1500.00 price -1.00 -> rejected badDefinition -100000000
      area 2 cost 1500.00 price 200.00 feedin -0.01 -> rejected badDefinition -1000
      area 2 cost 1500.00 price 200.00 retail -0.01 -> rejected badDefinition -1000
      area 2 cost 1500.00 price 200.00 retail 10995116.27777 -> rejected badDefinition 1099511627777
      area 2 cost 1500.00 price 200.00 loss 500001 -> rejected badDefinition 500001
      area 2 cost 1500.00 price 200.00 loss 500000 ->
      tariff 1 feedin -0.01 -> rejected badDefinition -1000
      tariff 1 retail 10995116.27777 -> rejected badDefinition 1099511627777
      tariff 1 feedin 0.00 retail 10995116.27776 ->
      """)
  }

  @Test("Tick and lot are positive; the price band is on the tick and not too wide.")
  func instruments() {
    expect(
      """
      spot 2 tick 0.00 -> rejected badDefinition
      spot 2 tick -0.01 -> rejected badDefinition -1000
      spot 2 lot 0Wh -> rejected badDefinition
      spot 2 lot 68719476737Wh -> rejected badDefinition 68719476737
      spot 2 band -0.005 1.00 -> rejected badDefinition -500
      spot 2 band 0.00 1.005 -> rejected badDefinition 100500
      spot 2 band 1.00 0.99 -> rejected badDefinition 99000
      spot 2 tick 0.00001 band 0.00 167.77216 -> rejected badDefinition 16777216
      spot 2 tick 0.00001 band 0.00 167.77215 ->
      spot 3 maker 500001 -> rejected badDefinition 500001
      spot 3 taker 500001 -> rejected badDefinition 500001
      spot 3 tick 1.00 band 0.00 10995117.00 -> rejected badDefinition 1099511700000
      spot 3 tick 1.00 lot 68719476736Wh band 0.00 10995116.00 -> rejected badDefinition 1099511600000
      spot 3 band 0.10 0.10 maker 500000 taker 500000 ->
      """)
  }

  @Test("An instrument with a single price trades at it.")
  func singlePrice() {
    expect(
      """
      spot 2 band 0.10 0.10 ->
      meter ana +1kWh ->
      enter A1 ana ask 1kWh @ 0.10 in 2 -> accepted A1 live 1kWh
      enter X ben bid 1kWh @ 0.11 in 2 -> rejected priceOutOfBand 10000
      enter B1 ben bid 1kWh market ioc in 2 -> accepted B1 live 1kWh; trade A1 B1 1kWh @ 0.10
      """)
  }

  @Test("Registering a session again replaces its roles; without any it is revoked.")
  func sessions() {
    expect(
      """
      session 2 of 2 roles 16 -> rejected badDefinition 16
      enter E1 eva bid 1kWh @ 0.10 by 2 -> accepted E1 live 1kWh
      session 2 of 2 roles 2 ->
      cancel E1 by 2 -> rejected notPermitted 1
      session 2 of 2 roles 0 ->
      cancel E1 by 2 -> rejected unknownSession
      session 2 of 1 roles 1 ->
      cancel E1 by 2 -> rejected foreignAccount
      session 2 of 2 roles 1 ->
      cancel E1 by 2 -> canceled E1 1kWh user
      """)
  }

  @Test("One acts for one's own firm's accounts; the exchange itself for all.")
  func foreignAccounts() {
    expect(
      """
      enter E1 eva bid 1kWh @ 0.10 by 2 -> accepted E1 live 1kWh
      replace E1 2kWh @ 0.10 -> rejected foreignAccount
      cancel E1 -> rejected foreignAccount
      mass eva -> rejected foreignAccount
      mass #9 -> rejected unknownAccount 16
      mass ana in 7 -> rejected unknownInstrument 8
      cancel E1 for ana -> rejected unknownOrder
      replace E1 2kWh @ 0.10 by 0 -> replaced E1 live 2kWh
      cancel E1 by 0 -> canceled E1 2kWh user
      """)
  }

  @Test("An amount that does not fit the money type is refused before the cash check.")
  func notionalOverflow() {
    expect(
      """
      spot 2 tick 1.00 band 0.00 10000000.00 taker 500000 ->
      enter X ana bid 68719476kWh @ 10000000.00 in 2 -> rejected notionalOverflow 9223372036854775807
      enter X ana ask 9000kWh @ 10000000.00 in 2 -> rejected notionalOverflow 9223372036854775807
      enter X ana bid 6000kWh @ 10000000.00 in 2 -> rejected insufficientCash 100000000000
      enter A1 ana ask 6000kWh @ 10000000.00 in 2 -> accepted A1 waiting 6000kWh energy
      replace A1 9000kWh @ 10000000.00 -> rejected notionalOverflow 9223372036854775807
      """)
  }

  @Test("Only the exchange confirms settlement and writes checkpoints; a repetition has no effect.")
  func ownCommands() throws {
    expect(
      """
      settled 1 5 by 1 -> rejected notPermitted
      settled 1 5 by 9 -> rejected unknownSession
      settled 2 5 by 0 ->
      settled 1 5 by 0 ->
      """)
    var exchange = Exchange(capacity: .script)
    var events = EventRecorder()
    let confirmation = SettlementConfirmed(batch: 2, lastSequence: SequenceNumber(5))
    for _ in 0..<2 {
      exchange.apply(
        Command(session: .exchange, body: .control(.settlementConfirmed(confirmation))),
        into: &events)
    }
    #expect(events.events == [.control(.settlementConfirmed(confirmation))])
  }

  @Test("A checkpoint of this history is silent, one of another raises the alarm.")
  func checkpoints() {
    var exchange = Exchange(capacity: .script)
    var events = EventRecorder()
    func checkpoint(_ event: UInt64, _ state: UInt64) -> Command {
      Command(
        session: .exchange,
        body: .control(.checkpoint(Checkpoint(eventHash: event, stateHash: state))))
    }
    let admit = CreateParticipant(participant: ParticipantId(1), name: .empty)
    exchange.apply(
      Command(session: .exchange, body: .reference(.createParticipant(admit))), into: &events)
    events.events = []
    exchange.apply(checkpoint(exchange.eventHash, 0), into: &events)
    exchange.apply(checkpoint(exchange.eventHash, exchange.stateHash()), into: &events)
    #expect(events.events.isEmpty)
    let hash = exchange.eventHash
    exchange.apply(checkpoint(hash, exchange.stateHash() &+ 1), into: &events)
    exchange.apply(checkpoint(hash &+ 1, 0), into: &events)
    #expect(
      events.events == [
        .control(.alarm(Alarm(kind: .checkpointMismatch, value: Int64(bitPattern: hash)))),
        .control(.alarm(Alarm(kind: .checkpointMismatch, value: Int64(bitPattern: hash &+ 1)))),
      ])
  }
}
