// Lists by page: the rows that exist, in the order of a key that a row keeps as long as it exists.
// A page begins at a key, so what changes between two pages, or a restart, neither skips nor repeats
// a row that existed the whole time.

/// What a list names. The raw values are those of the wire.
public enum ListKind: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Open orders.
  case orders = 0
  /// Accounts with their cash and energy.
  case accounts = 1
  /// Standing instructions.
  case instructions = 2
  /// Registered meters.
  case meters = 3
  /// Participants.
  case participants = 4
  /// Session identities and their connections.
  case sessions = 5
  /// Areas.
  case areas = 6
  /// Instruments.
  case instruments = 7
  /// House accounts of the areas that hold cash.
  case house = 8
  /// Limits in force.
  case limits = 9
  /// Blocks in force.
  case blocks = 10
  /// Trades of a period, as the ledger has them.
  case trades = 11
  /// Announced changes that wait for their moments.
  case changes = 12
  /// Rejected readings that wait for the operator's decision.
  case quarantine = 13
  /// Of a meter: time between two kept intervals of which there is no reading.
  case gaps = 14
  /// Of a meter: its kept intervals.
  case readings = 15

  /// Whether only an operator may ask for it.
  public var isForOperators: Bool {
    switch self {
    case .participants, .sessions, .house, .changes: true
    case .orders, .accounts, .instructions, .meters, .areas, .instruments, .limits, .blocks,
      .trades, .quarantine, .gaps, .readings:
      false
    }
  }

  /// Whether its rows are of meters' readings.
  public var isOfReadings: Bool { self == .quarantine || self == .gaps || self == .readings }

  /// Whether its rows belong to participants or their accounts.
  public var isOfAccounts: Bool {
    switch self {
    case .orders, .accounts, .instructions, .meters, .limits, .blocks, .trades, .quarantine,
      .gaps, .readings:
      true
    case .participants, .sessions, .house, .areas, .instruments, .changes: false
    }
  }
}

/// Whose rows a list has. The raw values are those of the wire.
public enum ListScope: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  /// Those of the session's participant.
  case own = 0
  /// Those of the participant that is named.
  case participant = 1
  /// Those of all participants.
  case all = 2
}

/// A request for a page.
public struct ListQuery: Equatable, Sendable {
  /// What is listed.
  public var kind: ListKind
  /// Only rows of this participant; `nil`: of all.
  public var participant: ParticipantId?
  /// Only rows of this account; null: of all.
  public var account: AccountId
  /// Where the page begins; 0: at the beginning.
  public var cursor: UInt64
  /// Most rows of the page.
  public var count: Int
  /// The last account to look at; accounts above it were not open when the page was requested.
  public var lastAccount = UInt32.max
  /// The last participant to look at.
  public var lastParticipant = UInt32.max
  /// The last session to look at.
  public var lastSession = UInt32.max
  /// The last meter to look at.
  public var lastMeter = UInt32.max
  /// Of meters, quarantine, gaps and readings: only rows of this meter; 0: of all.
  public var meter = MeterId(0)
  /// Of gaps and readings: those of intervals that begin in this period.
  public var intervals = ListQuery.always

  /// A request for the first page, unless a cursor is given.
  public init(
    _ kind: ListKind, participant: ParticipantId? = nil, account: AccountId = .null,
    cursor: UInt64 = 0, count: Int = ListQuery.mostRows
  ) {
    (self.kind, self.participant, self.account) = (kind, participant, account)
    (self.cursor, self.count) = (cursor, count)
  }

  /// The period that has every trade.
  public static var always: Range<Timestamp> { Timestamp(nanoseconds: 0)..<Timestamp.never }
  /// Most rows of a page.
  public static let mostRows = 100
}

/// A page of a list that the exchange keeps.
public struct ListPage: Equatable, Sendable {
  /// A row.
  public enum Row: Equatable, Sendable {
    /// An open order.
    case order(OrderState)
    /// An account, its participant, its label, and whether it is closed.
    case account(AccountId, ParticipantId, label: Label, isClosed: Bool)
    /// The cash of an account in a currency.
    case cash(AccountId, Currency, free: Money, reserved: Money)
    /// The energy of an account in an area, and its cash in the area's currency.
    case balance(Balance)
    /// A standing instruction.
    case instruction(SetAgent)
    /// A limit.
    case limit(ListedLimit)
    /// A block.
    case block(ListedBlock)
    /// An announced change of a parameter.
    case parameterChange(ListedParameterChange)
    /// An announced change of a meter.
    case meterChange(ListedMeterChange)
    /// A reading in quarantine, and how many further ones of its meter had no room there.
    case quarantined(Quarantined, more: UInt32)
    /// Time of which a meter has no reading.
    case gap(ReadingGap)
    /// A kept interval.
    case reading(ListedReading)
  }

