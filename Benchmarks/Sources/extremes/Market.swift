import ExchangeCore
import Glibc
import MarketModel

/// An exchange with accounts that have cash and instruments with wide price bands, without orders.
struct Market: ~Copyable {
  /// The time between two commands, ns: long enough for a reading of any energy.
  private static let step: UInt64 = 1_000_000

  var exchange: Exchange
  private var sequence: UInt64 = 0
  /// The sequence number of the next command.
  var next: UInt64 { sequence + 1 }

  init(instruments: UInt32, orders: UInt32, accounts: UInt32) {
    exchange = Exchange(
      capacity: Capacity(
        participants: 1, sessions: 1, accounts: accounts, areas: 1, instruments: instruments,
        meters: accounts, positions: accounts, orders: 2 * orders, priceLevels: 2 * orders,
        accountOrders: orders, accountLevels: orders))
    send(.control(.setRules(SetRules(version: RulesVersion.newest))))
    send(
      .reference(.createParticipant(CreateParticipant(participant: ParticipantId(1), name: .empty)))
    )
    send(
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
            storagePrice: Money(units: 200), feedInPrice: .zero, retailPrice: Price(ticks: 10_000)))))
    for number in 1...instruments {
      send(
        .reference(
          .createInstrument(
            CreateInstrument(
              instrument: InstrumentId(number), area: AreaId(1), symbol: .empty,
              tick: Price(ticks: 1), lot: Energy(wattHours: 1), lowestPrice: .zero,
              highestPrice: Price(ticks: 1_999_999), makerFee: Rate(partsPerMillion: 100),
              takerFee: Rate(partsPerMillion: 200)))))
    }
    for number in 1...accounts { open(number) }
  }

  private mutating func open(_ number: UInt32) {
    let account = AccountId(number)
    send(.reference(.createAccount(CreateAccount(account: account, participant: ParticipantId(1)))))
    send(
      .reference(
        .setCap(SetCap(account: account, area: AreaId(1), cap: Energy(wattHours: 1 << 50)))))
    send(
      .cash(
        .deposit(
          CashMovement(
            account: account, currency: .eur, amount: Money(units: 1 << 46), reference: 1))))
    send(
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(number), account: account, area: AreaId(1),
            publicKey: PublicKey(0, 0, 0, 0), capacity: .max))))
  }

  /// Applies a command; a reject ends the process.
  /// - Returns: The number of events.
  @discardableResult mutating func send(_ body: Command.Body) -> Int {
    sequence += 1
    let events = exchange.execute(
      Command(
        session: .exchange, body: body, sequence: SequenceNumber(sequence),
        time: Timestamp(nanoseconds: sequence * Market.step)))
    if case .rejected(let rejected)? = events.first { preconditionFailure("\(rejected)") }
    return events.count
  }

  /// Enters an order of one lot.
  mutating func enter(account: UInt32, instrument: UInt32, sells: Bool, price: Int64) {
    send(
      .enter(
        NewOrder(
          account: AccountId(account), instrument: InstrumentId(instrument),
          side: sells ? .sell : .buy, clientOrderId: ClientOrderId(sequence + 1),
          price: Price(ticks: price), quantity: Energy(wattHours: 1))))
  }

  /// Credits energy to an account.
  mutating func produce(account: UInt32, _ energy: Int64) {
    send(Market.reading(account: account, energy, number: sequence + 1))
  }

  /// Uses energy of an account.
  /// - Returns: The number of events.
  mutating func consume(account: UInt32, _ energy: Int64) -> Int {
    send(Market.reading(account: account, 0, consumed: energy, number: sequence + 1))
  }

  static func reading(
    account: UInt32, _ energy: Int64, consumed: Int64 = 0, number: UInt64
  ) -> Command.Body {
    .meterReading(
      MeterReading(
        meter: MeterId(account), registerSequence: number,
        intervalStart: Timestamp(nanoseconds: number * step),
        intervalEnd: Timestamp(nanoseconds: (number + 1) * step),
        produced: Energy(wattHours: energy), consumed: Energy(wattHours: consumed)))
  }
}

/// Resident memory of this process in bytes.
func residentBytes() -> Int {
  guard let file = fopen("/proc/self/statm", "r") else { return 0 }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  guard fgets(&line, 256, file) != nil else { return 0 }
  let fields = line.prefix { $0 != 0 }.split(separator: 32)
  let pages = fields.count > 1 ? fields[1].reduce(0) { $0 * 10 + Int($1) - 48 } : 0
  return pages * sysconf(Int32(_SC_PAGESIZE))
}

/// A number with separated thousands, such as 1,234,567.
func grouped(_ number: UInt32) -> String {
  var text = ""
  for (index, digit) in String(number).reversed().enumerated() {
    if index > 0, index % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return String(text.reversed())
}

/// A number with two decimal places.
func decimals(_ number: Double) -> String {
  let hundredths = Int((number * 100).rounded())
  let rest = hundredths % 100
  return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
}
