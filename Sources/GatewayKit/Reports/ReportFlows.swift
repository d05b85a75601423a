// Determines which session receives which report, and with which number. This is a function of the
// events alone, so the live exchange, a recovered one and a replay years later number a report
// equally.
//
//     sessionBegan 7, version v1      flow of 7: v1, no report
//     accepted of session 7           1
//     trade of sessions 7 and 8       2        (8 has its own flow)
//     sessionBegan 7, version v1      reconnected: the flow continues
//     canceled of session 7           3
//     sessionBegan 7, version v2      new version: flow of 7: v2, no report
//
// A report is numbered whether or not its session is connected, and whichever gateway it uses. A
// session that never began has no flow.
//
// A session with the role dropCopy receives each report of its participant's other sessions too,
// numbered in its own flow and preceded by a notice that names the original:
//
//     accepted of session 7           1 of 7;  the notice (7, 1) is 1 of 9, the copy is 2 of 9
//
// A session with the role surveillance receives those of all participants in the same way.

import MarketModel

/// The numbered flow of reports of one session.
public struct ReportFlow: Equatable, Sendable, BitwiseCopyable {
  /// The session version; 0 if it never began.
  public var version: UInt64 = 0
  /// Number of the last report; 0 if there is none.
  public var last: UInt64 = 0
  /// How long its orders stay after its connection is lost, in ms; `BeginSession.never` if they are
  /// not cancelled.
  public var cancelAfter = BeginSession.never
  /// Whether its orders are to be cancelled once it has been disconnected for `cancelAfter`.
  public var isExposed: Bool { cancelAfter != BeginSession.never }

  /// Creates a flow that never began.
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

/// Numbers the reports of all sessions. Owned by one thread; allocates only when its tables grow.
public struct ReportFlows: ~Copyable {
  /// Marks the absence of a session.
  private static let none = UInt32.max

  /// Which sessions of a participant receive reports that concern the whole participant. Internal
  /// rather than private, because another module's deinit of `ReportFlows` needs the layout.
  struct Audience: BitwiseCopyable {
    /// The only session that receives balances; `none` if there are none or several.
    var listener = ReportFlows.none
    /// Whether several sessions receive balances.
    var hasListeners = false
    /// Whether a session receives drop copies.
    var hasCopiers = false
  }

  private var flows = DirectTable(ReportFlow())
  /// Sessions that began, by participant, in ascending order.
  private var sessionsOfParticipant: [[SessionId]] = []
  private var audiences = DirectTable(Audience())
  /// Sessions that began and receive the reports of all participants, in ascending order.
  private var watchers: [SessionId] = []
  /// Whether there are watchers.
  private var hasWatchers = false
  /// The reports of the current event.
  private var reports = UnsafeMutablePointer<Report>.allocate(capacity: 16)
  private var capacity = 16
  private var count = 0

  /// Creates flows for no sessions.
  public init() {}

  deinit { reports.deallocate() }

  /// Whether both have numbered all reports equally.
  func isSame(as other: borrowing ReportFlows) -> Bool {
    flows.all == other.flows.all && sessionsOfParticipant == other.sessionsOfParticipant
  }

  /// The flow of a session.
  public func flow(of session: SessionId) -> ReportFlow { flows[Int(session.rawValue)] }

  /// Sessions whose orders are to be cancelled if they stay disconnected.
  public var exposed: [SessionId] {
    (0..<flows.count).filter { flows[$0].isExposed }.map { SessionId(UInt32($0)) }
  }

