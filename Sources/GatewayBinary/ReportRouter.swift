// Which session gets which report, and with which number: a function of the events alone, so that the
// live gateway, a recovered one and a replay of the journal years later give a report the same number.
//
//     sessionBegan 7, version v1      flow of 7: v1, nothing sent
//     accepted of session 7           1
//     trade of sessions 7 and 8       2        (8 has its own flow)
//     sessionBegan 7, version v1      back after a lost connection: goes on
//     canceled of session 7           3
//     sessionBegan 7, version v2      a new version: v2, nothing sent
//
// A report counts whether or not its session is connected. A session that never began has no flow.
//
// A session with the role dropCopy gets each report of its participant's other sessions again, numbered in
// its own flow and behind a ReportCopy that says whose it is:
//
//     accepted of session 7           1 of 7;  ReportCopy(7, 1) is 1 of 9, the same accepted 2 of 9

import MarketModel
import Wire

/// Takes numbered reports, each as its frame.
public protocol ReportSink: ~Copyable {
  /// The report `number` of `session` in `version`. The frame is valid during the call only.
  mutating func take(
    _ report: Frame, number: UInt64, of session: SessionId, version: UInt64)
}

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
}

/// Routes events to sessions. Owned by one thread; allocates nothing but table growth.
public struct ReportRouter: ~Copyable {
  /// Longer than any report, or message of a channel.
  static let longestReport = 256
  /// Where the sequence number of a report stands.
  private static let sequenceOffset = Frame.headerLength
  /// No session, no participant.
  private static let none = UInt32.max

  /// Who of a participant's sessions, of those that began, gets what belongs to all.
  private struct Audience: BitwiseCopyable {
    /// The only session that gets balances; `none`: there is none, or there are several.
    var listener = ReportRouter.none
    /// Whether several get balances.
    var hasListeners = false
    /// Whether one gets copies.
    var hasCopiers = false
  }

  /// Who is who, as the events tell.
  public private(set) var directory = Directory()
  private var flows = DirectTable(ReportFlow())
  /// Session identities that began, by participant, in order of their numbers.
  private var sessionsOfParticipant: [[SessionId]] = []
  private var audiences = DirectTable(Audience())
  /// The participant of an account, and of a session.
  private var owners = DirectTable(none)
  private var firms = DirectTable(none)
  private let scratch = UnsafeMutableRawPointer.allocate(
    byteCount: longestReport, alignment: 8)
  private let notice = UnsafeMutableRawPointer.allocate(
    byteCount: longestReport, alignment: 8)

  /// A router that has seen nothing.
  public init() {}

  deinit {
    scratch.deallocate()
    notice.deallocate()
  }

  /// Whether both have seen the same.
  func isSame(as other: borrowing ReportRouter) -> Bool {
    directory == other.directory && flows.all == other.flows.all
      && sessionsOfParticipant == other.sessionsOfParticipant
  }

  /// The flow of a session identity.
  public func flow(of session: SessionId) -> ReportFlow { flows[Int(session.rawValue)] }

  /// Session identities whose orders are to be cancelled when they are not connected.
  public var exposed: [SessionId] {
    (0..<flows.count).filter { flows[$0].isExposed }.map { SessionId(UInt32($0)) }
  }

