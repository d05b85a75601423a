// Stage 2: commands and queries of the gateways, on their way to stage 3.
//
//     gateway ──submit──▶ ServerPort ──▶ intake (on this thread, or on the matching thread)
//             ──answer──▶            ──▶ exchange, after everything submitted before
//
// The port never calls a gateway: `IOTurn` delivers the results of a command.

import GatewayKit
import Logging
import MarketModel
import Transport

/// The exchange as the gateways of a server see it. Owned by the I/O thread.
final class ServerPort: ExchangePort {
  /// Whether commands are accepted; `false` once the shutdown has begun.
  var isServing = true
  /// Destination of commands. Set before the loop runs; owned by the server.
  var stages: Borrowed<Stages>?
  /// Counts of misbehaviour that gateways reported.
  private(set) var notices = NoticeCounts()
  /// Client commands accepted since the start.
  private(set) var taken = 0
  /// Retransmission queries that cannot be answered because no journal is kept.
  private var unanswerable: [RetransmitQuery] = []
  /// Requests for trades that cannot be answered because there is no ledger to read.
  private var withoutLedger: [TradesRequest] = []
  private var own = OwnCommands()
  private var refusedLogOns = RefusedLogOns()
  private var brokenProtocols = CountedLines<LogOnAddress, RejectCode>()
  /// Lost connections by session; the limit is the time until its orders are cancelled, ms.
  private var lostConnections = CountedLines<SessionId, Loss>()
  private var refusedConnections = CountedLines<PeerAddress, Transport.Refusal>()
  private let log: Logger

  init(log: Logger) { self.log = log }

  // MARK: Called by gateways

  func submit(_ command: Command) -> SubmitResult {
    guard own.isEmpty else { return .full }
    let result = take(command)
    if result == .taken { taken += 1 }
    return result
  }

  func submitOwn(_ body: Command.Body) {
    own.append(body)
    own.submit(take)
  }

  func check(_ reading: SignedReading) -> ReadingCheck {
    stages?({ $0.verifier?.check(reading) }) ?? .here
  }

  func answer(_ question: Question) -> Answer? {
    guard let stages else { return nil }
    return stages { stages in
      if let thread = stages.thread { return thread { $0.answer(question) } }
      stages.matching.work()
      return stages.matching.answer(question)
    }
  }

  func retransmit(_ query: RetransmitQuery) {
    guard let service = stages?({ $0.retransmission }) else { return unanswerable.append(query) }
    service.ask(query)
  }

  func readTrades(_ request: TradesRequest) {
    guard let service = stages?({ $0.trades }) else { return withoutLedger.append(request) }
    service.ask(request)
  }

  func note(_ notice: GatewayNotice) {
    notices.count(notice)
    switch notice {
    case .slowReader(let session, let bytes):
      log.warning(
        "a client does not read, so its session was terminated",
        metadata: ["session": session.field, "unread": "\(bytes)"])
    case .logOnRefused(let session, let failure, let address):
      if let line = refusedLogOns.note(session, failure, from: address) { write(line) }
    case .throttled(let session, let refusal):
      // The limit of 9007 is what is left of the participant's work.
      let isWork = refusal.code == .workLimit
      log.warning(
        isWork
          ? "a participant exceeds its limit of work (client.work)"
          : "a session exceeds its message limit",
        metadata: ["session": session.field, isWork ? "left" : "limit": "\(refusal.limit)"])
    case .disconnected(let session, let cancelAfter):
      if let line = lostConnections.note(
        session, .ofConnection, from: session, limit: Int64(cancelAfter))
      {
        write(line)
      }
    case .ended(let session, let cancelAfter):
      log.debug(
        "a session ended in order; its orders are cancelled unless it returns in time",
        metadata: ["session": session.field, "afterMilliseconds": "\(cancelAfter)"])
    case .brokeProtocol(let session, let refusal, let address):
      if let line = brokenProtocols.note(
        session, refusal.code, from: address, limit: refusal.limit)
      {
        write(line)
      }
    case .cutOff(let session, let refusal):
      let reason =
        switch refusal.code {
        case .keyChanged: "its key was replaced"
        case .unknownSession: "it was revoked"
        case .versionReset: "its version was reset"
        default: "it was cut by an operator or its participant's administrator"
        }
      log.notice(
        "a session's connection ends: \(reason)",
        metadata: ["session": session.field, "code": "\(refusal.code.rawValue)"])
    }
  }

