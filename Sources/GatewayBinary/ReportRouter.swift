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
  /// Longer than any report.
  private static let longestReport = 256

  /// Who is who, as the events tell.
  public private(set) var directory = Directory()
  private var flows: [ReportFlow] = []
  /// Session identities that began, by participant, in order of their numbers.
  private var sessionsOfParticipant: [[SessionId]] = []
  private let scratch = UnsafeMutableRawPointer.allocate(
    byteCount: longestReport, alignment: 8)

  /// A router that has seen nothing.
  public init() {}

  deinit { scratch.deallocate() }

  /// Whether both have seen the same.
  func isSame(as other: borrowing ReportRouter) -> Bool {
    directory == other.directory && flows == other.flows
      && sessionsOfParticipant == other.sessionsOfParticipant
  }

  /// The flow of a session identity.
  public func flow(of session: SessionId) -> ReportFlow {
    let index = Int(session.rawValue)
    return index < flows.count ? flows[index] : ReportFlow()
  }

  /// Session identities whose orders are to be cancelled when they are not connected.
  public var exposed: [SessionId] {
    flows.indices.filter { flows[$0].isExposed }.map { SessionId(UInt32($0)) }
  }

  /// Gives the sessions concerned their reports of an event. Events come in order, without gaps.
  public mutating func route<Sink: ReportSink & ~Copyable>(
    _ event: borrowing Event, _ time: Timestamp, into sink: inout Sink
  ) {
    switch event {
    case .accepted(let state):
      send(state.session, &sink) { $0.accepted($1, time, state) }
    case .replaced(let state):
      send(state.session, &sink) { $0.replaced($1, time, state) }
    case .restated(let state):
      send(state.session, &sink) { $0.restated($1, time, state) }
    case .canceled(let canceled):
      send(canceled.state.session, &sink) { $0.canceled($1, time, canceled) }
    case .trade(let trade):
      send(trade.buyer.session, &sink) { $0.trade($1, time, trade, .buy, trade.buyer) }
      send(trade.seller.session, &sink) { $0.trade($1, time, trade, .sell, trade.seller) }
    case .rejected(let rejected):
      send(rejected.session, &sink) { $0.rejected($1, time, rejected) }
    case .massCanceled(let done):
      send(done.session, &sink) { $0.massCanceled($1, time, done) }
    case .balance(let balance): route(balance, time, into: &sink)
    case .metered(let done): send(done.session, &sink) { $0.metered($1, time, done) }
    case .transferred(let done): send(done.session, &sink) { $0.transferred($1, time, done) }
    case .agentSet(let done): send(done.session, &sink) { $0.agentSet($1, time, done) }
    case .acknowledged(let done):
      send(done.session, &sink) { $0.ack($1, time, reference: done.clientSequence) }
    case .sessionBegan(let session): begin(session)
    case .sessionEnded(let ended):
      let index = Int(ended.request.session.rawValue)
      if index < flows.count { flows[index].cancelAfter = BeginSession.never }
    case .deposited, .withdrawn, .participantCreated, .sessionRegistered, .accountCreated, .capSet,
      .areaCreated, .tariffSet, .instrumentCreated, .instrumentStateChanged, .meterRegistered,
      .settlementConfirmed, .alarm:
      break
    }
    directory.note(event)
  }

  /// A balance concerns every trading session of the account's participant.
  private mutating func route<Sink: ReportSink & ~Copyable>(
    _ balance: Balance, _ time: Timestamp, into sink: inout Sink
  ) {
    guard let participant = directory.participant(of: balance.account) else { return }
    let index = Int(participant.rawValue)
    guard index < sessionsOfParticipant.count else { return }
    for session in sessionsOfParticipant[index] {
      guard let known = directory.session(session), known.participant == participant,
        known.roles.contains(.trading)
      else { continue }
      send(session, &sink) { $0.balance($1, time, reference: 0, balance) }
    }
  }

  private mutating func begin(_ session: BeginSession) {
    let index = Int(session.session.rawValue)
    while flows.count <= index { flows.append(ReportFlow()) }
    if flows[index].version != session.version {
      (flows[index].version, flows[index].last) = (session.version, 0)
    }
    flows[index].cancelAfter = session.cancelAfter
    guard let participant = directory.session(session.session)?.participant else { return }
    let row = Int(participant.rawValue)
    while sessionsOfParticipant.count <= row { sessionsOfParticipant.append([]) }
    let place = sessionsOfParticipant[row].firstIndex { $0 >= session.session }
    if let place, sessionsOfParticipant[row][place] == session.session { return }
    sessionsOfParticipant[row].insert(
      session.session, at: place ?? sessionsOfParticipant[row].count)
  }

  @inline(__always) private mutating func send<Sink: ReportSink & ~Copyable>(
    _ session: SessionId, _ sink: inout Sink, _ write: (ReportWriter, UInt64) -> Void
  ) {
    let index = Int(session.rawValue)
    guard index < flows.count, flows[index].version != 0 else { return }
    flows[index].last += 1
    write(ReportWriter(into: scratch), flows[index].last)
    sink.take(
      Frame(finished: scratch), number: flows[index].last, of: session,
      version: flows[index].version)
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
    sink.put(flows)
    sink.put(UInt64(sessionsOfParticipant.count))
    for sessions in sessionsOfParticipant { sink.put(sessions) }
  }

  /// Reads what `write` wrote.
  mutating func read(from source: any StateSource) {
    directory.read(from: source)
    flows = source.get(ReportFlow.self, most: Self.most)
    sessionsOfParticipant = (0..<source.count(most: Self.most)).map { _ in
      source.get(SessionId.self, most: Self.most)
    }
  }
}
