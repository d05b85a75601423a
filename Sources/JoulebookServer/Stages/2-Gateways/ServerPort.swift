// Stage 2: what gateways submit and ask, on its way to stage 3.
//
//     gateway ──submit──▶ ServerPort ──▶ intake (of this thread, or of the exchange's)
//             ──answer──▶            ──▶ exchange, behind everything submitted before
//
// Nothing here calls a gateway: what comes of a command is delivered by the turn (IOTurn).

import GatewayKit
import Logging
import MarketModel

/// The exchange as the gateways of a server see it. Owned by the I/O thread.
final class ServerPort: ExchangePort {
  /// Commands are taken in; not before the server stands, nor when it ends.
  var isServing = true
  /// Where commands go; set before the loop runs, and kept by the server.
  var stages: Borrowed<Stages>?
  /// What sessions were told off for.
  private(set) var notices = NoticeCounts()
  /// Clients' commands taken since the start.
  private(set) var taken = 0
  /// Queries that nobody can answer, since nothing is kept.
  private var unanswerable: [RetransmitQuery] = []
  private var own = OwnCommands()
  private let log: Logger

  init(log: Logger) { self.log = log }

  // MARK: From gateways

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

  func note(_ notice: GatewayNotice) {
    notices.count(notice)
    switch notice {
    case .slowReader(let session, let bytes):
      log.warning(
        "a client does not read: cut", metadata: ["session": session.field, "unread": "\(bytes)"])
    case .keyLocked(let session):
      log.warning("a key is locked after bad signatures", metadata: ["session": session.field])
    case .throttled(let session, let refusal):
      log.warning(
        "a client sends more messages a second than it may",
        metadata: ["session": session.field, "limit": "\(refusal.limit)"])
    case .disconnected(let session, let cancelAfter):
      log.info(
        "a connection is gone: its session's orders are cancelled if it does not come back",
        metadata: ["session": session.field, "afterMilliseconds": "\(cancelAfter)"])
    }
  }

  // MARK: For the turn

  /// Submits what gateways had to say themselves and there was no room for.
  func submitOwn() {
    if !own.isEmpty { own.submit(take) }
  }

  /// Tells what the retransmission service has found since the last call.
  func deliverRetransmissions(to delivery: Delivery) {
    if !unanswerable.isEmpty {
      let queries = unanswerable
      unanswerable = []
      for query in queries { delivery.retransmit(query, nil) }
    }
    guard let service = stages?({ $0.retransmission }), service.hasAnswered else { return }
    for answer in service.takeAnswers() { delivery.retransmit(answer.query, answer.reports) }
  }

  private func take(_ command: Command) -> SubmitResult {
    guard isServing else { return .refused(Refusal(.shuttingDown)) }
    // Before everything stands nothing is taken: what is a gateway's own is kept and tried again.
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
