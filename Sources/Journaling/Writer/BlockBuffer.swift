import MarketModel

/// A block under construction: commands are staged, then completed with a header. One memory serves
/// all blocks. Owned by one thread.
struct BlockBuffer: ~Copyable {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var count = 0
  private var length = 0

  init() {
    memory = .allocate(byteCount: BlockHeader.largestBlock, alignment: BlockHeader.alignment)
    memory.initializeMemory(as: UInt8.self, repeating: 0)
    invariant(memory.count % BlockHeader.alignment == 0, "a block buffer consists of whole pages")
  }

  deinit {
    memory.deallocate()
  }

  /// Adds a command.
  /// - Parameter limit: Maximum length of the block including its header, in bytes.
  /// - Returns: `false` if the command does not fit; nothing was added.
  @inline(__always)
  mutating func stage(_ command: Command, limit: Int) -> Bool {
    guard let base = memory.baseAddress else { return false }
    let needed = CommandCodec.recordLength(of: command.body)
    guard BlockHeader.size + length + needed <= min(limit, memory.count) else {
      return false
    }
    let written = CommandCodec.encode(command, into: base + BlockHeader.size + length)
    invariant(written == needed, "a record has the computed length")
    length += written
    count += 1
    invariant(BlockHeader.size + length <= memory.count, "records are within the block")
    return true
  }

  /// Completes the block and empties the buffer.
  /// - Returns: the block with padding, valid until the next command is staged, and its hash.
  mutating func finish(
    shard: UInt32, epoch: UInt64, first: SequenceNumber, committed: SequenceNumber,
    time: Timestamp, previous: BlockHash
  ) -> (bytes: UnsafeRawBufferPointer, hash: BlockHash) {
    let content = BlockHeader.size + length
    let bytes = BlockHeader.blockBytes(payload: length)
    invariant(committed < first, "a block begins after the durable commands")
    invariant(epoch > 0, "a block has the epoch of a run")
    invariant(count > 0 || length == 0, "a seal is empty")
    invariant(content <= bytes && bytes <= memory.count, "a block fits into its buffer")
    let payload = UnsafeRawBufferPointer(rebasing: memory[BlockHeader.size..<content])
    let header = BlockHeader(
      shard: shard, epoch: epoch, firstSequence: first, count: UInt32(count),
      length: UInt32(length), time: time, committed: committed, previous: previous,
      payloadChecksum: CRC32C.checksum(payload))
    if let base = memory.baseAddress { header.write(to: base) }
    memory[content..<bytes].initializeMemory(as: UInt8.self, repeating: 0)
    (count, length) = (0, 0)
    return (
      UnsafeRawBufferPointer(rebasing: memory[..<bytes]),
      BlockHash(of: UnsafeRawBufferPointer(rebasing: memory[..<content]))
    )
  }
}