  /// The rows, in the order of their keys.
  public var rows: [Row]
  /// Where the next page begins; 0: there is none.
  public var next: UInt64

  /// A page.
  public init(_ rows: [Row] = [], next: UInt64 = 0) { (self.rows, self.next) = (rows, next) }
}

/// A limit of an account, a session or a participant.
public struct ListedLimit: Hashable, Sendable {
  /// What is limited.
  public var kind: LimitKind
  /// Whose it is; the owner of the account or session that has the limit.
  public var participant: ParticipantId
  /// The account that has the limit; null: it is none of an account.
  public var account: AccountId
  /// The session that has the limit; 0: it is none of a session.
  public var session: SessionId
  /// What the operator has set, in the unit of the kind; 0: nothing.
  public var ofOperator: Int64
  /// What the participant's administrator has set; 0: nothing.
  public var ofAdministrator: Int64

  /// A limit; one of both values is not 0.
  public init(
    _ kind: LimitKind, of participant: ParticipantId, account: AccountId = .null,
    session: SessionId = .exchange, ofOperator: Int64, ofAdministrator: Int64
  ) {
    (self.kind, self.participant, self.account) = (kind, participant, account)
    (self.session, self.ofOperator) = (session, ofOperator)
    self.ofAdministrator = ofAdministrator
  }

  /// What holds: the lower of both.
  public var inForce: Int64 {
    if ofOperator == 0 || ofAdministrator == 0 { return ofOperator | ofAdministrator }
    return min(ofOperator, ofAdministrator)
  }
}

/// A block of an account, a session or a participant.
public struct ListedBlock: Hashable, Sendable {
  /// Who is blocked, or the owner of what is blocked.
  public var participant: ParticipantId
  /// The account that is blocked; null: another is.
  public var account: AccountId
  /// The session that is blocked; 0: another is.
  public var session: SessionId
  /// Whether the operator blocks it.
  public var byOperator: Bool
  /// Whether the participant's administrator blocks it.
  public var byAdministrator: Bool

  /// A block by the operator, the administrator, or both.
  public init(
    of participant: ParticipantId, account: AccountId = .null, session: SessionId = .exchange,
    byOperator: Bool, byAdministrator: Bool
  ) {
    (self.participant, self.account, self.session) = (participant, account, session)
    (self.byOperator, self.byAdministrator) = (byOperator, byAdministrator)
  }
}

/// A change of a parameter that is announced for a later moment.
public struct ListedParameterChange: Hashable, Sendable {
  /// The change as it was sent.
  public var change: SetParameter
  /// The value now, in the parameter's unit; 0 of a cost or price of storage that is not known.
  public var present: Int64
  /// Who announced it.
  public var session: SessionId
  /// Whether the definition as a whole would allow it at its moment, after everything else that is
  /// announced; otherwise it would be rejected then.
  public var fits: Bool

  /// An announced change.
  public init(_ change: SetParameter, present: Int64, session: SessionId, fits: Bool) {
    (self.change, self.present, self.session, self.fits) = (change, present, session, fits)
  }
}

/// A change of a meter that is announced for intervals that begin at a later moment.
public struct ListedMeterChange: Hashable, Sendable {
  /// The meter.
  public var meter: MeterId
  /// Start of the first interval for which the new values hold.
  public var from: Timestamp
  /// Whose energy it measures before; null: it has none.
  public var account: AccountId
  /// Where, before; of a new one where it will be.
  public var area: AreaId
  /// Whether sessions with the trading role may send its readings before.
  public var ownReadings: Bool
  /// Whose energy it measures from then on; null: it ends.
  public var newAccount: AccountId
  /// Where, from then on.
  public var newArea: AreaId
  /// Whether sessions with the trading role may send its readings from then on.
  public var newOwnReadings: Bool
  /// The key of readings before; zeros where it is not known.
  public var key = PublicKey(0, 0, 0, 0)
  /// The key of readings from then on.
  public var newKey = PublicKey(0, 0, 0, 0)

  /// An announced change, without keys.
  public init(
    meter: MeterId, from: Timestamp, account: AccountId, area: AreaId, ownReadings: Bool,
    newAccount: AccountId, newArea: AreaId, newOwnReadings: Bool
  ) {
    (self.meter, self.from, self.account, self.area) = (meter, from, account, area)
    (self.ownReadings, self.newOwnReadings) = (ownReadings, newOwnReadings)
    (self.newAccount, self.newArea) = (newAccount, newArea)
  }
}
