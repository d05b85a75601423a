/// What can go wrong between the settler and a ledger. Each case has one remedy.
public enum LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The ledger cannot be reached or is busy; nothing was changed.
  case unavailable(String)
  /// A commit was answered with an error: it may have taken effect or not.
  case ambiguous(String)
  /// Another process writes to this ledger.
  case inUse(String)
  /// Not a ledger of this program, or made for another shard or by other batch rules.
  case incompatible(String)
  /// What is stored cannot be read.
  case corrupt(String)
  /// The ledger refuses what a batch says.
  case contentRejected(batch: UInt64, reason: String)
  /// The ledger's chain and the journal's differ.
  case chainMismatch(batch: UInt64, reason: String)
  /// A batch that is not the one after the ledger's head.
  case outOfOrder(batch: UInt64, expected: UInt64)

  /// What the settler does about an error.
  public enum Remedy: Sendable, Equatable {
    /// Try the same again later.
    case retry
    /// Connect again, read the head, then go on from there.
    case reconnect
    /// Touch nothing; an operator must look.
    case halt
  }

  /// What the settler does about it.
  public var remedy: Remedy {
    switch self {
    // Whoever has it will let it go.
    case .unavailable, .inUse: .retry
    case .ambiguous: .reconnect
    case .incompatible, .corrupt, .contentRejected, .chainMismatch, .outOfOrder: .halt
    }
  }

  /// What happened and what to do about it, in a sentence or two.
  public var description: String {
    switch self {
    case .unavailable(let what): "the ledger is unavailable: \(what)"
    case .ambiguous(let what): "the outcome of a commit is unknown: \(what)"
    case .inUse(let what): "the ledger is in use: \(what)"
    case .incompatible(let what): "the ledger does not fit: \(what)"
    case .corrupt(let what): "the ledger is damaged: \(what)"
    case .contentRejected(let batch, let reason):
      "the ledger refuses batch \(batch): \(reason); settlement stops here, no batch is skipped"
    case .chainMismatch(let batch, let reason):
      "the chains differ at batch \(batch): \(reason); nothing was changed"
    case .outOfOrder(let batch, let expected):
      "batch \(batch) was offered where batch \(expected) is due"
    }
  }
}
