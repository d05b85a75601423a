import Glibc
import Journaling
import MarketModel
import Testing

@Suite("Recovery")
struct RecoveryTests {
  /// Three blocks of 4 KiB with 5, 4 and 6 commands, in a segment of 32 KiB.
  private func threeBlocks(seed: UInt64) throws -> (folder: Folder, commands: [Command]) {
    let folder = Folder(inMemory: true)
    var commands = RandomCommands(seed: seed)
    let batches = [commands.batch(5), commands.batch(4), commands.batch(6)]
    try folder.write(batches, segmentBytes: 32 * 1024)
    return (folder, batches.flatMap { $0 })
  }

  enum Tear: CaseIterable {
    /// The file ends there.
    case truncated
    /// Nothing was written from there on.
    case zeros
    /// Garbage follows, up to the end of the block.
    case garbage
  }

  @Test(
    "A last write torn at any byte is cut off, and the command before it is the last.",
    arguments: Tear.allCases)
  func tornAnywhere(tear: Tear) throws {
    let (folder, _) = try threeBlocks(seed: 41)
    let path = folder.segments[0]
    let whole = bytes(of: path)
    let content = 8192 + (whole[8192..<12288].lastIndex { $0 != 0 } ?? 8192) - 8192 + 1
    var random = SeededRandom(seed: 41)
    let garbage = (0..<4096).map { _ in UInt8.random(in: 1...255, using: &random) }
    let last = tear == .zeros ? content : 12288
    for cut in 8192..<last {
      switch tear {
      case .truncated: truncate(path, off_t(cut))
      case .zeros: write([UInt8](repeating: 0, count: 12288 - cut), to: path, at: cut)
      case .garbage: write(garbage.prefix(12288 - cut), to: path, at: cut)
      }
      let found = try folder.recover()
      if found.lastSequence != SequenceNumber(9) { Issue.record("cut at \(cut)") }
      if cut == 8192, tear != .garbage {
        // Nothing of the write reached the disk: a clean end. A file truncated there is full.
        #expect(found.tornTail == nil)
        #expect(found.appendOffset == 8192 || found.segmentPath == nil)
      } else if found.tornTail?.offset != 8192 || found.appendOffset != 8192 {
        Issue.record("cut at \(cut): \(found)")
      }
      let again = try folder.recover()
      if again.tornTail != nil || again.chain != found.chain { Issue.record("cut at \(cut)") }
      write(whole[8192...], to: path, at: 8192)
    }
    #expect(try folder.recover().lastSequence == SequenceNumber(15))
  }

  @Test("After a torn write the journal continues and is valid again.")
  func goesOn() throws {
    for blockBytes in [1, 60, 400] {
      let folder = Folder()
      var commands = RandomCommands(seed: 43)
      let before = commands.batch(30)
      var torn = commands
      try folder.write([before])
      try folder.write([torn.batch(blockBytes)])
      let block = try #require(try folder.blocks().last)
      let hole =
        block.offset + Int.random(in: 0..<block.header.blockBytes / 4096, using: &torn.random)
        * 4096
      write([UInt8](repeating: 0, count: 4096), to: block.path, at: hole)
      let found = try folder.recover()
      #expect(found.lastSequence == SequenceNumber(30))
      let after = commands.batch(30)
      try folder.write([after])
      #expect(try folder.read().map(record) == (before + after).map(record))
    }
  }

  @Test(
    "Any changed byte in a block before the last one makes recovery refuse with its position.")
  func damageInTheMiddle() throws {
    let (folder, _) = try threeBlocks(seed: 42)
    let path = folder.segments[0]
    let whole = bytes(of: path)
    var random = SeededRandom(seed: 42)
    let places = Array(0..<128) + (0..<300).map { _ in Int.random(in: 128..<4096, using: &random) }
    for block in [0, 4096] {
      for place in places {
        let offset = block + place
        write(
          [whole[offset] ^ UInt8(1 << Int.random(in: 0..<8, using: &random))], to: path, at: offset)
        let damaged = bytes(of: path)
        do throws(JournalError) {
          _ = try folder.recover()
          Issue.record("byte \(offset) changed unnoticed")
        } catch {
          guard case .corrupt(path, block, SequenceNumber(block == 0 ? 1 : 6), _) = error else {
            Issue.record("byte \(offset): \(error)")
            continue
          }
        }
        if bytes(of: path) != damaged { Issue.record("recovery changed a damaged file") }
        write([whole[offset]], to: path, at: offset)
      }
    }
    #expect(try folder.recover().lastSequence == SequenceNumber(15))
  }

  @Test("Damage to the last block of a segment is corruption when another segment follows.")
  func damageBeforeALaterSegment() throws {
    let folder = Folder(inMemory: true)
    var commands = RandomCommands(seed: 44)
    try folder.write((0..<3).map { _ in commands.batch(4) }, segmentBytes: 8192)
    #expect(folder.segments.count == 2)
    write([0xFF], to: folder.segments[0], at: 4096 + 130)
    #expect(
      throws: JournalError.corrupt(
        path: folder.segments[0], offset: 4096, expected: SequenceNumber(5), .payloadChecksum)
    ) { try folder.recover() }
  }

  @Test("A sealed journal's last commands cannot be taken for a torn write.")
  func sealGuards() throws {
    let folder = Folder(inMemory: true)
    var commands = RandomCommands(seed: 45)
    try folder.write([commands.batch(4)], seal: true)
    #expect(try folder.recover().isSealed)
    write([0xFF], to: folder.segments[0], at: 130)
    #expect(
      throws: JournalError.corrupt(
        path: folder.segments[0], offset: 0, expected: SequenceNumber(1), .payloadChecksum)
    ) { try folder.recover() }
  }

  @Test("A block with right checksums that does not belong there is refused, even as the last.")
  func forgedBlocks() throws {
    let (folder, _) = try threeBlocks(seed: 46)
    let (other, _) = try threeBlocks(seed: 47)
    let (mine, theirs) = (bytes(of: folder.segments[0]), bytes(of: other.segments[0]))
    write(theirs[8192..<12288], to: folder.segments[0], at: 8192)
    #expect(
      throws: JournalError.corrupt(
        path: folder.segments[0], offset: 8192, expected: SequenceNumber(10), .brokenChain)
    ) { try folder.recover() }
    write(mine[0..<4096], to: folder.segments[0], at: 8192)
    #expect(
      throws: JournalError.corrupt(
        path: folder.segments[0], offset: 8192, expected: SequenceNumber(10),
        .wrongSequence(found: SequenceNumber(1)))
    ) { try folder.recover() }
  }

  @Test("A missing segment, a foreign shard and an empty directory are distinguished.")
  func wholeFiles() throws {
    let folder = Folder(inMemory: true)
    #expect(try folder.recover().lastSequence == .none)
    var commands = RandomCommands(seed: 48)
    try folder.write((0..<6).map { _ in commands.batch(4) }, segmentBytes: 8192)
    let path = folder.segments[0]
    #expect(
      throws: JournalError.corrupt(
        path: path, offset: 0, expected: SequenceNumber(1), .foreignShard(0))
    ) { try Recovery.recover(DirectoryLock(folder.path), shard: 7) }
    unlink(folder.segments[1])
    #expect(throws: JournalError.self) { try folder.recover() }
    unlink(path)
    #expect(
      throws: JournalError.tooEarly(
        path: folder.path, asked: SequenceNumber(1), oldest: SequenceNumber(17))
    ) { try folder.read() }
    #expect(try folder.recover().lastSequence == SequenceNumber(24))
    #expect(try folder.read(from: 17).count == 8)
  }
}
