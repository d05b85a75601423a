// The genesis of a ledger's hash chain. All integers are little-endian.
//
//   offset size field
//        0    8 "JBLEDGER"
//        8    2 format version, 1
//       10    2 shard
//       12    4 transfers at which a batch closes
//       16    8 nanoseconds of market time after which a batch closes
//
// The SHA-256 of these bytes is the `previous` of batch 1, so other batch rules or another shard
// give a different chain from the first batch on.

/// The rules that close a batch. A batch closes at the end of a command and depends on the journal
/// only, so that every replay gives equal batches.
public struct BatchRules: Sendable, Hashable {
  /// The batch closes at the end of the command that brings it to this number of transfers. At
  /// least 1.
  public var transfers: UInt32
  /// The batch closes at the end of the first command that comes this long after the batch's first
  /// transfer, ns of market time.
  public var nanoseconds: UInt64

  /// Batch rules; by default 10,000 transfers or 60 s.
  public init(transfers: UInt32 = 10_000, nanoseconds: UInt64 = 60_000_000_000) {
    precondition(transfers > 0, "a batch closes after at least one transfer")
    (self.transfers, self.nanoseconds) = (transfers, nanoseconds)
  }
}

/// The shard and the batch rules of a ledger. They are stored when it is created and never change.
public struct LedgerGenesis: Sendable, Hashable, CustomStringConvertible {
  /// The shard whose journal the ledger settles.
  public var shard: UInt16
  /// The rules that close its batches.
  public var rules: BatchRules

  /// The genesis of a ledger of `shard` with these batch rules.
  public init(shard: UInt16 = 0, rules: BatchRules = BatchRules()) {
    (self.shard, self.rules) = (shard, rules)
  }

  /// The genesis as text, with the names of the configuration keys.
  public var description: String {
    "settlement.transfers \(rules.transfers), settlement.nanoseconds \(rules.nanoseconds)"
      + (shard == 0 ? "" : ", shard \(shard)")
  }

  /// The `previous` hash of batch 1.
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
