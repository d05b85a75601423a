import Glibc
import MarketModel

/// Appends commands to a journal, block by block. Owned by one thread: the journal thread, or a
/// caller that writes a journal without one (an import, a test).
public struct JournalAppender: ~Copyable {
  /// Default size of new segments: 64 MiB.
  public static let usualSegmentBytes = 64 << 20

  /// The last durable sequence number.
  public private(set) var durable: SequenceNumber

  private let lock: DirectoryLock
  private let shard: UInt32
  private let segmentBytes: Int
  let preparer: SegmentPreparer
  private let epoch: UInt64
  private var buffer = BlockBuffer()
  private var file: SegmentFile?
  private var size = 0
  private var offset = 0
  private var hash: BlockHash
  /// Sequence number and time of the last command staged.
  private var last: SequenceNumber
  private var time: Timestamp
  /// Whether a seal is useful: the last block contains commands.
  private var sealable: Bool

  /// Continues after a recovered journal, in a new epoch.
  /// - Parameters:
  ///   - lock: Excludes other processes as long as this exists.
  ///   - recovered: The result of `Recovery.recover` in the same directory.
  ///   - segmentBytes: Size of new segments; a multiple of 4096, at least 8192.
  ///   - isStepped: Prepares the next segment on this thread when it is needed, instead of on a
  ///     second thread.
  /// - Throws: `system` if the segment cannot be opened.
  public init(
    _ lock: DirectoryLock, _ recovered: RecoveredJournal, shard: UInt32 = 0,
    segmentBytes: Int = usualSegmentBytes, isStepped: Bool = false
  ) throws(JournalError) {
    precondition(
      recovered.directory == lock.directory, "the lock is that of the journal's directory")
    precondition(
      segmentBytes >= 2 * BlockHeader.alignment && segmentBytes % BlockHeader.alignment == 0,
      "a segment of \(segmentBytes) bytes does not hold whole blocks")
    (self.lock, self.shard, self.segmentBytes) = (lock, shard, segmentBytes)
    epoch = recovered.chain.epoch + 1
    hash = recovered.chain.hash ?? .genesis
    (durable, last, time) = (recovered.lastSequence, recovered.lastSequence, recovered.lastTime)
    sealable = false
    if let path = recovered.segmentPath {
      let opened = try SegmentFile(opening: path, for: .writing, on: lock.disk)
      (size, offset) = (opened.size, recovered.appendOffset)
      file = consume opened
      sealable = offset > 0 && !recovered.isSealed
    }
    preparer = SegmentPreparer(lock, bytes: segmentBytes, isStepped: isStepped)
    invariant(offset % BlockHeader.alignment == 0, "the journal continues at a block boundary")
    invariant(offset <= size, "the journal continues within the segment")
    invariant(epoch > recovered.chain.epoch, "each run of the server has a new epoch")
  }

  deinit {
    preparer.stop()
  }

  /// Number of bytes left in the present segment.
  var left: Int {
    invariant(offset <= size, "the end is within the segment")
    return size - offset
  }

  /// Whether a block can be written without waiting for a segment.
  var hasPlace: Bool { offset < size || preparer.isReady }

  /// Prepares the next segment if it is needed; for a stepped appender.
  /// - Returns: `false` if there is no space for the next block, because the disk is full.
  /// - Throws: `system` if preparing failed.
  mutating func prepare() throws(JournalError) -> Bool {
    let isPrepared = try preparer.prepare()
    return isPrepared || offset < size
  }

  /// Whether no command is staged.
  public var isEmpty: Bool { buffer.count == 0 }

  /// Adds a command to the block under construction.
  /// - Returns: `false` if the block is full; call `commit` first.
  /// - Precondition: it has the next sequence number, and a time not before the last command's.
  public mutating func stage(_ command: Command) -> Bool {
    precondition(
      command.sequence.rawValue == last.rawValue + 1 && command.time >= time,
      "command \(command.sequence.rawValue) does not follow command \(last.rawValue)")
    let free = offset == size ? segmentBytes : size - offset
    invariant(free >= BlockHeader.alignment, "at least one page is free at each block boundary")
    guard buffer.stage(command, limit: free) else { return false }
    (last, time) = (command.sequence, command.time)
    invariant(
      UInt64(buffer.count) == last.rawValue - durable.rawValue,
      "exactly the commands that are not durable are staged")
    return true
  }

  /// Writes the staged commands as one block and syncs it; does nothing if none is staged.
  /// - Returns: the last durable sequence number.
  /// - Throws: `system`, after which nothing more may be written: the content of the file is
  ///   unknown.
  public mutating func commit() throws(JournalError) -> SequenceNumber {
    guard !isEmpty else { return durable }
    invariant(last > durable, "staged commands follow the durable ones")
    if offset == size { try roll() }
    try writeBlock()
    invariant(isEmpty, "no command is staged after the block was written")
    durable = last
    sealable = true
    return durable
  }

  /// Stages and commits `commands`.
  /// - Throws: as `commit`.
  public mutating func append(_ commands: [Command]) throws(JournalError) {
    for command in commands where !stage(command) {
      _ = try commit()
      let staged = stage(command)
      precondition(staged, "a command fits into an empty block")
    }
    _ = try commit()
    invariant(durable == last && isEmpty, "every appended command is durable")
  }

  /// Commits, then writes an empty block that contains the last durable sequence number, so that
  /// damage to the block before can never be mistaken for a torn write. Called at an orderly end.
  /// - Throws: as `commit`.
  public mutating func seal() throws(JournalError) {
    _ = try commit()
    invariant(isEmpty && durable == last, "every command is durable before the seal")
    try restoreName()
    guard sealable, offset < size else { return }
    try writeBlock()
    sealable = false
    invariant(durable == last, "a seal contains no command")
  }

  private mutating func writeBlock() throws(JournalError) {
    let block = buffer.finish(
      shard: shard, epoch: epoch, first: SequenceNumber(durable.rawValue + 1), committed: durable,
      time: time, previous: hash)
    invariant(offset % BlockHeader.alignment == 0, "the journal ends at a block boundary")
    invariant(file != nil && offset + block.bytes.count <= size, "a block is within its segment")
    invariant(block.hash != hash, "a block differs from the one before")
    try file?.write(block.bytes, at: offset)
    try file?.sync()
    hash = block.hash
    offset += block.bytes.count
    invariant(offset <= size, "a block ends within its segment")
  }

  /// Makes the prepared segment the present one. It is already open, so no descriptor is needed.
  private mutating func roll() throws(JournalError) {
    invariant(offset == size, "only a full segment is replaced")
    try restoreName()
    while true {
      var next = try preparer.take()
      // Nothing is written to a file that has lost its name, because its content would vanish with
      // this process.
      guard try next.name(first: SequenceNumber(durable.rawValue + 1), by: lock) else {
        preparer.discard()
        continue
      }
      preparer.renew()
      (size, offset) = (next.size, 0)
      file = consume next
      break
    }
    invariant(size == segmentBytes, "a prepared segment has the configured size")
  }

  /// The present segment contains acknowledged commands. If its name was removed or given to
  /// another file, the segment is copied under its name before the next one begins.
  private mutating func restoreName() throws(JournalError) {
    // If the directory was replaced by another one, nothing is changed there.
    guard file?.isNamed(by: lock) == false, lock.isInPlace else { return }
    let message =
      "joulebook: journal: ALARM: the present segment was removed or replaced while in use; it is "
      + "restored from the open file\n"
    _ = Array(message.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    let unnamed = lock.directory + "/next.copy"
    if let copy = try file?.copied(through: unnamed, by: lock) { file = consume copy }
  }
}
