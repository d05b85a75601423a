// The work that a participant may ask for, beyond messages of constant cost:
//
//     units    full ── requests spend ──▶ 0 ── refused (9007) ──▶ time refills ──▶ full
//     a turn   a request that exceeds the turn's share waits for the next turn
//
// A unit is about a microsecond of the thread that serves all clients. What a request costs is
// known before it (a question), or after it (a command that was rejected and journaled, or that
// changed many orders); what is known afterwards may leave the budget below zero. All sessions of a
// participant share one budget, and a new connection does not renew it.

import MarketModel

/// The work of one participant, in units. Owned by the I/O thread.
public struct WorkBudget: Sendable {
  /// Units that a participant may spend, and how many of them in one turn.
  public struct Limits: Sendable, Equatable {
    /// Units per second.
    public var perSecond: Int64
    /// The most units that are saved up.
    public var saved: Int64
    /// Units per turn of the event loop, after which the participant's next request waits.
    public var perTurn: Int64

    /// Limits of `perSecond` units per second and `perTurn` per turn. Unless `saved` says otherwise,
    /// a second's units are saved up.
    public init(perSecond: Int64 = 100_000, saved: Int64? = nil, perTurn: Int64 = 500) {
      (self.perSecond, self.perTurn) = (perSecond, perTurn)
      self.saved = saved ?? perSecond
    }
  }

  /// The treatment of a request.
  public enum Verdict: Equatable, Sendable {
    /// It is handled; its cost was taken.
    case pass
    /// It is handled in the next turn; nothing was taken.
    case wait
    /// It is refused (9007), with the number of units left; nothing was taken.
    case refuse(left: Int64)
  }

  /// What requests and their results cost, in units.
  public enum Cost {
    /// A question about one order or balance, or the counts of the server.
    public static let question: Int64 = 1
    /// An explanation, which walks over a bounded number of orders and levels.
    public static let explanation: Int64 = 64
    /// A page of a list, which visits a bounded number of rows.
    public static let list: Int64 = 64
    /// A page of trades. Little of it is done on the exchange's thread; the price divides the thread
    /// that reads the ledger among participants.
    public static let trades: Int64 = 1_024
    /// A subscription or a request for reference data; what they send is made in pieces.
    public static let subscription: Int64 = 32
    /// Reports from the session's recent ones, and 16 of them.
    public static let retransmission: Int64 = 16
    /// A command that was rejected: it is journaled, although it changes nothing.
    public static let reject: Int64 = 100
    /// A command that was sent again, as after a lost connection, and was rejected because it had
    /// been applied.
    public static let duplicate: Int64 = 10
    /// Each event of one command beyond `events`. A command with very many events delays all
    /// others until they are delivered. At this price it may do so in about a hundredth of the time.
    public static let event: Int64 = 10
    /// Events that any command may have.
    public static let events = 64
    /// Orders of one owner that the exchange may visit for any command, beyond those with events.
    /// Each further group of this number costs a unit.
    public static let orders: UInt64 = 32

    /// The cost of a command that had `events` events and visited `orders` orders.
    public static func ofCommand(events: Int, visited orders: UInt64) -> Int64 {
      Int64(max(0, events - Cost.events)) * event + Int64(clamping: orders / Cost.orders)
    }
    /// The hash of the whole state; administrators only.
    public static let stateHash: Int64 = 100
  }

  /// The limits.
  public let limits: Limits
  /// Units left; negative after work that was known only afterwards.
  public private(set) var left: Int64
  private var refilled = SteadyTime(nanoseconds: 0)
  private var turn: UInt64 = 0
  private var inTurn: Int64 = 0

  /// A full budget.
  public init(_ limits: Limits) {
    self.limits = limits
    left = limits.saved
  }

  /// Whether a command may be taken: earlier work has not used up the budget. A cancel may be taken
  /// for another second's worth of units. Constant time.
  @inlinable public mutating func allowsCommand(isCancel: Bool, at now: SteadyTime) -> Bool {
    left > 0 || allowsCommandInDebt(isCancel, now)
  }

  @usableFromInline mutating func allowsCommandInDebt(_ isCancel: Bool, _ now: SteadyTime) -> Bool {
    refill(at: now)
    return left > (isCancel ? -limits.perSecond : 0)
  }

  /// Takes the cost of a request, if it fits. A request that costs more than a full budget passes
  /// when the budget is full.
  /// - Parameter turn: Number of the present turn of the event loop.
  public mutating func spend(_ cost: Int64, at now: SteadyTime, turn: UInt64) -> Verdict {
    if turn != self.turn { (self.turn, inTurn) = (turn, 0) }
    if inTurn > 0, inTurn + cost > limits.perTurn { return .wait }
    refill(at: now)
    guard left >= min(cost, limits.saved) else { return .refuse(left: left) }
    left -= cost
    inTurn += cost
    return .pass
  }

  /// Takes the cost of work that was done.
  public mutating func debit(_ cost: Int64, at now: SteadyTime) {
    refill(at: now)
    // A debt of more than a minute is not remembered.
    left = max(left - cost, -60 * limits.perSecond)
  }

  private mutating func refill(at now: SteadyTime) {
    // An hour at most, so that the product stays below 2^63.
    let passed = min(now.since(refilled), 3_600_000_000_000)
    let units = Int64(passed / 1_000) * limits.perSecond / 1_000_000
    guard units > 0 else { return }
    left = min(left + units, limits.saved)
    // The time of a part of a unit is kept for the next call.
    let rest = passed - UInt64(units * 1_000_000 / limits.perSecond) * 1_000
    refilled = SteadyTime(nanoseconds: now.nanoseconds - min(rest, now.nanoseconds))
  }
}

/// The budgets of all participants. Owned by the I/O thread. A budget's address is valid as long as
/// the table.
public struct WorkBudgets: ~Copyable {
  private let limits: WorkBudget.Limits
  private var rows = DirectTable<UnsafeMutablePointer<WorkBudget>?>(nil)

  /// Full budgets.
  public init(_ limits: WorkBudget.Limits) { self.limits = limits }

  deinit {
    for number in 0..<rows.count { rows[number]?.deallocate() }
  }

  /// The budget of a participant; allocated when first used.
  public mutating func budget(of participant: ParticipantId) -> UnsafeMutablePointer<WorkBudget> {
    let number = Int(participant.rawValue)
    if let row = rows[number] { return row }
    let row = UnsafeMutablePointer<WorkBudget>.allocate(capacity: 1)
    row.initialize(to: WorkBudget(limits))
    rows[number] = row
    return row
  }
}
