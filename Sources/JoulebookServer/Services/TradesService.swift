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

  private struct State {
    var requests: [TradesRequest] = []
    var answers: [Answer] = []
  }

  private let openLedger: @Sendable () throws(LedgerError) -> any Ledger
  private let wake: @Sendable () -> Void
  /// Number of attempts to open the ledger for the first time, and the pause between two, ns.
  private static let (attempts, pauseNanoseconds) = (200, UInt64(50_000_000))

  private let log: Logger
  private let state = Mutex(State())
  private let doorbell = Doorbell()
  private let hasRequests = Atomic<Bool>(false)
  private let hasAnswers = Atomic<Bool>(false)
  private let isEnding = Atomic<Bool>(false)
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
    (self.openLedger, self.wake, self.log) = (openLedger, wake, log)
  }

  /// Queues a request. Its answer is returned by `takeAnswers` after a wake.
  func ask(_ request: TradesRequest) {
    state.withLock { $0.requests.append(request) }
    hasRequests.store(true, ordering: .releasing)
    doorbell.ring()
  }

  /// Whether answers are ready.
  var hasAnswered: Bool { hasAnswers.load(ordering: .relaxed) }

  /// Removes and returns the answers that are ready, in the order of the requests.
  func takeAnswers() -> [Answer] {
    // Pairs with the release in `work`; the lock orders the answers.
    guard hasAnswers.exchange(false, ordering: .acquiring) else { return [] }
    return state.withLock { state in
      defer { state.answers = [] }
      return state.answers
    }
  }

  func end() {
    isEnding.store(true, ordering: .releasing)
    doorbell.ring()
  }

  func run() {
    while !isEnding.load(ordering: .acquiring) {
      _ = doorbell.wait {
        hasRequests.load(ordering: .acquiring) || isEnding.load(ordering: .acquiring)
      }
      work()
    }
  }

  /// Answers all queued requests, unless the service ends.
  private func work() {
    var ledger: (any Ledger)?
    if !hasOpened.load(ordering: .relaxed) { awaitLedger() }
    while !isEnding.load(ordering: .acquiring),
      hasRequests.exchange(false, ordering: .sequentiallyConsistent)
    {
      let requests = state.withLock { state in
        defer { state.requests = [] }
        return state.requests
      }
      for request in requests where !isEnding.load(ordering: .relaxed) {
        let answer = answer(request, &ledger)
        state.withLock { $0.answers.append((request, answer)) }
        hasAnswers.store(true, ordering: .releasing)
        wake()
      }
    }
    close(ledger)
  }

  /// Waits until settlement has opened the ledger since the start; 10 s at most.
  private func awaitLedger() {
    for _ in 0..<Self.attempts where !isEnding.load(ordering: .acquiring) {
      do throws(LedgerError) {
        try openLedger().close()
        break
      } catch {
        _ = doorbell.wait(timeoutNanoseconds: Self.pauseNanoseconds) {
          isEnding.load(ordering: .acquiring)
        }
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
