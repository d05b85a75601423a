import Glibc
import Journaling
import MarketModel

/// Writes commands to journal records and reads them back; a second record must have equal bytes.
enum JournalCopy {
  /// Two heap blocks of a record's exact size: for the record, and for the record of the decoded command.
  private struct Blocks {
    let first: UnsafeMutableRawPointer
    let second: UnsafeMutableRawPointer

    init(_ length: Int) {
      first = .allocate(byteCount: length, alignment: 1)
      second = .allocate(byteCount: length, alignment: 1)
    }
  }

  /// Blocks by length. Used by one thread.
  private nonisolated(unsafe) static let blocks = (0...CommandCodec.longestRecord).map {
    Blocks($0)
  }

  static func of(_ command: Command) -> Command {
    let kind = CommandCodec.kind(of: command.body)
    let length = CommandCodec.recordLength(of: command.body)
    let blocks = blocks[length]
    write(command, 0xA5, into: blocks.first, length)
    var offset = 0
    do throws(CommandCodec.Failure) {
      let read = try CommandCodec.decode(
        UnsafeRawBufferPointer(start: blocks.first, count: length), at: &offset,
        sequence: command.sequence)
      require(offset == length, "\(kind) is read as \(offset) bytes")
      write(read, 0x5A, into: blocks.second, length)
      require(memcmp(blocks.first, blocks.second, length) == 0, "\(kind) is not journaled as it is")
      return read
    } catch {
      fatalError("the journal cannot read its own record: \(error)")
    }
  }

  /// - Parameter filling: Initial value of all bytes. It differs between the two records, so that an unwritten
  ///   byte is detected.
  private static func write(
    _ command: Command, _ filling: UInt8, into block: UnsafeMutableRawPointer, _ length: Int
  ) {
    block.initializeMemory(as: UInt8.self, repeating: filling, count: length)
    require(CommandCodec.encode(command, into: block) == length, "not as long as it says")
  }
}
