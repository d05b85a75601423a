// Runs a flow through the whole exchange, including all rules, fees, balances and events.

import ExchangeCore
import MarketModel
import OrderFlow

/// The initial state of accounts that a shape needs, by the first letter of its name.
enum Endowment {
  /// Ample cash, energy and headroom.
  case ample
  /// F: half of the accounts have neither energy nor headroom.
  case halfWithout
  /// G: half of the accounts depend on their meter readings.
  case metered
  /// H: one seller has energy for its thousand initial orders.
  case adversary

  init(flow name: String) {
    switch name.first {
    case "F": self = .halfWithout
    case "G": self = .metered
    case "H": self = .adversary
    default: self = .ample
    }
  }

  /// Initial energy and cap of an account, in Wh.
  func of(_ account: UInt32) -> (energy: Int64, cap: Int64) {
    let ample = (energy: Int64(1) << 40, cap: Int64(1) << 50)
    let isOfShortHalf = account / 2 % 2 == 1
    switch self {
    case .ample: return ample
    case .halfWithout: return isOfShortHalf ? (0, 0) : ample
    case .metered:
      if !isOfShortHalf { return ample }
      return account % 2 == 1 ? (3_000, 3_000) : (0, 1 << 50)
    case .adversary: return account == FlowGenerator.adversary ? (50_000, 1 << 50) : ample
    }
  }
}

/// Runs one flow on a new exchange.
struct FlowRunner: ~Copyable {
  /// Number of commands that the exchange can look ahead at, as with a full read buffer or ring.
  static let ahead = 64

  /// The time between two commands, ns: long enough for a reading of any energy.
  private static let step: UInt64 = 1_000_000

  /// Number of participants, each with one session: one may have at most half of the pools.
  private static let participants: UInt32 = 16

  /// The participant of an account, and its session: they have the same number.
  @inline(__always) private static func participant(of account: UInt32) -> UInt32 {
    account % participants + 1
  }

  private var exchange: Exchange
  private let looksAhead: Bool
  private var sequence: UInt64 = 0

  init(_ flow: FlowFile, looksAhead: Bool) {
    self.looksAhead = looksAhead
    exchange = Exchange(
      capacity: Capacity(
        participants: FlowRunner.participants, sessions: FlowRunner.participants,
        accounts: flow.accounts, areas: 16, instruments: flow.symbols, meters: flow.accounts,
        positions: flow.accounts, orders: 1 << 22, priceLevels: 1 << 21))
    open(flow, Endowment(flow: flow.name))
  }

