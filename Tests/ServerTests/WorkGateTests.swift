import ExchangeCore
import GatewayKit
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Commands that take long, behind each other")
struct WorkGateTests {
  private let bot = Exchange.Sender(participant: ParticipantId(2), pays: true)
  private let administrator = Exchange.Sender(participant: ParticipantId(1), pays: false)

  /// The number of commands of 100 units that pass, of 10,000 sent at `time`.
  private func passed(
    _ gate: inout WorkGate, _ sender: Exchange.Sender, _ body: Command.Body, at time: UInt64
  ) -> Int {
    let command = Command(
      session: SessionId(2), body: body, time: Timestamp(nanoseconds: time))
    return (0..<10_000).filter { _ in
      if gate.isActive, gate.refusal(of: command, from: sender) != nil { return false }
      gate.charge(sender, 100, at: command.time)
      return true
    }.count
  }

  private let order = Command.Body.enter(
    NewOrder(
      account: AccountId(1), instrument: InstrumentId(1), side: .buy,
      clientOrderId: ClientOrderId(1), price: Price(ticks: 1), quantity: Energy(wattHours: 1)))

  @Test("A burst may use a twentieth of a second's units, and then as much as time refills.")
  func burst() {
    var gate = WorkGate(WorkBudget.Limits(perSecond: 100_000))
    let start: UInt64 = 1_800_000_000_000_000_000
    #expect(passed(&gate, bot, order, at: start) == 50)
    #expect(passed(&gate, bot, order, at: start) == 0)
    #expect(passed(&gate, bot, order, at: start + 10_000_000) == 10)
    #expect(passed(&gate, bot, order, at: start + 10_000_000_000) == 50)
  }

  @Test("Cancels may owe another second's units; administrators do not pay.")
  func exempt() {
    var gate = WorkGate(WorkBudget.Limits(perSecond: 100_000))
    let start: UInt64 = 1_800_000_000_000_000_000
    let cancel = Command.Body.cancel(
      CancelOrder(account: AccountId(1), order: OrderId(1), clientOrderId: .engine))
    #expect(passed(&gate, bot, order, at: start) == 50)
    #expect(passed(&gate, bot, cancel, at: start) == 1_000)
    #expect(passed(&gate, administrator, order, at: start) == 10_000)
  }
}
