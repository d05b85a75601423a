// The exchange: commands in, events out. No clock, no randomness, no input or output, no Foundation.
//
// One command's way: expire what is due, dispatch to its room (Rules/ or Admin/), then drain the
// queue of touched positions (Rules/Cover.swift). Sections cited are those of docs/MARKET-RULES.md.

import MarketModel
import Synchronization

/// The deterministic state machine of the whole market.
///
/// Owned by one thread. Applying the same commands to a fresh exchange of the same capacity gives the
/// same events and the same state, byte for byte. Memory is taken in `init`; `apply` allocates nothing.
public struct Exchange: ~Copyable {
  /// What it can hold.
  public let capacity: Capacity

  // Who.
  let participants: Table<Participant>
  let sessions: Table<Session>
  let accounts: Table<Account>
  let holdings: Table<Holding>
  let positions: Table<Position>
  /// Both sides of position p at `p << 1 | side`.
  let owned: Table<OwnedSide>
  /// The standing instruction of each position.
  let agents: Table<Agent>
  let meters: Table<Meter>

  // What.
  let areas: Table<Area>
  let instruments: Table<Instrument>
  let currencies: Table<CurrencyTotal>
  /// Both sides of instrument i at `i << 1 | side`.
  let books: Table<BookSide>
  var orders: OrderPool
  var ladder: Ladder
  var expiries: ExpiryHeap

  // Counters.
  var holdingCount: UInt32 = 0
  var positionCount: UInt32 = 0
  var tradeCount: UInt64 = 0
  var arrivalCount: UInt64 = 0
  var settledBatch: UInt64 = 0
  var settledSequence: UInt64 = 0

  // The queue of touched positions (section 4).
  var touchedHead: UInt32 = 0
  var touchedTail: UInt32 = 0
  /// Whether a drain reached its bound and the queue holds what it left.
  var isBehind = false
  /// The version of the rules in force (`SetRules`).
  public internal(set) var rules = RulesVersion.first

  /// The command being applied.
  var now: UInt64 = 0
  var history = EventHash()
  /// Its events so far.
  var events: EventBuffer
  let commandLayout = CommandLayout.ofThisBuild
  /// What comes next (Anticipate.swift).
  var foreseen = Foreseen()

  // Behind what an order's way touches.
  /// What there is of each currency, by its number (Rules/Circulation.swift).
  let circulation: Table<Circulation>
  /// What each holding owes, as it was counted last; only those of debtors are ever touched.
  let debts: Table<UInt64>
  /// Never used: a value that lives where it was made keeps the compiler from copying the exchange's
  /// 500 bytes to the stack whenever a rule that only reads is inlined into one that writes.
  private let anchor = Atomic<UInt8>(0)

  /// Sequence number of the last command applied.
  public internal(set) var lastSequence = SequenceNumber.none

  /// An empty exchange.
  public init(capacity: Capacity) {
    precondition(capacity.areas <= UInt32(UInt16.max), "areas are numbered with 16 bits")
    self.capacity = capacity
    participants = Table(capacity: Int(capacity.participants) + 1)
    sessions = Table(capacity: Int(capacity.sessions) + 1)
    accounts = Table(capacity: Int(capacity.accounts) + 1)
    holdings = Table(capacity: Int(capacity.positions) + 1)
    positions = Table(capacity: Int(capacity.positions) + 1)
    owned = Table(capacity: (Int(capacity.positions) + 1) * 2)
    agents = Table(capacity: Int(capacity.positions) + 1)
    meters = Table(capacity: Int(capacity.meters) + 1)
    areas = Table(capacity: Int(capacity.areas) + 1)
    instruments = Table(capacity: Int(capacity.instruments) + 1)
    currencies = Table(capacity: Exchange.currencyCapacity)
    circulation = Table(capacity: Int(UInt16.max) + 1)
    debts = Table(capacity: Int(capacity.positions) + 1)
    books = Table(capacity: (Int(capacity.instruments) + 1) * 2)
    orders = OrderPool(capacity: capacity.orders)
    ladder = Ladder(levels: capacity.priceLevels)
    expiries = ExpiryHeap(capacity: capacity.orders)
    events = EventBuffer(orders: capacity.orders)
    invariant(
      MemoryLayout<Order>.stride == 64 && MemoryLayout<Place>.stride == 32,
      "an order takes a line of the cache, its place half of one")
    invariant(
      MemoryLayout<Position>.stride == 64 && MemoryLayout<OwnedSide>.stride == 64,
      "a position takes a line, and each of its sides")
  }

  /// Currencies that an exchange can hold.
  static let currencyCapacity = 64

