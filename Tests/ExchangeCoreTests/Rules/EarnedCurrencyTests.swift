import MarketModel
import Testing

@testable import ExchangeCore

@Suite("Rule 6: a currency without deposits")
struct EarnedCurrencyTests {
  private static let ana = AccountId(1)
  private static let francs = Currency(756)

  private static func area(_ number: UInt16, _ currency: Currency) -> Command.Body {
    .reference(
      .createArea(
        CreateArea(
          area: AreaId(number), currency: currency, code: .empty, storageCost: Money(units: 300),
          storagePrice: Money(units: 20), feedInPrice: Price(ticks: 8_000),
          retailPrice: Price(ticks: 30_000))))
  }

  private static func movement(_ currency: Currency, _ units: Int64, _ reference: UInt64)
    -> CashMovement
  {
    CashMovement(
      account: ana, currency: currency, amount: Money(units: units), reference: reference)
  }

  @Test("Export revenue can be withdrawn, and each currency has its own circulation.")
  func withdrawn() {
    var exchange = Exchange(capacity: .small)
    var sequence: UInt64 = 0
    func events(_ body: Command.Body) -> [Event] {
      sequence += 1
      return Array(
        exchange.execute(
          Command(session: .exchange, body: body, sequence: SequenceNumber(sequence))))
    }
    let bodies: [Command.Body] = [
      .reference(
        .createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty))),
      .reference(.createAccount(CreateAccount(account: Self.ana, participant: ParticipantId(1)))),
      Self.area(1, Self.francs), Self.area(2, .eur),
      .reference(.setCap(SetCap(account: Self.ana, area: AreaId(1), cap: .zero))),
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(1), account: Self.ana, area: AreaId(1), publicKey: PublicKey(1, 1, 1, 1))
        )),
      .meterReading(
        MeterReading(
          meter: MeterId(1), registerSequence: 1, intervalStart: Timestamp(nanoseconds: 0),
          intervalEnd: Timestamp(nanoseconds: 1), produced: Energy(wattHours: 1_000),
          consumed: .zero)),
    ]
    for body in bodies { _ = events(body) }
    let withdrawal = Self.movement(Self.francs, 3_000_000, 1)
    #expect(
      events(.cash(.withdraw(withdrawal))).contains {
        if case .cash(.withdrawn) = $0 { true } else { false }
      })
    #expect(exchange.supply(of: Self.francs) == Money(units: -3_000_000))
    // The next currency must not begin with the sum of the one before.
    _ = events(.cash(.deposit(Self.movement(.eur, 500, 2))))
    #expect(exchange.supply(of: .eur) == Money(units: 500))
    #expect(exchange.supply(of: Self.francs) == Money(units: -3_000_000))
    #expect(exchange.invariantViolations().isEmpty)
  }
}