  private func write(_ line: RefusedLogOns.Line) {
    log.warning(
      "log-ons are refused",
      metadata: [
        "session": line.session.field, "reason": "\(line.reason)", "count": "\(line.count)",
        "address": line.address,
      ])
  }

  private func write(_ line: CountedLines<LogOnAddress, RejectCode>.Line) {
    let meaning = line.reason.entry?.meaning ?? "code \(line.reason.rawValue)"
    log.warning(
      "a session's connection ends: \(meaning)",
      metadata: [
        "session": line.session.field, "code": "\(line.reason.rawValue)",
        "limit": "\(line.limit)", "count": "\(line.count)", "address": line.address,
      ])
  }

  private func write(_ line: CountedLines<SessionId, Loss>.Line) {
    log.info(
      "a connection was lost; the session's orders are cancelled unless it returns in time",
      metadata: [
        "session": line.isOfOthers ? "others" : line.session.field,
        "afterMilliseconds": "\(line.limit)", "count": "\(line.count)",
      ])
  }

  private func write(_ line: CountedLines<PeerAddress, Transport.Refusal>.Line) {
    let reason =
      switch line.reason {
      case .full: "all are taken, by sessions or in the last second (connections)"
      case .addressIsFull: "its address has as many as it may, see client.perAddress"
      }
    log.warning(
      "a connection was refused: \(reason)",
      metadata: ["address": line.address, "count": "\(line.count)"])
  }

  // MARK: Called by the turn

  /// Logs the events of clients that no line has told yet, every ten seconds.
  /// - Parameter isLast: Whether the server ends, so that all are logged now.
  func logRefusals(at now: SteadyTime, isLast: Bool = false) {
    for line in refusedLogOns.take(at: now, isLast: isLast) { write(line) }
    for line in brokenProtocols.take(at: now, isLast: isLast) { write(line) }
    for line in lostConnections.take(at: now, isLast: isLast) { write(line) }
    for line in refusedConnections.take(at: now, isLast: isLast) { write(line) }
  }

  /// Notes that a connection was refused.
  func noteRefused(_ address: PeerAddress, _ reason: Transport.Refusal) {
    if let line = refusedConnections.note(.exchange, reason, from: address) { write(line) }
  }

  /// Submits the gateways' own commands that found no capacity before.
  func submitOwn() {
    if !own.isEmpty { own.submit(take) }
  }

  /// Delivers what the retransmission service has found since the last call.
  func deliverRetransmissions(to delivery: Delivery) {
    if !unanswerable.isEmpty {
      let queries = unanswerable
      unanswerable = []
      for query in queries { delivery.retransmit(query, nil) }
    }
    guard let service = stages?({ $0.retransmission }), service.hasAnswered else { return }
    for answer in service.takeAnswers() { delivery.retransmit(answer.query, answer.reports) }
  }

  /// Delivers what the trades service has read since the last call.
  func deliverTrades(to delivery: Delivery) {
    if !withoutLedger.isEmpty {
      let requests = withoutLedger
      withoutLedger = []
      for request in requests { delivery.trades(request, .noLedger) }
    }
    guard let service = stages?({ $0.trades }), service.hasAnswered else { return }
    for answer in service.takeAnswers() { delivery.trades(answer.request, answer.answer) }
  }

  private func take(_ command: Command) -> SubmitResult {
    guard isServing else { return .refused(Refusal(.shuttingDown)) }
    // Before the stages are connected nothing is accepted; a gateway's own commands are queued and
    // retried.
    guard let stages else { return .full }
    return stages { stages in
      guard stages.matching.admits(command) else { return .refused(Refusal(.intakeFull)) }
      if let thread = stages.thread {
        return thread { $0.take(command) } ? .taken : .full
      }
      return stages.matching.take(command) ? .taken : .full
    }
  }
}

/// What is counted of lost connections.
private enum Loss: Hashable {
  case ofConnection
}

extension CountedLines.Line {
  /// The address, or whose others it is about, in the log.
  fileprivate var address: Logger.MetadataValue {
    isOfOthers ? "others" : "\(source.map { "\($0)" } ?? "unknown")"
  }
}