  /// Gives the sessions concerned their reports of an event. Events come in order, without gaps.
  public mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: borrowing Event, _ time: Timestamp, into sink: inout Sink
  ) {
    withUnsafePointer(to: event) { route($0, time, into: &sink) }
  }

  /// As above: an event that stays where it is meanwhile.
  mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: UnsafePointer<Event>, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event.kind {
    case .accepted:
      let state: UnsafePointer<OrderState> = event.payload()
      send(state.pointee.session, time, &sink) { $0.accepted($1, time, state.pointee) }
    case .replaced:
      let state: UnsafePointer<OrderState> = event.payload()
      send(state.pointee.session, time, &sink) { $0.replaced($1, time, state.pointee) }
    case .restated:
      let state: UnsafePointer<OrderState> = event.payload()
      send(state.pointee.session, time, &sink) { $0.restated($1, time, state.pointee) }
    case .canceled:
      let canceled: UnsafePointer<OrderCanceled> = event.payload()
      send(canceled.pointee.state.session, time, &sink) { $0.canceled($1, time, canceled.pointee) }
    case .trade:
      let trade: UnsafePointer<Trade> = event.payload()
      send(trade.pointee.buyer.session, time, &sink) {
        $0.trade($1, time, trade.pointee, .buy, trade.pointee.buyer)
      }
      send(trade.pointee.seller.session, time, &sink) {
        $0.trade($1, time, trade.pointee, .sell, trade.pointee.seller)
      }
    case .balance: route(event.payload(Balance.self).pointee, time, into: &sink)
    case .other: routeRare(event.pointee, time, into: &sink)
    }
  }

  /// The rarer events.
  private mutating func routeRare<Sink: ReportSink & ~Copyable>(
    _ event: Event, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event {
    case .accepted, .replaced, .restated, .canceled, .trade, .balance:
      assertionFailure("read where they stand")
    case .rejected(let rejected):
      send(rejected.session, time, &sink) { $0.rejected($1, time, rejected) }
    case .metered(let done): send(done.session, time, &sink) { $0.metered($1, time, done) }
    case .order(let event): route(event, time, into: &sink)
    case .cash(let event): route(event, time, into: &sink)
    case .reference(let event): learn(event)
    case .session(let event): learn(event)
    case .control(let event): route(event, time, into: &sink)
    }
  }

  private mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: OrderEvent, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event {
    case .massCanceled(let done):
      send(done.session, time, &sink) { $0.massCanceled($1, time, done) }
    case .agentSet(let done): send(done.session, time, &sink) { $0.agentSet($1, time, done) }
    case .displayed: break  // Market data.
    }
  }

  private mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: CashEvent, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event {
    case .transferred(let done):
      send(done.session, time, &sink) { $0.transferred($1, time, done) }
    case .deposited, .withdrawn: break  // The operator has the answer, the owner the balance.
    }
  }

  private mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: ControlEvent, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event {
    case .acknowledged(let done):
      send(done.session, time, &sink) { $0.ack($1, time, reference: done.clientSequence) }
    case .settlementConfirmed(let done): announce(done, time, into: &sink)
    case .alarm, .rulesSet: break  // For operators: log, metrics, status.
    }
  }

  /// Takes in who and what there is from now on.
  private mutating func learn(_ event: ReferenceEvent) {
    directory.note(event)
    switch event {
    case .accountCreated(let made):
      if !made.account.isHouse {
        owners[Int(made.account.rawValue)] = made.participant.rawValue
      }
    case .sessionRegistered(let registered):
      let former = firms[Int(registered.session.rawValue)]
      firms[Int(registered.session.rawValue)] = registered.participant.rawValue
      if former != Self.none { findAudience(ParticipantId(former)) }
      findAudience(registered.participant)
    default: break
    }
  }

  private mutating func learn(_ event: SessionEvent) {
    switch event {
    case .sessionBegan(let session): begin(session)
    case .sessionEnded(let ended):
      flows.pointer(Int(ended.request.session.rawValue))?.pointee.cancelAfter = BeginSession.never
    }
  }

  /// A balance concerns every trading session of the account's participant, and its drop copies.
  @inline(__always) private mutating func route<Sink: ReportSink & ~Copyable>(
    _ balance: Balance, _ time: Timestamp, into sink: inout Sink
  ) {
    if balance.account.isHouse { return }
    let participant = owners[Int(balance.account.rawValue)]
    guard participant != Self.none else { return }
    let audience = audiences[Int(participant)]
    if audience.listener != Self.none {
      send(SessionId(audience.listener), &sink) { $0.balance($1, time, reference: 0, balance) }
    } else if audience.hasListeners {
      for session in listeners(ParticipantId(participant)) {
        send(session, &sink) { $0.balance($1, time, reference: 0, balance) }
      }
    }
  }

  /// A batch concerns every drop copy.
  private mutating func announce<Sink: ReportSink & ~Copyable>(
    _ done: SettlementConfirmed, _ time: Timestamp, into sink: inout Sink
  ) {
    for number in 0..<flows.count {
      let session = SessionId(UInt32(number))
      guard let known = directory.session(session), known.roles.contains(.dropCopy) else {
        continue
      }
      send(session, &sink) { $0.settled($1, time, done) }
    }
  }

  // MARK: Who hears what

  private mutating func begin(_ session: BeginSession) {
    var flow = flows[Int(session.session.rawValue)]
    if flow.version != session.version { (flow.version, flow.last) = (session.version, 0) }
    flow.cancelAfter = session.cancelAfter
    flows[Int(session.session.rawValue)] = flow
    guard let participant = directory.session(session.session)?.participant else { return }
    let row = Int(participant.rawValue)
    while sessionsOfParticipant.count <= row { sessionsOfParticipant.append([]) }
    let place = sessionsOfParticipant[row].firstIndex { $0 >= session.session }
    if let place, sessionsOfParticipant[row][place] == session.session { return }
    sessionsOfParticipant[row].insert(
      session.session, at: place ?? sessionsOfParticipant[row].count)
    findAudience(participant)
  }

  private mutating func findAudience(_ participant: ParticipantId) {
    let listening = listeners(participant)
    audiences[Int(participant.rawValue)] = Audience(
      listener: listening.count == 1 ? listening[0].rawValue : Self.none,
      hasListeners: listening.count > 1, hasCopiers: !copiers(participant).isEmpty)
  }

  private func listeners(_ participant: ParticipantId) -> [SessionId] {
    sessions(of: participant, with: [.trading, .dropCopy])
  }

  private func copiers(_ participant: ParticipantId) -> [SessionId] {
    sessions(of: participant, with: .dropCopy)
  }

  /// Sessions of a participant that began and have one of `roles`.
  private func sessions(of participant: ParticipantId, with roles: Roles) -> [SessionId] {
    let row = Int(participant.rawValue)
    guard row < sessionsOfParticipant.count else { return [] }
    return sessionsOfParticipant[row].filter { session in
      guard let known = directory.session(session) else { return false }
      return known.participant == participant && !known.roles.isDisjoint(with: roles)
    }
  }

  // MARK: Sending

  /// Sends a report to its session, and copies of it to the participant's drop copies.
  @inline(__always) private mutating func send<Sink: ReportSink & ~Copyable>(
    _ session: SessionId, _ time: Timestamp, _ sink: inout Sink,
    _ write: (ReportWriter, UInt64) -> Void
  ) {
    guard let number = send(session, &sink, write) else { return }
    let participant = firms[Int(session.rawValue)]
    if participant != Self.none, audiences[Int(participant)].hasCopiers {
      copy(session, number, ParticipantId(participant), time, &sink)
    }
  }

  /// Sends a report to one session.
  /// - Returns: Its number; `nil`: the session never began.
  @inline(__always) @discardableResult private mutating func send<Sink: ReportSink & ~Copyable>(
    _ session: SessionId, _ sink: inout Sink, _ write: (ReportWriter, UInt64) -> Void
  ) -> UInt64? {
    guard let flow = flows.pointer(Int(session.rawValue)), flow.pointee.version != 0 else {
      return nil
    }
    flow.pointee.last += 1
    let number = flow.pointee.last
    write(ReportWriter(into: scratch), number)
    sink.take(
      Frame(finished: scratch), number: number, of: session, version: flow.pointee.version)
    return number
  }

  /// Gives the report that was sent last to the drop copies too.
  private mutating func copy<Sink: ReportSink & ~Copyable>(
    _ session: SessionId, _ number: UInt64, _ participant: ParticipantId, _ time: Timestamp,
    _ sink: inout Sink
  ) {
    for copier in copiers(participant) where copier != session {
      guard let flow = flows.pointer(Int(copier.rawValue)), flow.pointee.version != 0 else {
        continue
      }
      flow.pointee.last += 2
      let (last, version) = (flow.pointee.last, flow.pointee.version)
      ReportWriter(into: notice).copied(last - 1, time, of: session, number)
      sink.take(Frame(finished: notice), number: last - 1, of: copier, version: version)
      scratch.storeBytes(
        of: last.littleEndian, toByteOffset: Self.sequenceOffset, as: UInt64.self)
      sink.take(Frame(finished: scratch), number: last, of: copier, version: version)
    }
  }
}

