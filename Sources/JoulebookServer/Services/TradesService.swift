// Reads trades of a period from the ledger for the lists of clients.
//
//     ask ─▶ requests ─▶ ledger, opened for reading ─▶ a page each ─▶ answers
//
// The ledger is open while requests wait, and closed then, so that it may be moved or replaced. A
// page reads a bounded number of entries in a transaction of its own. Neither the matching thread
// nor settlement waits for it. At a start, settlement makes or recovers the ledger while clients are
// served already; the first request waits for that.

import GatewayKit
import Logging
import MarketModel
import Rings
import Settlement
import Synchronization

/// Answers requests for trades from the ledger. `run` is the body of a thread; all other methods may
/// be called from any thread.
final class TradesService: Service {
  /// A request with its answer.
  typealias Answer = (request: TradesRequest, answer: TradesAnswer)

  /// Longest time for attempts to open the ledger for the first time, and the pause between two, ns.
  private static let patience = Duration.seconds(10)
  private static let pauseNanoseconds: UInt64 = 50_000_000

  private let openLedger: @Sendable () throws(LedgerError) -> any Ledger
  private let log: Logger
  private let queue: AnswerQueue<TradesRequest, Answer>
  /// Whether settlement has opened the ledger since the start; the service's thread alone uses it.
  private let hasOpened = Atomic<Bool>(false)
  /// Whether the ledger could not be read at the last request; likewise.
  private let isAway = Atomic<Bool>(false)

  let name = "trades"
  let priority = ServiceThread.Priority.background

  /// - Parameters:
  ///   - openLedger: Opens the ledger for reading. Called on the service's thread.
  ///   - wake: Wakes the I/O thread when answers are ready.
  init(
    openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger,
    wake: @escaping @Sendable () -> Void, log: Logger
  ) {
    (self.openLedger, self.log) = (openLedger, log)
    queue = AnswerQueue(wake: wake)
  }

  /// Queues a request. Its answer is returned by `takeAnswers` after a wake.
  func ask(_ request: TradesRequest) { queue.ask(request) }

  /// Whether answers are ready.
  var hasAnswered: Bool { queue.hasAnswered }

  /// Removes and returns the answers that are ready, in the order of the requests.
  func takeAnswers() -> [Answer] { queue.takeAnswers() }

  func end() { queue.end() }

  func run() {
    while !queue.isEnding {
      queue.awaitQuestion()
      work()
    }
  }

  /// Answers all queued requests, unless the service ends.
  private func work() {
    var ledger: (any Ledger)?
    if !hasOpened.load(ordering: .relaxed) { awaitLedger() }
    while !queue.isEnding, queue.isAsked {
      for request in queue.takeQuestions() where !queue.isEnding {
        queue.give([(request, answer(request, &ledger))])
      }
    }
    close(ledger)
  }

  /// Waits until settlement has opened the ledger since the start; 10 s at most.
  private func awaitLedger() {
    let since = ContinuousClock.now
    while !queue.isEnding, .now - since < Self.patience {
      do throws(LedgerError) {
        try openLedger().close()
        break
      } catch {
        queue.pause(nanoseconds: Self.pauseNanoseconds)
      }
    }
    hasOpened.store(true, ordering: .relaxed)
  }

  private func answer(_ request: TradesRequest, _ ledger: inout (any Ledger)?) -> TradesAnswer {
    do throws(LedgerError) {
      let open: any Ledger
      if let ledger { open = ledger } else { open = try openLedger() }
      ledger = open
      let page = try open.trades(request.query)
      if isAway.exchange(false, ordering: .relaxed) { log.notice("trades can be read again") }
      return .page(page)
    } catch {
      // Once, however often clients ask.
      if !isAway.exchange(true, ordering: .relaxed) {
        log.error("trades cannot be read from the ledger", metadata: ["error": "\(error)"])
      }
      close(ledger)
      ledger = nil
      return .unavailable
    }
  }

  private func close(_ ledger: (any Ledger)?) {
    do throws(LedgerError) {
      try ledger?.close()
    } catch {
      log.warning("the ledger could not be closed", metadata: ["error": "\(error)"])
    }
  }
}
