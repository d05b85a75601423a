import ExchangeCore
import MarketModel

/// Generates a fixed sequence of commands of a busy market. It applies them to know which orders are open.
struct BusyMarket: ~Copyable {
  private static let accounts: UInt32 = 1_000
  private static let instruments: UInt32 = 1_000
  private static let middle: Int64 = 1_000
  private static let mostOpen = 200_000
  private static let session = SessionId(1)
  private static let start: UInt64 = 1_780_272_000_000_000_000

  private var exchange = Exchange(capacity: .standard)
  private var founding: ArraySlice<Command.Body>
  private var random = SeededRandom(seed: 1)
  private var sequence: UInt64 = 0
  private var nextId = [UInt64](repeating: 1, count: Int(Self.accounts) + 1)
  /// Orders that may be open, unordered; closed ones are removed when a cancel chooses them.
  private var open: [(order: OrderId, account: AccountId)] = []

  init() {
    founding = Self.foundation()[...]
    open.reserveCapacity(Self.mostOpen * 2)
  }

  /// Number of open orders.
  var openOrders: UInt32 { exchange.counts.openOrders }

  /// Applies the next command and returns it.
  mutating func next() -> Command {
    sequence += 1
    var command = Command(
      session: Self.session, clientSequence: sequence,
      body: founding.popFirst() ?? anything(), sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: Self.start + sequence * 1_000))
    if sequence <= 3 { command.session = .exchange }
    for event in exchange.execute(command) {
      if case .accepted(let state) = event { open.append((state.order, state.account)) }
    }
    return command
  }

  private mutating func anything() -> Command.Body {
    let dice = number(100)
    if dice < 45 || open.count > Self.mostOpen, let cancel = cancelOfAnOpenOrder() {
      return cancel
    }
    let account = UInt32(number(UInt64(Self.accounts))) + 1
    let side = number(2) == 0 ? Side.buy : .sell
    let isAggressive = dice >= 95
    let distance = Int64(number(20)) + 1
    let towards: Int64 = side == .buy ? 1 : -1
    let id = nextId[Int(account)]
    nextId[Int(account)] += 1
    return .enter(
      NewOrder(
        account: AccountId(account),
        instrument: InstrumentId(UInt32(number(UInt64(Self.instruments))) + 1), side: side,
        timeInForce: isAggressive ? .immediateOrCancel : .goodTillCancel,
        clientOrderId: ClientOrderId(id),
        price: Price(ticks: Self.middle + (isAggressive ? towards : -towards) * distance),
        quantity: Energy(wattHours: Int64(number(100)) + 1)))
  }

  /// Chooses a random open order and removes closed ones from the list.
  private mutating func cancelOfAnOpenOrder() -> Command.Body? {
    while !open.isEmpty {
      let index = Int(number(UInt64(open.count)))
      let (order, account) = open[index]
      open.swapAt(index, open.count - 1)
      open.removeLast()
      if exchange.orderState(order) != nil {
        return .cancel(CancelOrder(account: account, order: order))
      }
    }
    return nil
  }

  /// A random number in 0 ..< `below`.
  private mutating func number(_ below: UInt64) -> UInt64 {
    random.next().multipliedFullWidth(by: below).high
  }

  private static func foundation() -> [Command.Body] {
    let participant = ParticipantId(1)
    let key = PublicKey(7, 7, 7, 7)
    var bodies: [Command.Body] = [
      .control(.setRules(SetRules(version: RulesVersion.newest))),
      .reference(.createParticipant(CreateParticipant(participant: participant, name: .empty))),
      .reference(
        .registerSession(
          RegisterSession(
            session: session, participant: participant,
            roles: [.administration, .trading, .metering],
            publicKey: key))),
      .session(
        .beginSession(BeginSession(session: session, version: 1, cancelAfter: BeginSession.never))),
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
            storagePrice: Money(units: 20), feedInPrice: .zero, retailPrice: .zero))),
    ]
    for number in 1...instruments {
      bodies.append(
        .reference(
          .createInstrument(
            CreateInstrument(
              instrument: InstrumentId(number), area: AreaId(1), symbol: .empty,
              tick: Price(ticks: 1), lot: Energy(wattHours: 1), lowestPrice: .zero,
              highestPrice: Price(ticks: 2 * middle), makerFee: .zero, takerFee: .zero))))
    }
    for number in 1...accounts {
      let account = AccountId(number)
      bodies += [
        .reference(.createAccount(CreateAccount(account: account, participant: participant))),
        .reference(
          .setCap(
            SetCap(account: account, area: AreaId(1), cap: Energy(wattHours: 1 << 42)))),
        .cash(
          .deposit(
            CashMovement(
              account: account, currency: .eur, amount: Money(units: 1 << 50), reference: 1))),
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(number), account: account, area: AreaId(1), publicKey: key,
              capacity: .max))),
        .meterReading(
          MeterReading(
            meter: MeterId(number), registerSequence: 1,
            intervalStart: Timestamp(nanoseconds: start - 900_000_000_000),
            intervalEnd: Timestamp(nanoseconds: start), produced: Energy(wattHours: 1 << 38),
            consumed: .zero)),
      ]
    }
    return bodies
  }
}
