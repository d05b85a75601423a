/// The errors of a ledger. Each case has one remedy.
public enum LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The ledger cannot be reached or is busy; nothing was changed.
  case unavailable(String)
  /// A commit failed with an error; it may or may not have taken effect.
  case ambiguous(String)
  /// Another process writes to this ledger.
  case inUse(String)
  /// The store is no ledger of this program, or has another shard or other batch rules.
  case incompatible(String)
  /// Stored data cannot be read.
  case corrupt(String)
  /// The ledger refuses the content of a batch.
  case contentRejected(batch: UInt64, reason: String)
  /// The hash chains of the ledger and the journal differ.
  case chainMismatch(batch: UInt64, reason: String)
  /// The batch does not follow the ledger's head.
  case outOfOrder(batch: UInt64, expected: UInt64)

  /// How the settler handles an error.
  public enum Remedy: Sendable, Equatable {
    /// Repeat the call later.
    case retry
    /// Connect again, read the head and continue from there.
    case reconnect
    /// Stop settlement until an operator has intervened.
    case halt
  }

  /// How the settler handles this error.
  public var remedy: Remedy {
    switch self {
    // Another process that has the ledger will close it.
    case .unavailable, .inUse: .retry
    case .ambiguous: .reconnect
    case .incompatible, .corrupt, .contentRejected, .chainMismatch, .outOfOrder: .halt
    }
  }

  /// The problem and its remedy, in one or two sentences.
  public var description: String {
    switch self {
    case .unavailable(let what): "the ledger is unavailable: \(what)"
    case .ambiguous(let what): "the outcome of a commit is unknown: \(what)"
    case .inUse(let what): "the ledger is in use: \(what)"
    case .incompatible(let what): "the ledger cannot be used: \(what)"
    case .corrupt(let what): "the ledger is damaged: \(what)"
    case .contentRejected(let batch, let reason):
      "the ledger refuses batch \(batch): \(reason); settlement stops, since no batch may be "
        + "skipped"
    case .chainMismatch(let batch, let reason):
      "the chains differ at batch \(batch): \(reason); nothing was changed"
    case .outOfOrder(let batch, let expected):
      "batch \(batch) was offered, but batch \(expected) is next"
    }
  }
}
