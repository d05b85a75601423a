import MarketModel

/// Reads the commands of a journal in order: the whole journal, or following a server that writes
/// it. Owned by one thread. Each refused command is replaced by one without effect
/// (`RefusedCommand.replacement`), unless the journal is read as written.
///
/// To follow a server, pass the writer's durable sequence number, and continue when it has grown:
///
///     while let command = try reader.next(through: writer.durable) { exchange.apply(...) }
public struct JournalReader: ~Copyable {
  /// Sequence number of the next command.
  public private(set) var position: SequenceNumber

  private let directory: String
  private var blocks: BlockReader
  private var records: BlockRecords?
  private var place: (path: String, offset: Int) = ("", 0)
  /// The refused commands; `nil` if the journal is read as written.
  private let refused: RefusedCommands?
  /// Sequence number of the next refused command; the greatest number after the last one.
  private var nextRefused: UInt64
  /// A defect of the list of refused commands.
  private var mismatch: JournalError?

  /// Starts with the command `first`.
  /// - Parameter asWritten: Reads refused commands like all others, to display them.
  /// - Throws: `tooEarly` if the journal starts later; `system` if it cannot be listed;
  ///   `badRefusals` if the list of refused commands cannot be used.
  public init(
    directory: String, from first: SequenceNumber = SequenceNumber(1),
    verification: Verification = .hashes, disk: any Disk = SystemDisk(), asWritten: Bool = false
  ) throws(JournalError) {
    precondition(first > .none, "the first command has sequence number 1")
    let list = try Self.list(directory, disk, asWritten)
    let blocks = try BlockReader(
      directory: directory, from: first, verification: verification, disk: disk)
    invariant(blocks.chain.next <= first, "reading starts at or before the requested command")
    self.directory = directory
    position = first
    (refused, nextRefused) = (list, list?.next(from: first) ?? .max)
    self.blocks = blocks
  }

  /// The next command.
  /// - Parameter bound: A durable sequence number, beyond which nothing is read; needed while a
  ///   server writes. `nil` reads to the end of a journal that no process writes.
  /// - Returns: `nil` after `bound` or at the end.
  /// - Throws: `corrupt` for a damaged block, including a torn tail; `system` if a file cannot be
  ///   read; `badRefusals` for a command that differs from the one refused. The position does not
  ///   change.
  public mutating func next(
    through bound: SequenceNumber? = nil
  ) throws(JournalError) -> Command? {
    if let mismatch { throw mismatch }
    if let bound, position > bound { return nil }
    while true {
      if let command = try nextRecord() {
        guard command.sequence >= position else { continue }
        invariant(command.sequence == position, "commands are read without a gap")
        guard command.sequence.rawValue == nextRefused else {
          position = SequenceNumber(command.sequence.rawValue + 1)
          return command
        }
        return try replacement(for: command)
      }
      let time = blocks.chain.time
      guard let block = try blocks.next(through: bound) else { return nil }
      invariant(block.header.time >= time, "the times of blocks never fall")
      place = (block.path, block.offset)
      records = BlockRecords(block, notBefore: time)
    }
  }

  /// The next commands, up to `bound` and as many as `buffer` can contain.
  /// - Parameter bound: As in `next`.
  /// - Returns: the number of commands; 0 after `bound` or at the end.
  /// - Throws: as `next`, if not even one command can be read.
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
      // Commands read before the error are returned; the next call meets the error again.
      if count == 0 { throw error }
    }
    invariant(count <= buffer.count, "the commands fit into the buffer")
    if count > 0 {
      let last = buffer[count - 1].sequence
      invariant(last.rawValue + 1 == position.rawValue, "the last command read precedes the next")
      invariant(last <= bound ?? last, "no command beyond the bound is read")
      invariant(position <= blocks.chain.next, "no command after the present block is read")
    }
    return count
  }

  private static func list(
    _ directory: String, _ disk: any Disk, _ asWritten: Bool
  ) throws(JournalError) -> RefusedCommands? {
    asWritten ? nil : try RefusedCommands(in: directory, disk: disk)
  }

  /// The replacement of a refused command.
  private mutating func replacement(for command: Command) throws(JournalError) -> Command {
    let next = SequenceNumber(command.sequence.rawValue + 1)
    do throws(JournalError) {
      let replacement = try refused?.replacement(for: command) ?? command
      (position, nextRefused) = (next, refused?.next(from: next) ?? .max)
      return replacement
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
