import MarketModel

/// A position between two blocks of a journal, and what the next block must connect to. A value.
public struct BlockChain: Sendable, Hashable {
  /// First sequence number of the next block.
  public internal(set) var next: SequenceNumber
  /// Hash of the previous block; `nil` if unknown, at the start of a segment in the middle.
  public internal(set) var hash: BlockHash?
  /// Epoch of the previous block; 0 before the first.
  public internal(set) var epoch: UInt64 = 0
  /// Time of the previous block.
  public internal(set) var time = Timestamp(nanoseconds: 0)
  /// Shard of the previous block; `nil` before the first.
  public internal(set) var shard: UInt32?

  /// The position before the block that starts with `next`.
  init(next: SequenceNumber, shard: UInt32? = nil) {
    invariant(next > .none, "the first block begins with command 1")
    self.next = next
    self.shard = shard
    hash = next == SequenceNumber(1) ? .genesis : nil
    invariant(next.rawValue < 1 << 63, "the sequence number fits into a block")
  }

  /// Sequence number of the last command; `.none` before the first.
  public var last: SequenceNumber { SequenceNumber(next.rawValue - 1) }

  /// Checks that a block may follow at this position.
  func check(_ header: BlockHeader, hashes: Bool) throws(BlockDefect) {
    invariant(epoch > 0 || shard == nil, "a chain with a shard has an epoch")
    if let shard, header.shard != shard { throw .foreignShard(header.shard) }
    guard header.firstSequence == next else { throw .wrongSequence(found: header.firstSequence) }
    guard header.epoch >= epoch, header.time >= time else { throw .goesBack }
    if hashes, let hash, header.previous != hash { throw .brokenChain }
  }

  /// Moves after the block. `hash` is the block's hash; `nil` if it was not computed.
  mutating func pass(_ header: BlockHeader, hash: BlockHash?) {
    invariant(header.firstSequence == next, "blocks are passed in order")
    invariant(header.time >= time && header.epoch >= epoch, "time and epoch never fall")
    invariant(shard == nil || header.shard == shard, "a journal has one shard")
    next = SequenceNumber(next.rawValue + UInt64(header.count))
    invariant(last == header.lastSequence, "the chain ends with the last command of its last block")
    (epoch, time, shard) = (header.epoch, header.time, header.shard)
    self.hash = hash
  }
}
