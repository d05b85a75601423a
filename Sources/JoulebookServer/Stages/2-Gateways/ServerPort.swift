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
  /// What the log says about clients.
  private var clientLog: ClientLog

  init(log: Logger) { clientLog = ClientLog(log) }

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
    clientLog.note(notice)
  }

  // MARK: Called by the turn

  /// Logs the events of clients that no line has told yet, every ten seconds.
  /// - Parameter isLast: Whether the server ends, so that all are logged now.
  func logRefusals(at now: SteadyTime, isLast: Bool = false) {
    clientLog.tick(at: now, isLast: isLast)
  }

  /// Notes that a connection was refused.
  func noteRefused(_ address: PeerAddress, _ reason: Transport.Refusal) {
    clientLog.noteRefused(address, reason)
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
