import Journaling
import MarketModel

/// The log that the configuration selects. It is a struct that contains the known logs rather than
/// an existential, so that a call tests one flag and inlines the log's code.
struct ConfiguredLog: ~Copyable, CommitLog {
  private var local: LocalLog?
  private var none: NoLog

  /// Selects the journal on this machine's disk.
  init(_ log: consuming LocalLog) {
    local = consume log
    none = NoLog(after: .none)
  }

  /// Selects the log that keeps nothing.
  init(_ log: NoLog) {
    local = nil
    none = log
  }

  var durable: SequenceNumber {
    switch local {
    case .some(let local): local.durable
    case nil: none.durable
    }
  }

  var headroom: DiskHeadroom {
    switch local {
    case .some(let local): local.headroom
    case nil: none.headroom
    }
  }

  var obstacle: JournalError? {
    switch local {
    case .some(let local): local.obstacle
    case nil: none.obstacle
    }
  }

  var isHindered: Bool {
    switch local {
    case .some(let local): local.isHindered
    case nil: none.isHindered
    }
  }

  var progress: (any CommitProgress)? {
    switch local {
    case .some(let local): local.progress
    case nil: none.progress
    }
  }

  @inline(__always) mutating func hasCapacity(for count: Int) -> Bool {
    local?.hasCapacity(for: count) ?? none.hasCapacity(for: count)
  }

  @inline(__always) mutating func append(_ command: borrowing Command) {
    if local?.append(command) == nil { none.append(command) }
  }

  mutating func endTurn() { local?.endTurn() }
  mutating func close() { local?.close() }
}
