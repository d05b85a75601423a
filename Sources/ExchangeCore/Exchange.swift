// The exchange: commands in, events out. No clock, no randomness, no input or output, no
// Foundation.
//
// A command passes through these steps:
//
//     execute ─▶ due entries (Orders/Expiry) ─▶ rule (Dispatch.swift) ─▶ drain (Drain.swift) ─▶ events
//
// Each folder holds one concern of the market; docs/ARCHITECTURE.md, "Inside the core", lists which
// folder uses which. Section numbers in comments are those of docs/MARKET-RULES.md.

import MarketModel
import Synchronization

/// The deterministic state machine of the whole market.
///
/// Owned by one thread. Two exchanges of equal capacity that apply equal commands produce equal
/// events and equal states, byte for byte. `init` reserves all memory; `apply` and `execute`
/// allocate nothing.
public struct Exchange: ~Copyable {
  /// The number of entities of each kind that it can hold.
  public let capacity: Capacity

  // The state (Components.swift).
  var reference: Reference
  var accounts: Accounts
  var balances: Balances
  var products: Products
  var books: Books
  var orders: OrderPool
  var shares: Shares
  var blocks: OwnerBlocks
  var touched: Touched
  var schedule: Schedule
  var progress: Progress
  var unsettled: Unsettled

  // The command being applied.
  /// Its events so far.
  var events: EventBuffer
  let commandLayout = CommandLayout.ofThisBuild
  /// Whether an order that enters or ends changes more than its owner's list: counts of shares, the
  /// index by client order id (Book/Shares.swift) or blocks (Book/OwnerBlocks.swift).
  var keepsMore = false
  /// One row: the orders that walks have visited since the start (`visitedOrders`).
  private let walked = Table<UInt64>(capacity: 1)
  /// The commands that follow (LookAhead/).
  var window = Window()

  // Components that orders do not access; they stand after those that orders do access.
  var meters: Meters
  var currencies: Currencies
  var keptFees: KeptFees
  var pendingParameters: PendingParameters
  var areaCosts: AreaCosts
  var meterChanges: MeterChanges
  var cashReferences: CashReferences
  var notes: Notes
  var restrictions: Restrictions
  var spentPower: SpentPower
  var accountTerms: AccountTerms
  var readersBefore: ReadersBefore
  var areaUses: AreaUses
  var lossRests: LossRests
  var tariffs: TariffHistory
  var keptReadings: KeptReadings
  var formerHolders: FormerHolders
  var quarantine: Quarantine
  var meterSites: MeterSites
  var compensations: Compensations
  /// Of the drain that goes on; no state (Circles.swift).
  var tradingTurns: TradingTurns
  /// Never read. A value with a fixed address prevents the compiler from copying the exchange's 500
  /// bytes to the stack when a reading rule is inlined into a writing one.
  private let anchor = Atomic<UInt8>(0)

  /// Sequence number of the last command applied.
  public var lastSequence: SequenceNumber { progress.lastSequence }

  /// The number of orders that walks over an owner's orders have visited since the start, beyond
  /// those that had an event: a measure of the work of a command. Not part of the state.
  public var visitedOrders: UInt64 { walked[0] }

  /// Notes the orders that a walk has visited.
  @inline(__always) func noteVisited(_ orders: UInt64) { walked[0] &+= orders }

  /// Notes a scan of a table, whose rows take a quarter of the time of linked orders.
  func noteScanned(_ rows: UInt32) { noteVisited(UInt64(rows) >> 2) }

  /// The version of the rules in force (`SetRules`).
  public var rules: UInt32 { progress.rules }

  /// An empty exchange.
  public init(capacity: Capacity) {
    precondition(capacity.areas <= UInt32(UInt16.max), "areas are numbered with 16 bits")
    precondition(capacity.participants <= Account.mostParticipants, "too many participants")
    self.capacity = capacity
    reference = Reference(capacity: capacity)
    accounts = Accounts(capacity: capacity)
    balances = Balances(capacity: capacity)
    products = Products(capacity: capacity)
    books = Books(capacity: capacity)
    orders = OrderPool(capacity: capacity)
    shares = Shares(capacity: capacity)
    blocks = OwnerBlocks(capacity: capacity)
    touched = Touched(capacity: capacity)
    schedule = Schedule(capacity: capacity)
    progress = Progress(capacity: capacity)
    unsettled = Unsettled(capacity: capacity)
    events = EventBuffer(orders: capacity.orders)
    meters = Meters(capacity: capacity)
    currencies = Currencies(capacity: capacity)
    keptFees = KeptFees(capacity: capacity)
    pendingParameters = PendingParameters(capacity: capacity)
    areaCosts = AreaCosts(capacity: capacity)
    meterChanges = MeterChanges(capacity: capacity)
    cashReferences = CashReferences(capacity: capacity)
    notes = Notes(capacity: capacity)
    restrictions = Restrictions(capacity: capacity)
    spentPower = SpentPower(capacity: capacity)
    accountTerms = AccountTerms(capacity: capacity)
    readersBefore = ReadersBefore(capacity: capacity)
    areaUses = AreaUses(capacity: capacity)
    lossRests = LossRests(capacity: capacity)
    tariffs = TariffHistory(capacity: capacity)
    keptReadings = KeptReadings(capacity: capacity)
    formerHolders = FormerHolders(capacity: capacity)
    quarantine = Quarantine(capacity: capacity)
    meterSites = MeterSites(capacity: capacity)
    compensations = Compensations(capacity: capacity)
    tradingTurns = TradingTurns(capacity: capacity)
  }

  /// Applies one command.
  ///
  /// - Parameters:
  ///   - command: Stamped by the sequencer: its sequence number is one above the previous one, and
  ///     its time is at or after the previous one.
  ///   - sink: Receives the events in order. A rejected command changes nothing but produces a
  ///     reject.
  /// - Complexity: Constant for an order that neither trades nor takes cover from another order;
  ///   otherwise linear in the orders it trades with and in the open orders of accounts that lack
  ///   cover.
  @inlinable public mutating func apply<Sink: EventSink & ~Copyable>(
    _ command: borrowing Command, into sink: inout Sink
  ) {
    for event in execute(command) { sink.emit(event) }
  }

  /// Applies one command.
  /// - Returns: Its events in order, in the exchange's own memory; valid until the next command.
  public mutating func execute(_ command: borrowing Command) -> UnsafeBufferPointer<Event> {
    withUnsafePointer(to: command) { execute($0) }
  }

  /// Applies one command without copying it.
  /// - Returns: Its events in order, in the exchange's own memory; valid until the next command.
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
      invariant(
        touched.head == 0 || touched.hasBacklog,
        "a command leaves no touched position unless its drain reached the bound")
    }
    return events.all
  }
}
