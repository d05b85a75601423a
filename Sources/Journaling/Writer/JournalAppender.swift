import Glibc
import MarketModel

/// Appends commands to a journal, block by block. Owned by one thread: the journal thread, or whoever
/// writes a journal without one (an import, a test).
public struct JournalAppender: ~Copyable {
  /// Size of new segments unless told otherwise: 64 MiB.
  public static let usualSegmentBytes = 64 << 20

  /// Last sequence number that is durable.
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
  /// Whether a seal would guard something: the last block holds commands.
  private var sealable: Bool

  /// Goes on behind a recovered journal, in a new epoch.
  /// - Parameters:
  ///   - lock: Keeps others away as long as this exists.
  ///   - recovered: What `Recovery.recover` found in the same directory.
  ///   - segmentBytes: Size of new segments; a multiple of 4096, at least 8192.
  ///   - isStepped: The next segment is prepared when it is due, on this thread, and not beside it.
  /// - Throws: `system` when the segment cannot be opened.
  public init(
    _ lock: DirectoryLock, _ recovered: RecoveredJournal, shard: UInt32 = 0,
    segmentBytes: Int = usualSegmentBytes, isStepped: Bool = false
  ) throws(JournalError) {
    precondition(recovered.directory == lock.directory, "the lock of another directory")
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
    invariant(offset % BlockHeader.alignment == 0, "goes on where a block may begin")
    invariant(offset <= size, "goes on within the segment")
    invariant(epoch > recovered.chain.epoch, "each run of the server has an epoch of its own")
  }

  deinit {
    preparer.stop()
  }

  /// Bytes left in the present segment.
  var left: Int {
    invariant(offset <= size, "an end within the segment")
    return size - offset
  }

  /// Whether a block can be written without waiting for a segment.
  var hasPlace: Bool { offset < size || preparer.isReady }

  /// Prepares the next segment if it is due; for one that is stepped.
  /// - Returns: `false` when the next block has no place: the disk has no room.
  /// - Throws: `system` when that failed.
  mutating func prepare() throws(JournalError) -> Bool {
    let isPrepared = try preparer.prepare()
    return isPrepared || offset < size
  }

  /// Whether nothing is staged.
  public var isEmpty: Bool { buffer.count == 0 }

  /// Adds a command to the block in the making.
  /// - Returns: `false` when the block is full: `commit` first.
  /// - Precondition: it carries the next sequence number, and a time not before the last one's.
  public mutating func stage(_ command: Command) -> Bool {
    precondition(
      command.sequence.rawValue == last.rawValue + 1 && command.time >= time,
      "command \(command.sequence.rawValue) does not follow command \(last.rawValue)")
    let room = offset == size ? segmentBytes : size - offset
    invariant(room >= BlockHeader.alignment, "room for a block wherever one begins")
    guard buffer.stage(command, limit: room) else { return false }
    (last, time) = (command.sequence, command.time)
    invariant(
      UInt64(buffer.count) == last.rawValue - durable.rawValue, "staged is what is not durable")
    return true
  }

  /// Writes the staged commands as one block and makes it durable; nothing when none is staged.
  /// - Returns: The last durable sequence number.
  /// - Throws: `system`, after which nothing more may be written: what the file holds is unknown.
  public mutating func commit() throws(JournalError) -> SequenceNumber {
    guard !isEmpty else { return durable }
    invariant(last > durable, "commands staged behind what is durable")
    if offset == size { try roll() }
    try writeBlock()
    invariant(isEmpty, "nothing staged behind the block that was written")
    durable = last
    sealable = true
    return durable
  }

  /// Stages and commits `commands`.
  /// - Throws: like `commit`.
  public mutating func append(_ commands: [Command]) throws(JournalError) {
    for command in commands where !stage(command) {
      _ = try commit()
      let staged = stage(command)
      precondition(staged, "an empty block takes a command")
    }
    _ = try commit()
    invariant(durable == last && isEmpty, "everything that was appended is durable")
  }

  /// Commits, then writes an empty block that names the last durable command, so that damage to the
  /// block before can never pass for a torn write. Called on an orderly end.
  /// - Throws: like `commit`.
  public mutating func seal() throws(JournalError) {
    _ = try commit()
    invariant(isEmpty && durable == last, "everything durable before the seal")
    try keepName()
    guard sealable, offset < size else { return }
    try writeBlock()
    sealable = false
    invariant(durable == last, "a seal holds no command")
  }

  private mutating func writeBlock() throws(JournalError) {
    let block = buffer.finish(
      shard: shard, epoch: epoch, first: SequenceNumber(durable.rawValue + 1), committed: durable,
      time: time, previous: hash)
    invariant(offset % BlockHeader.alignment == 0, "an end where a block may begin")
    invariant(file != nil && offset + block.bytes.count <= size, "a block within its segment")
    invariant(block.hash != hash, "a block that is not the one before")
    try file?.write(block.bytes, at: offset)
    try file?.sync()
    hash = block.hash
    offset += block.bytes.count
    invariant(offset <= size, "the next block begins within the segment or in the next")
  }

  /// Makes the prepared segment the present one. Opens nothing: that was done when it was prepared.
  private mutating func roll() throws(JournalError) {
    invariant(offset == size, "a segment is left when it is full")
    try keepName()
    while true {
      var next = try preparer.take()
      // Never into a file that another has the name of: what it holds would be gone with this process.
      guard try next.name(first: SequenceNumber(durable.rawValue + 1), by: lock) else {
        preparer.discard()
        continue
      }
      preparer.renew()
      (size, offset) = (next.size, 0)
      file = consume next
      break
    }
    invariant(size == segmentBytes, "a prepared segment has its whole size")
  }

  /// What was acknowledged is in the segment that is open. Where its name was removed or given to another file,
  /// that is written anew before this one is left.
  private mutating func keepName() throws(JournalError) {
    // In another's folder nothing is touched.
    guard file?.isNamed(by: lock) == false, lock.isInPlace else { return }
    let message =
      "joulebook: journal: ALARM: the present segment was removed or replaced while it is "
      + "written; it is written anew from the file that is open\n"
    _ = Array(message.utf8).withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    let anew = lock.directory + "/next.copy"
    if let copy = try file?.written(anew: anew, by: lock) { file = consume copy }
  }
}
