// Fills the history of accounts behind the ledger (`history: on`, or `joulebook settle --history`):
//
//     ledger, opened for reading ─▶ chunks of 25,000 transfers ─▶ history.sqlite ─▶ statements
//
// It reads what settlement has committed and writes a file of its own, so neither settlement nor the
// exchange waits for it. A history that lags, or is gone, makes statements slower and nothing else.

import AccountHistory
import Logging
import Rings
import Settlement
import Synchronization

/// Fills the history of accounts. `run` is the body of a thread; all other methods may be called from
/// any thread.
final class HistoryService: Service {
  /// The lag of a server that fills no history, or has not yet looked.
  static let noLag = UInt64.max

  /// Pause between two looks at a ledger without a further chunk, and before another attempt to read
  /// it, ns.
  private static let pauseNanoseconds: UInt64 = 500_000_000
  private static let retryNanoseconds: UInt64 = 4_000_000_000

  private let path: String
  private let openLedger: @Sendable () throws(LedgerError) -> any Ledger
  private let log: Logger
  private let doorbell = Doorbell()
  private let isEnding = Atomic<Bool>(false)
  private let behind = Atomic<UInt64>(HistoryService.noLag)
  /// Whether the last attempt failed; the service's thread alone uses it.
  private let isAway = Atomic<Bool>(false)

  let name = "history"
  let priority = ServiceThread.Priority.background

  /// - Parameters:
  ///   - path: Path of the history.
  ///   - openLedger: Opens the ledger for reading. Called on the service's thread.
  init(
    path: String, openLedger: @escaping @Sendable () throws(LedgerError) -> any Ledger, log: Logger
  ) {
    (self.path, self.openLedger, self.log) = (path, openLedger, log)
  }

  /// The transfers that the ledger had and the history lacked at the last look; `noLag` before the
  /// first.
  var lag: UInt64 { behind.load(ordering: .relaxed) }

  func end() {
    isEnding.store(true, ordering: .releasing)
    doorbell.ring()
  }

  func run() {
    while !isOver {
      do throws(LedgerError) {
        try follow()
      } catch {
        // Before the first batch there is no ledger to read; settlement makes it.
        if !isAway.exchange(true, ordering: .relaxed) {
          log.notice("the history of accounts waits", metadata: ["reason": "\(error)"])
        }
        pause(Self.retryNanoseconds)
      }
    }
  }

  /// Fills until it is told to end, or the ledger cannot be read.
  private func follow() throws(LedgerError) {
    let ledger = try openLedger()
    do throws(LedgerError) {
      let history = try AccountHistory(path: path)
      while !isOver {
        let added = try history.fill(from: ledger)
        let (head, extent) = (try ledger.head(), try history.extent())
        behind.store(
          head.transfers - min(head.transfers, extent.transfer), ordering: .relaxed)
        if isAway.exchange(false, ordering: .relaxed) {
          log.notice("the history of accounts is filled again")
        }
        if added == 0 { pause(Self.pauseNanoseconds) }
      }
    } catch {
      try? ledger.close()
      throw error
    }
    try ledger.close()
  }

  private var isOver: Bool { isEnding.load(ordering: .acquiring) }

  private func pause(_ nanoseconds: UInt64) {
    _ = doorbell.wait(timeoutNanoseconds: nanoseconds) { isOver }
  }
}
