// What the chain of a ledger starts from. All integers little-endian.
//
//   offset size field
//        0    8 "JBLEDGER"
//        8    2 format version, 1
//       10    2 shard
//       12    4 transfers at which a batch closes
//       16    8 nanoseconds of market time after which a batch closes
//
// Its SHA-256 is the `previous` of batch 1: the same journal cut by other rules, or the journal of
// another shard, makes another chain from its first batch on.

/// When a batch closes: always at the end of a command, always by what the journal says, so that
/// every replay cuts the same batches.
public struct BatchRules: Sendable, Hashable {
  /// Closes at the end of the command that brings it to this many transfers. At least 1.
  public var transfers: UInt32
  /// Closes at the end of the first command that comes this much market time (in nanoseconds) after
  /// the first transfer of the batch.
  public var nanoseconds: UInt64

  /// Rules with these bounds.
  public init(transfers: UInt32 = 10_000, nanoseconds: UInt64 = 60_000_000_000) {
    precondition(transfers > 0, "a batch closes after at least one transfer")
    (self.transfers, self.nanoseconds) = (transfers, nanoseconds)
  }
}

/// What a ledger was made for; written when it is created, never changed.
public struct LedgerGenesis: Sendable, Hashable, CustomStringConvertible {
  /// Which shard's journal it settles.
  public var shard: UInt16
  /// How its batches are cut.
  public var rules: BatchRules

  /// A ledger of `shard`, cut by `rules`.
  public init(shard: UInt16 = 0, rules: BatchRules = BatchRules()) {
    (self.shard, self.rules) = (shard, rules)
  }

  /// What it is, for people: by the names that settings have.
  public var description: String {
    "settlement.transfers \(rules.transfers), settlement.nanoseconds \(rules.nanoseconds)"
      + (shard == 0 ? "" : ", shard \(shard)")
  }

  /// The previous hash of batch 1.
  public var hash: BatchHash {
    var bytes = CanonicalWriter(capacity: 24)
    bytes.append(ascii: "JBLEDGER")
    bytes.append(UInt16(1))
    bytes.append(shard)
    bytes.append(rules.transfers)
    bytes.append(rules.nanoseconds)
    return BatchHash(of: bytes.bytes)
  }
}
