// Which session gets which report, and with which number: a function of the events alone, so that the
// live exchange, a recovered one and a replay of the journal years later give a report the same number.
//
//     sessionBegan 7, version v1      flow of 7: v1, nothing sent
//     accepted of session 7           1
//     trade of sessions 7 and 8       2        (8 has its own flow)
//     sessionBegan 7, version v1      back after a lost connection: goes on
//     canceled of session 7           3
//     sessionBegan 7, version v2      a new version: v2, nothing sent
//
// A report counts whether or not its session is connected, and by whichever gateway. A session that never began
// has no flow.
//
// A session with the role dropCopy gets each report of its participant's other sessions again, numbered in
// its own flow and behind a notice that says whose it is:
//
//     accepted of session 7           1 of 7;  the notice (7, 1) is 1 of 9, the same accepted 2 of 9

import MarketModel

/// The numbered flow of reports of one session identity.
public struct ReportFlow: Equatable, Sendable, BitwiseCopyable {
  /// Its session version; 0: it never began.
  public var version: UInt64 = 0
  /// Number of the last report.
  public var last: UInt64 = 0
  /// How long its orders outlive its connection, in ms; `BeginSession.never`: for ever.
  public var cancelAfter = BeginSession.never
  /// It began and its orders have not been cancelled for a lost connection since.
  public var isExposed: Bool { version != 0 && cancelAfter != BeginSession.never }

  /// A flow that never began.
  public init() {}

  /// Number of the next report of `version`, which may be still to begin.
  public func next(in version: UInt64) -> UInt64 { self.version == version ? last + 1 : 1 }

  /// Why `query` cannot be answered from this flow: it asks for too much, or for what was never sent.
  /// - Parameter most: Reports that one query may ask for.
  public func refusal(of query: RetransmitQuery, most: UInt32) -> Refusal? {
    if query.count > most { return Refusal(.retransmitTooLong, limit: Int64(most)) }
    let next = next(in: query.version)
    guard query.count > 0, query.from > 0, query.from < next,
      UInt64(query.count) <= next - query.from
    else { return Refusal(.retransmitOutOfRange, limit: Int64(clamping: next - 1)) }
    return nil
  }
}

/// Numbers the reports of all sessions. Owned by one thread; allocates nothing but growth of its tables.
public struct ReportFlows: ~Copyable {
  /// No session, no participant.
  private static let none = UInt32.max

  /// Who of a participant's sessions, of those that began, gets what belongs to all. Not private: who owns
  /// flows in another module has to know how they end.
  struct Audience: BitwiseCopyable {
    /// The only session that gets balances; `none`: there is none, or there are several.
    var listener = ReportFlows.none
    /// Whether several get balances.
    var hasListeners = false
    /// Whether one gets copies.
    var hasCopiers = false
  }

  private var flows = DirectTable(ReportFlow())
  /// Session identities that began, by participant, in order of their numbers.
  private var sessionsOfParticipant: [[SessionId]] = []
  private var audiences = DirectTable(Audience())
  /// The reports of the event in hand.
  private var reports = UnsafeMutablePointer<Report>.allocate(capacity: 16)
  private var capacity = 16
  private var count = 0

  /// Flows of no session.
  public init() {}

  deinit { reports.deallocate() }

  /// Whether both have numbered the same.
  func isSame(as other: borrowing ReportFlows) -> Bool {
    flows.all == other.flows.all && sessionsOfParticipant == other.sessionsOfParticipant
  }

  /// The flow of a session identity.
  public func flow(of session: SessionId) -> ReportFlow { flows[Int(session.rawValue)] }

  /// Session identities whose orders are to be cancelled when they are not connected.
  public var exposed: [SessionId] {
    (0..<flows.count).filter { flows[$0].isExposed }.map { SessionId(UInt32($0)) }
  }

