import MarketModel

/// A complete, verified block, as returned by a `BlockReader`.
public struct Block {
  /// The header.
  public let header: BlockHeader
  /// The records; valid until the reader's next call.
  public let payload: UnsafeRawBufferPointer
  /// Path of the file that contains it.
  public let path: String
  /// Its offset in that file.
  public let offset: Int
  /// Its hash; `nil` if hashes are not verified.
  public let hash: BlockHash?

  /// Decodes its commands; must be called before the reader's next call.
  /// - Throws: the defect of the first record that is not a valid command, or of their number or
  ///   times.
  public func commands() throws(BlockDefect) -> [Command] {
    var commands: [Command] = []
    commands.reserveCapacity(Int(header.count))
    var records = BlockRecords(self, notBefore: Timestamp(nanoseconds: 0))
    while let command = try records.next() { commands.append(command) }
    invariant(
      commands.count == Int(header.count), "the payload has the header's number of commands")
    invariant(
      commands.last.map { $0.sequence == header.lastSequence } ?? true,
      "the last command has the header's last number")
    return commands
  }
}

/// Iterates over the records of a block. Valid as long as the block's payload.
struct BlockRecords {
  private let payload: UnsafeRawBufferPointer
  private let last: SequenceNumber
  private let lastTime: Timestamp
  private var offset = 0
  /// Sequence number of the next command.
  private(set) var due: SequenceNumber
  /// Time of the previous command.
  private(set) var time: Timestamp

  /// The records of `block`, none of which may have a time before `notBefore`.
  init(_ block: Block, notBefore: Timestamp) {
    payload = block.payload
    (due, last) = (block.header.firstSequence, block.header.lastSequence)
    (time, lastTime) = (notBefore, block.header.time)
    invariant(payload.count == Int(block.header.length), "the payload has the header's length")
    invariant(notBefore <= lastTime, "the times of blocks never fall")
    invariant(due.rawValue <= last.rawValue + 1, "a block does not end before it begins")
  }

  /// The next command; `nil` after the last.
  mutating func next() throws(BlockDefect) -> Command? {
    guard due <= last else {
      invariant(offset == payload.count, "the records fill the payload")
      return nil
    }
    let start = offset
    let command: Command
    do throws(CommandCodec.Failure) {
      command = try CommandCodec.decode(payload, at: &offset, sequence: due)
    } catch {
      throw .undecodable(due, error)
    }
    let isOrdered = command.time >= time && command.time <= lastTime
    guard isOrdered, due < last || offset == payload.count && command.time == lastTime else {
      offset = start
      throw .wrongContents
    }
    invariant(offset <= payload.count && offset % 8 == 0, "records are adjacent and aligned")
    time = command.time
    due = SequenceNumber(due.rawValue + 1)
    return command
  }
}
