// The exchange: commands in, events out. No clock, no randomness, no input or output, no Foundation.
//
// One command's way:
//
//     execute ─▶ due (Orders/Expiry) ─▶ rule (Dispatch.swift names it) ─▶ drain (Drain.swift) ─▶ events
//
// The folders are the concerns of the market; docs/ARCHITECTURE.md, "Inside the core", says which uses which. The
// files beside this one are the exchange itself. Sections cited are those of docs/MARKET-RULES.md.

import MarketModel
import Synchronization

/// The deterministic state machine of the whole market.
///
/// Owned by one thread. Applying the same commands to a fresh exchange of the same capacity gives the
/// same events and the same state, byte for byte. Memory is taken in `init`; `apply` allocates nothing.
public struct Exchange: ~Copyable {
  /// What it can hold.
  public let capacity: Capacity

  // The state (Components.swift).
  var reference: Reference
  var accounts: Accounts
  var balances: Balances
  var products: Products
  var books: Books
  var orders: OrderPool
  var touched: Touched
  var schedule: Schedule
  var progress: Progress

  // The command in hand.
  /// Its events so far.
  var events: EventBuffer
  let commandLayout = CommandLayout.ofThisBuild
  /// What comes next (LookAhead/).
  var window = Window()

  // Behind what an order's way touches.
  var meters: Meters
  var currencies: Currencies
  /// Never used: a value that lives where it was made keeps the compiler from copying the exchange's
  /// 500 bytes to the stack whenever a rule that only reads is inlined into one that writes.
  private let anchor = Atomic<UInt8>(0)

  /// Sequence number of the last command applied.
  public var lastSequence: SequenceNumber { progress.lastSequence }

  /// The version of the rules in force (`SetRules`).
  public var rules: UInt32 { progress.rules }

  /// An empty exchange.
  public init(capacity: Capacity) {
    precondition(capacity.areas <= UInt32(UInt16.max), "areas are numbered with 16 bits")
    self.capacity = capacity
    reference = Reference(capacity: capacity)
    accounts = Accounts(capacity: capacity)
    balances = Balances(capacity: capacity)
    products = Products(capacity: capacity)
    books = Books(capacity: capacity)
    orders = OrderPool(capacity: capacity)
    touched = Touched(capacity: capacity)
    schedule = Schedule(capacity: capacity)
    progress = Progress(capacity: capacity)
    events = EventBuffer(orders: capacity.orders)
    meters = Meters(capacity: capacity)
    currencies = Currencies(capacity: capacity)
  }

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
    let before = progress.now
    progress.now = command.pointee.time.nanoseconds
    progress.lastSequence = command.pointee.sequence
    if schedule.count > 0 { applyDue() }
    let request = Request(command)
    let payload = CommandLayout.payload(command)
    let tag = CommandLayout.tag(payload)
    if tag == commandLayout.enter {
      enter(NewOrderRow(payload.assumingMemoryBound(to: NewOrder.self)), request)
    } else if tag == commandLayout.cancel {
      cancel(CancelOrderRow(payload.assumingMemoryBound(to: CancelOrder.self)), request)
    } else if tag == commandLayout.replace {
      replace(ReplaceOrderRow(payload.assumingMemoryBound(to: ReplaceOrder.self)), request)
    } else {
      precondition(progress.now >= before, "time never falls")
      dispatch(request, command.pointee.body)
      invariant(touched.head == 0 || touched.hasBacklog, "behind a command nobody waits for cover")
    }
    return events.all
  }
}