  /// Numbers the reports of an event. Events must come in order, without gaps.
  /// - Parameter known: Reference data before this event.
  /// - Returns: the reports, valid until the next call.
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
      if trade.pointee.isLocal { return numberLocal(trade, known) }
      tell(trade.pointee.buyer.session, .buyer, known)
      tell(trade.pointee.seller.session, .seller, known)
    case .balance: tellOwner(.event, event.payload(Balance.self).pointee.account, known)
    case .other: numberRare(event.pointee, known)
    }
    return UnsafeBufferPointer(start: reports, count: count)
  }

  /// Numbers the reports of a trade with a meter's account, which has no order: the sessions that
  /// receive its balances receive its side.
  @inline(never) private mutating func numberLocal(
    _ trade: UnsafePointer<Trade>, _ known: borrowing ReferenceData
  ) -> UnsafeBufferPointer<Report> {
    tellLocal(.buyer, trade.pointee.buyer, known)
    tellLocal(.seller, trade.pointee.seller, known)
    return UnsafeBufferPointer(start: reports, count: count)
  }

  private mutating func tellLocal(
    _ part: Report.Part, _ party: TradeParty, _ known: borrowing ReferenceData
  ) {
    if party.order == .null {
      tellOwner(part, party.account, known)
    } else {
      tell(party.session, part, known)
    }
  }

  /// Numbers the reports of the less frequent events.
  private mutating func numberRare(_ event: Event, _ known: borrowing ReferenceData) {
    switch event {
    case .accepted, .replaced, .restated, .canceled, .trade, .balance:
      assertionFailure("read where they stand")
    case .rejected(let rejected): tell(rejected.session, .event, known)
    case .metered(let done):
      tellReader(done.session, done.account, isReleased: done.clientSequence == 0, known)
    case .order(.massCanceled(let done)): tell(done.session, .event, known)
    case .order(.agentSet(let done)): tell(done.session, .event, known)
    case .order(.noted(let noted)): tell(noted.session, .event, known)
    case .order(.displayed): break  // Market data.
    case .cash(.transferred(let done)): tell(done.session, .event, known)
    case .cash(.deposited), .cash(.withdrawn), .cash(.compensated):
      break  // The operator has the answer, the owner the balance.
    case .reference: break
    case .metering(.corrected(let done)):
      tellReader(done.session, done.account, isReleased: done.clientSequence == 0, known)
    case .metering(.quarantined(let kept)): tell(kept.session, .event, known)
    case .metering(.readingDecided): break  // The Ack follows.
    case .session(.sessionBegan(let session)): begin(session, known)
    case .session(.sessionCut): break  // The gateway that has the session terminates it.
    case .session(.sessionEnded(let ended)):
      flows.pointer(Int(ended.request.session.rawValue))?.pointee.cancelAfter = BeginSession.never
    case .control(.acknowledged(let done)): tell(done.session, .event, known)
    case .control(.settlementConfirmed): tellDropCopies(known)
    case .control(.alarm), .control(.rulesSet): break  // For operators: log, metrics, status.
    }
  }

  /// Updates the audiences after a session's roles or participant changed.
  /// - Parameter former: Its participant until now.
  mutating func registered(
    _ session: RegisterSession, former: ParticipantId?, _ known: borrowing ReferenceData
  ) {
    if let former { findAudience(former, known) }
    findAudience(session.participant, known)
    if hasWatchers || session.roles.contains(.surveillance) { findWatchers(known) }
  }

  /// A session's key was replaced or revoked: its orders stay, unless the operator has them
  /// cancelled, until a session begins with the new key.
  mutating func keyChanged(_ session: SessionId) {
    flows.pointer(Int(session.rawValue))?.pointee.cancelAfter = BeginSession.never
  }

  /// The operator has reset a session's version: no report is numbered until another one begins.
  mutating func reset(_ session: SessionId) {
    guard let flow = flows.pointer(Int(session.rawValue)) else { return }
    (flow.pointee.version, flow.pointee.last) = (0, 0)
  }

  /// A reading is reported to the session that sent it. When the operator has released it from quarantine,
  /// that session may have become another one since: then to nobody.
  private mutating func tellReader(
    _ session: SessionId, _ account: AccountId, isReleased: Bool, _ known: borrowing ReferenceData
  ) {
    if isReleased, !known.roles(of: session).contains(.metering),
      known.session(session)?.participant != known.participant(of: account)
    {
      return
    }
    tell(session, .event, known)
  }

  /// A balance, and a side without an order of a local trade, is reported to every trading session of
  /// the account's participant, to its drop copies, and to the watchers.
  @inline(__always)
  private mutating func tellOwner(
    _ part: Report.Part, _ account: AccountId, _ known: borrowing ReferenceData
  ) {
    if account.isHouse { return }
    guard let participant = known.participant(of: account) else { return }
    let audience = audiences[Int(participant.rawValue)]
    if audience.listener != Self.none {
      _ = add(part, SessionId(audience.listener))
    } else if audience.hasListeners {
      for session in listeners(participant, known) { _ = add(part, session) }
    }
    if hasWatchers { tellWatchers(part, of: participant, known) }
  }

  /// Reports an event once to each watcher that is not in the participant's audience.
  private mutating func tellWatchers(
    _ part: Report.Part, of participant: ParticipantId, _ known: borrowing ReferenceData
  ) {
    let listening = listeners(participant, known)
    for watcher in watchers where !listening.contains(watcher) { _ = add(part, watcher) }
  }

  /// A settlement batch is reported to every drop copy and every watcher.
  private mutating func tellDropCopies(_ known: borrowing ReferenceData) {
    for number in 0..<flows.count {
      let session = SessionId(UInt32(number))
      let isCopier = !known.roles(of: session).isDisjoint(with: [.dropCopy, .surveillance])
      if isCopier { _ = add(.event, session) }
    }
  }

  // MARK: Audiences

  private mutating func begin(_ session: BeginSession, _ known: borrowing ReferenceData) {
    var flow = flows[Int(session.session.rawValue)]
    if flow.version != session.version { (flow.version, flow.last) = (session.version, 0) }
    flow.cancelAfter = session.cancelAfter
    flows[Int(session.session.rawValue)] = flow
    defer {
      if known.roles(of: session.session).contains(.surveillance) { findWatchers(known) }
    }
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

  private mutating func findWatchers(_ known: borrowing ReferenceData) {
    watchers.removeAll()
    for sessions in sessionsOfParticipant {
      for session in sessions where known.roles(of: session).contains(.surveillance) {
        watchers.append(session)
      }
    }
    // A session that changed its participant is in two lists.
    watchers = Set(watchers).sorted { $0.rawValue < $1.rawValue }
    hasWatchers = !watchers.isEmpty
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

  /// Adds a report for a session, and its copies for the participant's drop copies and the watchers.
  @inline(__always) private mutating func tell(
    _ session: SessionId, _ part: Report.Part, _ known: borrowing ReferenceData
  ) {
    guard let number = add(part, session), let participant = known.session(session)?.participant,
      audiences[Int(participant.rawValue)].hasCopiers || hasWatchers
    else { return }
    copy(session, number, part, participant, known)
  }

  /// Adds a report for one session.
  /// - Returns: the report's number; `nil` if the session never began.
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

  /// Adds copies of the last report for the drop copies and the watchers.
  private mutating func copy(
    _ session: SessionId, _ number: UInt64, _ part: Report.Part, _ participant: ParticipantId,
    _ known: borrowing ReferenceData
  ) {
    var all = copiers(participant, known)
    for watcher in watchers where !all.contains(watcher) { all.append(watcher) }
    for copier in all where copier != session {
      guard add(.copyNotice, copier) != nil else { continue }
      reports[count - 1].origin = session
      reports[count - 1].originNumber = number
      reports[count - 1].originVersion = flows[Int(session.rawValue)].version
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

// MARK: - State image (DurableView.swift)

extension ReportFlows {
  /// Upper bound of session and participant numbers, to reject malformed images.
  private static let most = 1 << 26

  /// Adds the row types of its image.
  static func add(to layout: inout StateLayout) {
    layout.add(ReportFlow.self)
    layout.add(SessionId.self)
  }

  /// Writes the state of every flow.
  func write(to sink: any StateSink) {
    sink.put(flows.all)
    sink.put(UInt64(sessionsOfParticipant.count))
    for sessions in sessionsOfParticipant { sink.put(sessions) }
  }

  /// Reads what `write` wrote.
  /// - Parameter known: Reference data of the same state.
  mutating func read(from source: any StateSource, _ known: borrowing ReferenceData) {
    flows = DirectTable(ReportFlow(), source.get(ReportFlow.self, most: Self.most))
    sessionsOfParticipant = (0..<source.count(most: Self.most)).map { _ in
      source.get(SessionId.self, most: Self.most)
    }
    for row in sessionsOfParticipant.indices { findAudience(ParticipantId(UInt32(row)), known) }
    findWatchers(known)
  }
}
