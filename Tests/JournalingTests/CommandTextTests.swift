import Journaling
import MarketModel
import Testing

@Suite("Commands for people")
struct CommandTextTests {
  @Test("A line names who asks for what, with prices and money as people write them.")
  func lines() {
    let order = Command(
      session: SessionId(7), clientSequence: 1,
      body: .enter(
        NewOrder(
          account: AccountId(3), instrument: InstrumentId(1), side: .sell,
          clientOrderId: ClientOrderId(9), price: Price(ticks: -10_001),
          quantity: Energy(wattHours: 5_000))),
      sequence: SequenceNumber(12), time: Timestamp(nanoseconds: 34))
    #expect(
      CommandText.line(order)
        == "12 34 s7 enter account 3 instrument 1 sell 5000 Wh @ -0.10001 goodTillCancel client 9")
    let deposit = CashMovement(
      account: AccountId(3), currency: .eur, amount: Money(units: 1_250_000_000), reference: 4)
    #expect(
      CommandText.text(.cash(.deposit(deposit)))
        == "deposit account 3 12.50000000 currency 978 reference 4")
  }

  @Test("Every kind of command has its own line.", arguments: CommandCodec.Kind.allCases)
  func everyKind(kind: CommandCodec.Kind) {
    var commands = RandomCommands(seed: 4)
    for _ in 0..<50 {
      let text = CommandText.text(commands.next(kind).body)
      #expect(text.hasPrefix("\(kind)") && !text.contains("\n"))
    }
  }
}
