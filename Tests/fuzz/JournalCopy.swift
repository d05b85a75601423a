import Glibc
import Journaling
import MarketModel

/// Commands as the journal gives them back, which must be the same bytes again.
enum JournalCopy {
  /// Two heap blocks of exactly a record's size: for the record, and for that of the command read from it.
  private struct Blocks {
    let first: UnsafeMutableRawPointer
    let second: UnsafeMutableRawPointer

    init(_ length: Int) {
      first = .allocate(byteCount: length, alignment: 1)
      second = .allocate(byteCount: length, alignment: 1)
    }
  }

  /// By length; one thread's.
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
      fatalError("the journal does not read what it wrote: \(error)")
    }
  }

  /// - Parameter filling: Is in every byte before: one that is not written differs between the two.
  private static func write(
    _ command: Command, _ filling: UInt8, into block: UnsafeMutableRawPointer, _ length: Int
  ) {
    block.initializeMemory(as: UInt8.self, repeating: filling, count: length)
    require(CommandCodec.encode(command, into: block) == length, "not as long as it says")
  }
}