  /// The reports of an event. Events come in order, without gaps.
  /// - Parameter known: Who is who, as of the event before.
  /// - Returns: Valid until the next call.
  mutating func number(
    _ event: UnsafePointer<Event>, _ known: borrowing ReferenceData
  ) -> UnsafeBufferPointer<Report> {
    count = 0
    switch event.kind {
    case .accepted, .replaced, .restated:
      tell(event.payload(OrderState.self).pointee.session, .event, known)
    case .canceled: tell(event.payload(OrderCanceled.self).pointee.state.session, .event, known)
    case .trade:
      let trade: UnsafePointer<Trade> = event.payload()
      tell(trade.pointee.buyer.session, .buyer, known)
      tell(trade.pointee.seller.session, .seller, known)
    case .balance: tellOwner(event.payload(Balance.self).pointee.account, known)
    case .other: numberRare(event.pointee, known)
    }
    return UnsafeBufferPointer(start: reports, count: count)
  }

  /// The rarer events.
  private mutating func numberRare(_ event: Event, _ known: borrowing ReferenceData) {
    switch event {
    case .accepted, .replaced, .restated, .canceled, .trade, .balance:
      assertionFailure("read where they stand")
    case .rejected(let rejected): tell(rejected.session, .event, known)
    case .metered(let done): tell(done.session, .event, known)
    case .order(.massCanceled(let done)): tell(done.session, .event, known)
    case .order(.agentSet(let done)): tell(done.session, .event, known)
    case .order(.displayed): break  // Market data.
    case .cash(.transferred(let done)): tell(done.session, .event, known)
    case .cash(.deposited), .cash(.withdrawn):
      break  // The operator has the answer, the owner the balance.
    case .reference: break
    case .session(.sessionBegan(let session)): begin(session, known)
    case .session(.sessionEnded(let ended)):
      flows.pointer(Int(ended.request.session.rawValue))?.pointee.cancelAfter = BeginSession.never
    case .control(.acknowledged(let done)): tell(done.session, .event, known)
    case .control(.settlementConfirmed): tellDropCopies(known)
    case .control(.alarm), .control(.rulesSet): break  // For operators: log, metrics, status.
    }
  }

  /// A session identity has other rights or another participant than before.
  /// - Parameter former: Its participant until now.
  mutating func registered(
    _ session: RegisterSession, former: ParticipantId?, _ known: borrowing ReferenceData
  ) {
    if let former { findAudience(former, known) }
    findAudience(session.participant, known)
  }

  /// A balance concerns every trading session of the account's participant, and its drop copies.
  @inline(__always)
  private mutating func tellOwner(_ account: AccountId, _ known: borrowing ReferenceData) {
    if account.isHouse { return }
    guard let participant = known.participant(of: account) else { return }
    let audience = audiences[Int(participant.rawValue)]
    if audience.listener != Self.none {
      _ = add(.event, SessionId(audience.listener))
    } else if audience.hasListeners {
      for session in listeners(participant, known) { _ = add(.event, session) }
    }
  }

  /// A batch concerns every drop copy.
  private mutating func tellDropCopies(_ known: borrowing ReferenceData) {
    for number in 0..<flows.count {
      let session = SessionId(UInt32(number))
      if known.roles(of: session).contains(.dropCopy) { _ = add(.event, session) }
    }
  }

  // MARK: Who hears what

  private mutating func begin(_ session: BeginSession, _ known: borrowing ReferenceData) {
    var flow = flows[Int(session.session.rawValue)]
    if flow.version != session.version { (flow.version, flow.last) = (session.version, 0) }
    flow.cancelAfter = session.cancelAfter
    flows[Int(session.session.rawValue)] = flow
    guard let participant = known.session(session.session)?.participant else { return }
    let row = Int(participant.rawValue)
    while sessionsOfParticipant.count <= row { sessionsOfParticipant.append([]) }
    let place = sessionsOfParticipant[row].firstIndex { $0 >= session.session }
    if let place, sessionsOfParticipant[row][place] == session.session { return }
    sessionsOfParticipant[row].insert(
      session.session, at: place ?? sessionsOfParticipant[row].count)
    findAudience(participant, known)
  }