  @inline(__always) private mutating func command(
    _ body: Command.Body, from session: SessionId = .exchange
  ) -> Command {
    sequence += 1
    return Command(
      session: session, body: body, sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: sequence * FlowRunner.step))
  }

  private mutating func send(_ body: Command.Body) {
    for event in exchange.execute(command(body)) {
      if case .rejected(let rejected) = event { preconditionFailure("\(rejected)") }
    }
  }

  /// Creates area, instruments and accounts in the state that the flow needs.
  private mutating func open(_ flow: FlowFile, _ endowment: Endowment) {
    send(.control(.setRules(SetRules(version: RulesVersion.newest))))
    send(
      .reference(
        .createArea(
          CreateArea(
            area: AreaId(1), currency: .eur, code: .empty, storageCost: Money(units: 300),
            storagePrice: Money(units: 200), feedInPrice: .zero, retailPrice: .zero))))
    for symbol in 1...flow.symbols {
      send(
        .reference(
          .createInstrument(
            CreateInstrument(
              instrument: InstrumentId(symbol), area: AreaId(1), symbol: .empty,
              tick: Price(ticks: 1), lot: Energy(wattHours: 1),
              lowestPrice: Price(ticks: Int64(flow.lowest)),
              highestPrice: Price(ticks: Int64(flow.highest)),
              makerFee: Rate(partsPerMillion: 100), takerFee: Rate(partsPerMillion: 200)))))
    }
    for number in 1...FlowRunner.participants { openParticipant(number) }
    for number in 1...flow.accounts { open(number, endowment) }
  }

  private mutating func openParticipant(_ number: UInt32) {
    let participant = ParticipantId(number)
    send(.reference(.createParticipant(CreateParticipant(participant: participant, name: .empty))))
    send(
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(number), participant: participant, roles: .trading,
            publicKey: PublicKey(UInt64(number), 0, 0, 0)))))
  }

  private mutating func open(_ number: UInt32, _ endowment: Endowment) {
    let account = AccountId(number)
    let (energy, cap) = endowment.of(number)
    let participant = ParticipantId(FlowRunner.participant(of: number))
    send(.reference(.createAccount(CreateAccount(account: account, participant: participant))))
    send(
      .reference(.setCap(SetCap(account: account, area: AreaId(1), cap: Energy(wattHours: cap)))))
    send(
      .cash(
        .deposit(
          CashMovement(
            account: account, currency: .eur, amount: Money(units: 1 << 50), reference: 1))))
    send(
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(number), account: account, area: AreaId(1),
            publicKey: PublicKey(0, 0, 0, 0), capacity: .max))))
    if energy > 0 { read(number, produced: energy, consumed: 0) }
  }

  private mutating func read(_ account: UInt32, produced: Int64, consumed: Int64) {
    send(reading(account, produced: produced, consumed: consumed))
  }

  @inline(__always) private func reading(
    _ account: UInt32, produced: Int64, consumed: Int64
  ) -> Command.Body {
    .meterReading(
      MeterReading(
        meter: MeterId(account), registerSequence: sequence + 1,
        intervalStart: Timestamp(nanoseconds: sequence * FlowRunner.step),
        intervalEnd: Timestamp(nanoseconds: (sequence + 1) * FlowRunner.step),
        produced: Energy(wattHours: produced), consumed: Energy(wattHours: consumed)))
  }

  @inline(__always) private mutating func command(_ record: FlowRecord) -> Command {
    let session = SessionId(FlowRunner.participant(of: record.account))
    return switch record.operation {
    case FlowRecord.add:
      command(
        .enter(
          NewOrder(
            account: AccountId(record.account), instrument: InstrumentId(record.symbol + 1),
            side: record.side == 0 ? .buy : .sell, clientOrderId: ClientOrderId(record.orderId),
            price: Price(ticks: Int64(record.price)),
            quantity: Energy(wattHours: Int64(record.quantity)))), from: session)
    case FlowRecord.cancel:
      command(
        .cancel(
          CancelOrder(
            account: AccountId(record.account), order: OrderId(record.orderId))), from: session)
    default:
      command(
        reading(
          record.account, produced: record.side == 1 ? Int64(record.quantity) : 0,
          consumed: record.side == 1 ? 0 : Int64(record.quantity)))
    }
  }

  // MARK: Single records

  /// Applies one record and passes its events to `body`.
  mutating func apply(_ record: FlowRecord, _ body: (Event) -> Void) {
    for event in exchange.execute(command(record)) { body(event) }
  }

  /// Hash over all events so far.
  var eventHash: UInt64 { exchange.eventHash }
  /// Number of resting orders.
  var resting: UInt64 { UInt64(exchange.counts.openOrders) }
  /// Violated invariants.
  func violations() -> [String] { exchange.invariantViolations() }

  // MARK: Timed passes

  /// Times of one pass.
  struct Cost {
    var nanosecondsPerOperation: Double
    /// Latency of each operation, if requested. Looking ahead counts for the first operation of its group.
    var latencies: [UInt32]
    var allocatedBytes = 0
    var events = 0
  }

  /// Runs resolved records: the first `prefill` untimed, the rest timed as a whole or one by one. Their commands
  /// are built outside of the measurement, 64 at a time, because on a server the gateway or the journal's
  /// decoder does that.
  mutating func run(_ records: [FlowRecord], prefill: Int, each: Bool) -> Cost {
    for record in records[..<prefill] { _ = exchange.execute(command(record)) }
    let timed = records[prefill...]
    var cost = Cost(
      nanosecondsPerOperation: 0, latencies: Array(repeating: 0, count: each ? timed.count : 0))
    let block = UnsafeMutableBufferPointer<Command>.allocate(capacity: FlowRunner.ahead)
    block.initialize(repeating: Command(session: .exchange, body: .control(.tick)))
    defer { block.deallocate() }
    let before = allocatedBytes()
    var elapsed: UInt64 = 0
    for first in stride(from: 0, to: timed.count, by: FlowRunner.ahead) {
      let count = min(FlowRunner.ahead, timed.count - first)
      for index in 0..<count { block[index] = command(timed[prefill + first + index]) }
      let commands = UnsafeBufferPointer(rebasing: block[..<count])
      let start = now()
      if each {
        cost.latencies.withUnsafeMutableBufferPointer {
          cost.events += run(
            commands, UnsafeMutableBufferPointer(rebasing: $0[first..<first + count]))
        }
      } else {
        cost.events += run(commands)
      }
      elapsed += now() - start
    }
    cost.nanosecondsPerOperation = Double(elapsed) / Double(max(timed.count, 1))
    cost.allocatedBytes = allocatedBytes() - before
    return cost
  }

  @inline(__always) private mutating func run(_ block: UnsafeBufferPointer<Command>) -> Int {
    guard let first = block.baseAddress else { return 0 }
    var events = 0
    for index in block.indices {
      if looksAhead { exchange.anticipate(block, before: index) }
      events &+= exchange.execute(first + index).count
    }
    return events
  }

  @inline(__always) private mutating func run(
    _ block: UnsafeBufferPointer<Command>, _ latencies: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    guard let first = block.baseAddress else { return 0 }
    var events = 0
    var last = now()
    for index in block.indices {
      if looksAhead { exchange.anticipate(block, before: index) }
      events &+= exchange.execute(first + index).count
      let time = now()
      latencies[index] = UInt32(clamping: time - last)
      last = time
    }
    return events
  }
}