// MARK: - Its image (GatewayHistory.swift)

extension ReportRouter {
  /// No session or participant has a higher number: a bound for what is read.
  private static let most = 1 << 26

  /// What rows its image holds.
  static func add(to layout: inout StateLayout) {
    Directory.add(to: &layout)
    layout.add(ReportFlow.self)
    layout.add(SessionId.self)
  }

  /// Writes who is who, and how far every flow is.
  func write(to sink: any StateSink) {
    directory.write(to: sink)
    sink.put(flows.all)
    sink.put(UInt64(sessionsOfParticipant.count))
    for sessions in sessionsOfParticipant { sink.put(sessions) }
  }

  /// Reads what `write` wrote.
  mutating func read(from source: any StateSource) {
    directory.read(from: source)
    flows = DirectTable(ReportFlow(), source.get(ReportFlow.self, most: Self.most))
    sessionsOfParticipant = (0..<source.count(most: Self.most)).map { _ in
      source.get(SessionId.self, most: Self.most)
    }
    findEverybody()
  }

  /// Fills the tables that follow from the directory and from who began.
  private mutating func findEverybody() {
    let known = directory
    known.forEachAccount { owners[Int($0.rawValue)] = $1.rawValue }
    known.forEachSession { firms[Int($0.rawValue)] = $1.participant.rawValue }
    for row in sessionsOfParticipant.indices { findAudience(ParticipantId(UInt32(row))) }
  }
}