  /// Applies one command.
  ///
  /// - Parameters:
  ///   - command: stamped by the sequencer: its sequence number is one above the last, its time is not
  ///     below the last.
  ///   - sink: receives the events, in order. A command that is rejected changes nothing.
  /// - Complexity: constant for an order that neither trades nor displaces; otherwise proportional to
  ///   the orders it trades with and the open orders of the accounts that become short.
  @inlinable public mutating func apply<Sink: EventSink & ~Copyable>(
    _ command: borrowing Command, into sink: inout Sink
  ) {
    for event in execute(command) { sink.emit(event) }
  }

  /// Applies one command.
  /// - Returns: its events, in order, in the exchange's own memory: valid until the next command.
  public mutating func execute(_ command: borrowing Command) -> UnsafeBufferPointer<Event> {
    withUnsafePointer(to: command) { execute($0) }
  }

  /// Applies one command, which stays where it is.
  /// - Returns: its events, in order, in the exchange's own memory: valid until the next command.
  public mutating func execute(_ command: UnsafePointer<Command>) -> UnsafeBufferPointer<Event> {
    events.clear()
    let before = now
    now = command.pointee.time.nanoseconds
    lastSequence = command.pointee.sequence
    if expiries.count > 0 { expireDue() }
    let request = Request(command)
    let payload = CommandLayout.payload(command)
    let tag = CommandLayout.tag(payload)
    if tag == commandLayout.enter {
      enter(payload.assumingMemoryBound(to: NewOrder.self), request)
    } else if tag == commandLayout.cancel {
      cancel(payload.assumingMemoryBound(to: CancelOrder.self), request)
    } else if tag == commandLayout.replace {
      replace(payload.assumingMemoryBound(to: ReplaceOrder.self), request)
    } else {
      precondition(now >= before, "time never falls")
      dispatch(request, command.pointee.body)
      invariant(touchedHead == 0 || isBehind, "behind a command nobody waits for cover")
    }
    return events.all
  }

  /// The rarer commands: one line for each family, whose folder has the rest.
  private mutating func dispatch(_ request: Request, _ body: Command.Body) {
    switch body {
    case .enter, .replace, .cancel: assertionFailure("read in place")
    case .meterReading(let reading): meter(reading, request)
    case .order(let command): apply(command, request)
    case .cash(let command): apply(command, request)
    case .reference(let command): apply(command, request)
    case .session(let command): apply(command, request)
    case .control(let command): apply(command, request)
    }
  }

  private mutating func apply(_ command: OrderCommand, _ request: Request) {
    switch command {
    case .massCancel(let filter): massCancel(filter, request)
    case .setAgent(let agent): setAgent(agent, request)
    }
  }

  private mutating func apply(_ command: CashCommand, _ request: Request) {
    switch command {
    case .deposit(let movement): deposit(movement, request)
    case .withdraw(let movement): withdraw(movement, request)
    case .transfer(let transfer): self.transfer(transfer, request)
    }
  }

  private mutating func apply(_ command: ReferenceCommand, _ request: Request) {
    switch command {
    case .createParticipant(let participant): create(participant, request)
    case .registerSession(let session): register(session, request)
    case .createAccount(let account): create(account, request)
    case .setCap(let cap): set(cap, request)
    case .createArea(let area): create(area, request)
    case .setTariff(let tariff): set(tariff, request)
    case .createInstrument(let instrument): create(instrument, request)
    case .setInstrumentState(let state): set(state, request)
    case .registerMeter(let meter): register(meter, request)
    }
  }

  private mutating func apply(_ command: SessionCommand, _ request: Request) {
    switch command {
    case .beginSession(let session): begin(session, request)
    case .endSession(let session): end(session, request)
    }
  }

  private mutating func apply(_ command: ControlCommand, _ request: Request) {
    switch command {
    case .tick: tick(request)
    case .settlementConfirmed(let confirmation): confirm(confirmation, request)
    case .checkpoint(let checkpoint): compare(checkpoint, request)
    case .setRules(let rules): set(rules, request)
    }
  }

  /// Emits one of the rarer events and folds it into the history's hash; orders, trades and balances
  /// have their own (Rules/Reports.swift).
  mutating func emit(_ event: Event) {
    history.fold(event)
    events.append(event)
  }
}

/// Who sent the command being applied.
struct Request {
  var session: SessionId
  var clientSequence: UInt64

  init(session: SessionId, clientSequence: UInt64) {
    (self.session, self.clientSequence) = (session, clientSequence)
  }

  @inline(__always) init(_ command: UnsafePointer<Command>) {
    (session, clientSequence) = (command.pointee.session, command.pointee.clientSequence)
  }

  var isExchange: Bool { session == .exchange }
}

/// A failed check: the code and the limit broken.
struct Refusal {
  var code: RejectCode
  var limit: Int64

  init(_ code: RejectCode, _ limit: Int64 = 0) { (self.code, self.limit) = (code, limit) }
  init(_ code: RejectCode, _ limit: UInt32) { self.init(code, Int64(limit)) }
  init(_ code: RejectCode, _ limit: UInt64) {
    self.init(code, Int64(bitPattern: limit))
  }
}