  private mutating func findAudience(_ participant: ParticipantId, _ known: borrowing ReferenceData)
  {
    let listening = listeners(participant, known)
    audiences[Int(participant.rawValue)] = Audience(
      listener: listening.count == 1 ? listening[0].rawValue : Self.none,
      hasListeners: listening.count > 1, hasCopiers: !copiers(participant, known).isEmpty)
  }

  private func listeners(
    _ participant: ParticipantId, _ known: borrowing ReferenceData
  ) -> [SessionId] {
    sessions(of: participant, with: [.trading, .dropCopy], known)
  }

  private func copiers(
    _ participant: ParticipantId, _ known: borrowing ReferenceData
  ) -> [SessionId] {
    sessions(of: participant, with: .dropCopy, known)
  }

  /// Sessions of a participant that began and have one of `roles`.
  private func sessions(
    of participant: ParticipantId, with roles: Roles, _ known: borrowing ReferenceData
  ) -> [SessionId] {
    let row = Int(participant.rawValue)
    guard row < sessionsOfParticipant.count else { return [] }
    var found: [SessionId] = []
    for session in sessionsOfParticipant[row] {
      guard let identity = known.session(session), identity.participant == participant,
        !identity.roles.isDisjoint(with: roles)
      else { continue }
      found.append(session)
    }
    return found
  }

  // MARK: Numbering

  /// Tells a session, and its participant's drop copies that it was told.
  @inline(__always) private mutating func tell(
    _ session: SessionId, _ part: Report.Part, _ known: borrowing ReferenceData
  ) {
    guard let number = add(part, session), let participant = known.session(session)?.participant,
      audiences[Int(participant.rawValue)].hasCopiers
    else { return }
    copy(session, number, part, participant, known)
  }

  /// Tells one session.
  /// - Returns: The report's number; `nil`: the session never began.
  @inline(__always)
  private mutating func add(_ part: Report.Part, _ session: SessionId) -> UInt64? {
    guard let flow = flows.pointer(Int(session.rawValue)), flow.pointee.version != 0 else {
      return nil
    }
    flow.pointee.last += 1
    let number = flow.pointee.last
    if count == capacity { grow() }
    (reports + count).initialize(
      to: Report(part, of: session, version: flow.pointee.version, number: number))
    count += 1
    return number
  }

  /// Gives the report that was added last to the drop copies too.
  private mutating func copy(
    _ session: SessionId, _ number: UInt64, _ part: Report.Part, _ participant: ParticipantId,
    _ known: borrowing ReferenceData
  ) {
    for copier in copiers(participant, known) where copier != session {
      guard add(.copyNotice, copier) != nil else { continue }
      reports[count - 1].origin = session
      reports[count - 1].originNumber = number
      _ = add(part, copier)
    }
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Report>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: reports, count: count)
    reports.deallocate()
    (reports, capacity) = (larger, capacity * 2)
  }
}

// MARK: - Its image (DurableView.swift)

extension ReportFlows {
  /// No session or participant has a higher number: a bound for what is read.
  private static let most = 1 << 26

  /// What rows its image holds.
  static func add(to layout: inout StateLayout) {
    layout.add(ReportFlow.self)
    layout.add(SessionId.self)
  }

  /// Writes how far every flow is.
  func write(to sink: any StateSink) {
    sink.put(flows.all)
    sink.put(UInt64(sessionsOfParticipant.count))
    for sessions in sessionsOfParticipant { sink.put(sessions) }
  }

  /// Reads what `write` wrote.
  /// - Parameter known: Who is who.
  mutating func read(from source: any StateSource, _ known: borrowing ReferenceData) {
    flows = DirectTable(ReportFlow(), source.get(ReportFlow.self, most: Self.most))
    sessionsOfParticipant = (0..<source.count(most: Self.most)).map { _ in
      source.get(SessionId.self, most: Self.most)
    }
    for row in sessionsOfParticipant.indices { findAudience(ParticipantId(UInt32(row)), known) }
  }
}
