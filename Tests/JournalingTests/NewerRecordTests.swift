import Foundation
import MarketModel
import Testing

@testable import Journaling

@Suite("A journal of a newer program")
struct NewerRecordTests {
  @Test("A record longer than any known form is reported as a newer program's, not as damage.")
  func longerRecord() throws {
    // Each kind, alone in its block, with one field more than this program knows.
    for kind in CommandCodec.Kind.allCases where kind != .enter && kind != .enterIceberg {
      let length = CommandCodec.headerLength + (kind.payloadLengths.max() ?? 0) + 8
      var record = [UInt8](repeating: 0, count: length)
      (record[0], record[1]) = (UInt8(kind.rawValue & 0xFF), UInt8(kind.rawValue >> 8))
      (record[2], record[3]) = (UInt8(length & 0xFF), UInt8(length >> 8))
      let folder = Folder()
      try block(record).write(
        to: URL(fileURLWithPath: folder.path + "/00000000000000000001.journal"))
      let error = #expect(throws: JournalError.self) {
        var reader = try JournalReader(directory: folder.path)
        while try reader.next() != nil {}
      }
      #expect(
        error?.description.contains("a newer program may have written it") == true,
        "\(kind): \(error?.description ?? "")")
    }
  }

  /// A block that contains one record of any length.
  private func block(_ record: [UInt8]) -> Data {
    var bytes = [UInt8](repeating: 0, count: BlockHeader.blockBytes(payload: record.count))
    bytes.replaceSubrange(BlockHeader.size..<BlockHeader.size + record.count, with: record)
    bytes.withUnsafeMutableBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      let payload = UnsafeRawBufferPointer(
        start: base + BlockHeader.size, count: record.count)
      let header = BlockHeader(
        shard: 0, epoch: 1, firstSequence: SequenceNumber(1), count: 1,
        length: UInt32(record.count), time: Timestamp(nanoseconds: 0), committed: .none,
        previous: .genesis, payloadChecksum: CRC32C.checksum(payload))
      header.write(to: base)
    }
    return Data(bytes)
  }
}
