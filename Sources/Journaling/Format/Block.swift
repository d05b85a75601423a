import MarketModel

/// A whole, checked block, as a `BlockReader` hands it out.
public struct Block {
  /// Its header.
  public let header: BlockHeader
  /// Its records, valid until the reader is asked for the next block.
  public let payload: UnsafeRawBufferPointer
  /// The file it lies in.
  public let path: String
  /// Where it begins there.
  public let offset: Int
  /// Its hash; `nil` when hashes are not verified.
  public let hash: BlockHash?

  /// Its commands, decoded; before the reader is asked for the next block.
  /// - Throws: what is wrong with the first that is not a command, or with their number or times.
  public func commands() throws(BlockDefect) -> [Command] {
    var commands: [Command] = []
    commands.reserveCapacity(Int(header.count))
    var records = BlockRecords(self, notBefore: Timestamp(nanoseconds: 0))
    while let command = try records.next() { commands.append(command) }
    invariant(commands.count == Int(header.count), "as many commands as the header says")
    invariant(
      commands.last.map { $0.sequence == header.lastSequence } ?? true,
      "the last command is the one that the header ends with")
    return commands
  }
}

/// Steps through the records of a block. Valid as long as the block's payload.
struct BlockRecords {
  private let payload: UnsafeRawBufferPointer
  private let last: SequenceNumber
  private let lastTime: Timestamp
  private var offset = 0
  /// Sequence number of the next command.
  private(set) var due: SequenceNumber
  /// Time of the command before.
  private(set) var time: Timestamp

  /// The records of `block`, none of which may be earlier than `notBefore`.
  init(_ block: Block, notBefore: Timestamp) {
    payload = block.payload
    (due, last) = (block.header.firstSequence, block.header.lastSequence)
    (time, lastTime) = (notBefore, block.header.time)
    invariant(payload.count == Int(block.header.length), "a payload as long as the header says")
    invariant(notBefore <= lastTime, "blocks in the order of their times")
    invariant(due.rawValue <= last.rawValue + 1, "a block that ends no earlier than it begins")
  }

  /// The next command; `nil` behind the last.
  mutating func next() throws(BlockDefect) -> Command? {
    guard due <= last else {
      invariant(offset == payload.count, "nothing of the payload is left over")
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
    invariant(offset <= payload.count && offset % 8 == 0, "records one behind the other")
    time = command.time
    due = SequenceNumber(due.rawValue + 1)
    return command
  }
}
