import MarketModel

/// Reads a journal command by command, in order: all of it, or behind the server that writes it.
/// Owned by one thread. In the place of a refused command it gives one that does nothing
/// (`RefusedCommand.standIn`), unless it reads what is written.
///
/// A follower asks with the writer's durable sequence number, and asks again when that has grown:
///
///     while let command = try reader.next(through: writer.durable) { exchange.apply(...) }
public struct JournalReader: ~Copyable {
  /// Sequence number of the command that `next` returns next.
  public private(set) var position: SequenceNumber

  private let directory: String
  private var blocks: BlockReader
  private var records: BlockRecords?
  private var place: (path: String, offset: Int) = ("", 0)
  /// The refused commands; `nil`: what is written is read.
  private let refused: RefusedCommands?
  /// The next of them; the highest number behind the last.
  private var nextRefused: UInt64
  /// What is wrong with the list of them.
  private var mismatch: JournalError?

  /// A reader that begins with the command `first`.
  /// - Parameter asWritten: Refused commands are read like all others: to show them.
  /// - Throws: `tooEarly` when the journal begins later; `system` when it cannot be listed;
  ///   `badRefusals` when the list of refused commands cannot be used.
  public init(
    directory: String, from first: SequenceNumber = SequenceNumber(1),
    verification: Verification = .hashes, disk: any Disk = SystemDisk(), asWritten: Bool = false
  ) throws(JournalError) {
    precondition(first > .none, "the first command has sequence number 1")
    let list = try Self.list(directory, disk, asWritten)
    let blocks = try BlockReader(
      directory: directory, from: first, verification: verification, disk: disk)
    invariant(blocks.chain.next <= first, "read from no later than what was asked for")
    self.directory = directory
    position = first
    (refused, nextRefused) = (list, list?.next(from: first) ?? .max)
    self.blocks = blocks
  }

  /// The next command.
  /// - Parameter bound: While a server writes: a sequence number known to be durable, beyond which
  ///   nothing is read. `nil`: read to the end of a journal nobody writes.
  /// - Returns: `nil` behind `bound` or at the end.
  /// - Throws: `corrupt` for a damaged block, a torn tail included; `system` when a file cannot be
  ///   read; `badRefusals` for a command that is not what was refused. The reader stays where it is.
  public mutating func next(
    through bound: SequenceNumber? = nil
  ) throws(JournalError) -> Command? {
    if let mismatch { throw mismatch }
    if let bound, position > bound { return nil }
    while true {
      if let command = try nextRecord() {
        guard command.sequence >= position else { continue }
        invariant(command.sequence == position, "commands without a gap")
        guard command.sequence.rawValue == nextRefused else {
          position = SequenceNumber(command.sequence.rawValue + 1)
          return command
        }
        return try standIn(for: command)
      }
      let time = blocks.chain.time
      guard let block = try blocks.next(through: bound) else { return nil }
      invariant(block.header.time >= time, "blocks in the order of their times")
      place = (block.path, block.offset)
      records = BlockRecords(block, notBefore: time)
    }
  }

  /// The next commands, as many as there are up to `bound` and as `buffer` holds.
  /// - Parameter bound: As for `next`.
  /// - Returns: How many; 0 behind `bound` or at the end.
  /// - Throws: Like `next`, when not even one can be read.
  public mutating func read(
    into buffer: UnsafeMutableBufferPointer<Command>, through bound: SequenceNumber? = nil
  ) throws(JournalError) -> Int {
    var count = 0
    do throws(JournalError) {
      while count < buffer.count, let command = try next(through: bound) {
        buffer[count] = command
        count += 1
      }
    } catch {
      // What was read before it counts; the next call meets the error again.
      if count == 0 { throw error }
    }
    invariant(count <= buffer.count, "no more commands than there is room for")
    if count > 0 {
      let last = buffer[count - 1].sequence
      invariant(last.rawValue + 1 == position.rawValue, "the last command read precedes the next")
      invariant(last <= bound ?? last, "nothing beyond what is durable")
      invariant(position <= blocks.chain.next, "no command beyond the block in hand")
    }
    return count
  }

  private static func list(
    _ directory: String, _ disk: any Disk, _ asWritten: Bool
  ) throws(JournalError) -> RefusedCommands? {
    asWritten ? nil : try RefusedCommands(in: directory, disk: disk)
  }

  /// What is applied in the place of a refused command, which is passed.
  private mutating func standIn(for command: Command) throws(JournalError) -> Command {
    let next = SequenceNumber(command.sequence.rawValue + 1)
    do throws(JournalError) {
      let standIn = try refused?.standIn(for: command) ?? command
      (position, nextRefused) = (next, refused?.next(from: next) ?? .max)
      return standIn
    } catch {
      mismatch = error
      throw error
    }
  }

  @inline(__always)
  private mutating func nextRecord() throws(JournalError) -> Command? {
    do throws(BlockDefect) {
      return try records?.next()
    } catch {
      throw .corrupt(path: place.path, offset: place.offset, expected: position, error)
    }
  }
}
