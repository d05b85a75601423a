import Glibc
import Journaling
import MarketModel
import Testing

@Suite("Snapshots")
struct SnapshotTests {
  /// `count` pseudorandom bytes.
  private func state(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
  }

  private func header(_ sequence: UInt64, batch: UInt64 = 0, confirmed: UInt64 = 0)
    -> SnapshotHeader
  {
    SnapshotHeader(
      sequence: SequenceNumber(sequence), time: Timestamp(nanoseconds: sequence), eventHash: 1,
      stateHash: 2, batch: batch, confirmedBatch: confirmed)
  }

  private func write(_ header: SnapshotHeader, _ state: [UInt8], _ folder: Folder) throws {
    let writer = try SnapshotWriter(folder.path, sequence: header.sequence)
    // Written in uneven pieces, as the components of a state do.
    var offset = 0
    while offset < state.count {
      let end = min(state.count, offset + 7 + offset % 4_099)
      state[offset..<end].withUnsafeBytes { writer.write($0) }
      offset = end
    }
    try writer.finish(header)
  }

  private func path(_ folder: Folder, _ sequence: UInt64) throws -> String {
    try #require(
      Snapshots.list(folder.path).first { $0.sequence == SequenceNumber(sequence) }?.path)
  }

  private func overwrite(_ bytes: [UInt8], in path: String, at offset: Int) {
    JournalingTests.write(bytes, to: path, at: offset)
  }

  /// The content of a snapshot; `nil` if it is rejected.
  private func read(_ path: String, _ count: Int) -> [UInt8]? {
    do throws(JournalError) {
      let reader = try SnapshotReader(path)
      var bytes = [UInt8](repeating: 0, count: count)
      bytes.withUnsafeMutableBytes { reader.read(into: $0) }
      try reader.finish()
      return bytes
    } catch {
      return nil
    }
  }

  @Test("A state of any length is read as it was written.")
  func roundTrip() throws {
    let folder = Folder(inMemory: true)
    for (index, count) in [1, 4_096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9 << 20].enumerated() {
      let sequence = UInt64(index) + 1
      let bytes = state(count, seed: sequence)
      try write(header(sequence, batch: 7), bytes, folder)
      let file = try path(folder, sequence)
      #expect(read(file, count) == bytes, "\(count) bytes")
      let found = try SnapshotReader(file).header
      #expect(found.sequence == SequenceNumber(sequence) && found.batch == 7)
      try SnapshotReader(file).verify()
    }
    #expect(try Snapshots.list(folder.path).map(\.sequence.rawValue) == [6, 5, 4, 3, 2, 1])
    #expect(!folder.names.contains("next.snapshot"))
  }

  @Test("A snapshot cut off anywhere, or with any byte changed, is refused.")
  func damaged() throws {
    let folder = Folder(inMemory: true)
    let bytes = state(3_000, seed: 4)
    try write(header(9), bytes, folder)
    let file = try path(folder, 9)
    let whole = JournalingTests.bytes(of: file)
    // Nothing is written between header and pieces, and nothing is read there.
    let used = Array(0..<128) + Array(4_096..<whole.count)
    for place in used {
      JournalingTests.write([whole[place] ^ 0x10], to: file, at: place)
      if read(file, bytes.count) != nil { Issue.record("byte \(place) changed") }
      JournalingTests.write([whole[place]], to: file, at: place)
    }
    #expect(read(file, bytes.count) == bytes)
    #expect(read(file, bytes.count - 1) == nil, "something is left")
    #expect(read(file, bytes.count + 1) == nil, "something is missing")
    for length in stride(from: whole.count - 1, through: 0, by: -37) {
      truncate(file, off_t(length))
      if read(file, bytes.count) != nil { Issue.record("cut off at \(length)") }
    }
    try write(header(9), bytes, folder)
    rename(file, folder.path + "/00000000000000000010.snapshot")
    #expect(read(folder.path + "/00000000000000000010.snapshot", bytes.count) == nil)
  }

  /// Segments of 8 KiB with two blocks of 3 commands each: they start with 1, 7, 13, 19, 25.
  private func segments(_ folder: Folder) throws {
    var commands = RandomCommands(seed: 5)
    try folder.write((0..<10).map { _ in commands.batch(3) }, segmentBytes: 8_192)
    #expect(folder.segments.count == 5)
  }

  @Test("Only segments covered by every snapshot and before the retained commands are removed.")
  func prunes() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    for sequence in [UInt64(8), 14, 20] { try write(header(sequence), [1, 2, 3], folder) }
    let all = folder.names
    let dry = try Snapshots.prune(folder.path, keep: 2, commands: 0, isDry: true)
    #expect(dry.oldestKept == SequenceNumber(14))
    #expect(dry.segments == Array(folder.segments.prefix(2)) && dry.snapshots.count == 1)
    #expect(folder.names == all)
    // The last 10 of 20 commands stay, so nothing from command 7 on may be removed.
    #expect(try Snapshots.prune(folder.path, keep: 2, commands: 10).segments.count == 1)
    #expect(try Snapshots.prune(folder.path, keep: 2, commands: nil).segments.isEmpty)
    #expect(try Snapshots.prune(folder.path, keep: 2, commands: 0).segments.count == 1)
    #expect(try Snapshots.list(folder.path).map(\.sequence.rawValue) == [20, 14])
    #expect(try Snapshots.firstCommand(folder.path) == SequenceNumber(13))
    // What remains can be recovered from a snapshot on.
    let lock = try DirectoryLock(folder.path)
    #expect(try Recovery.recover(lock, after: SequenceNumber(14)).lastSequence.rawValue == 30)
    #expect(try folder.read(from: 15).count == 16)
    #expect(throws: JournalError.self) { try folder.read(from: 1) }
  }

  @Test("A snapshot before the retained commands stays, so that their reports can be regenerated.")
  func keepsTheWayToReports() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    for sequence in [UInt64(5), 8, 9, 14, 20, 26] { try write(header(sequence), [1, 2], folder) }
    // The last 15 of 26 commands: 12 to 26.
    let pruned = try Snapshots.prune(folder.path, keep: 1, commands: 15)
    let kept = try Snapshots.list(folder.path).map(\.sequence.rawValue)
    let first = try #require(try Snapshots.firstCommand(folder.path)).rawValue
    #expect(
      kept.contains { $0 < 12 && $0 + 1 >= first }, "snapshots \(kept), journal from \(first)")
    // 9 stays and every later one spaced by a quarter of 15; 5 and 8 are before the begin.
    #expect(kept == [26, 20, 14, 9] && pruned.segments.count == 1)
    // The last 8 of 26: 14 is old enough, so what precedes it may be removed.
    _ = try Snapshots.prune(folder.path, keep: 1, commands: 8)
    #expect(try Snapshots.list(folder.path).map(\.sequence.rawValue) == [26, 20, 14])
    #expect(try Snapshots.firstCommand(folder.path) == SequenceNumber(13))
    // Without the snapshot at 14, command 19 cannot be reached: nothing is removed until another is
    // old enough.
    let file = try path(folder, 14)
    JournalingTests.write([bytes(of: file)[4_100] ^ 1], to: file, at: 4_100)
    #expect(try Snapshots.prune(folder.path, keep: 1, commands: 8).snapshots.isEmpty)
    #expect(try Snapshots.prune(folder.path, keep: 1, commands: 6).segments.count == 1)
  }

  @Test("An interrupted removal leaves no snapshot whose following segments are missing.")
  func isCutShort() throws {
    for most in 0... {
      let folder = Folder(inMemory: true)
      try segments(folder)
      for sequence in [UInt64(8), 14, 20, 26] { try write(header(sequence), [1, 2], folder) }
      let disk = FailStopTests.FailingDisk()
      disk.removalsLeft.store(most, ordering: .relaxed)
      let isWhole = (try? Snapshots.prune(folder.path, keep: 1, commands: 0, disk: disk)) != nil
      let first = try #require(try Snapshots.firstCommand(folder.path)).rawValue
      let kept = try Snapshots.list(folder.path).map(\.sequence.rawValue)
      #expect(
        kept.allSatisfy { $0 + 1 >= first }, "\(most) removed: \(kept), journal from \(first)")
      if isWhole {
        #expect(most > 4 && kept == [26])
        break
      }
    }
  }

  @Test("Segments and snapshots that a reader uses stay.")
  func keepsWhatIsRead() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    for sequence in [UInt64(8), 20, 26] { try write(header(sequence), [1, 2], folder) }
    let all = folder.names
    // A reader is selecting a snapshot.
    let untouched = try Snapshots.prune(folder.path, keep: 1, commands: 0, held: .none)
    #expect(untouched.segments.isEmpty && folder.names == all)
    // A reader continues after command 12, where a segment ends.
    let pruned = try Snapshots.prune(folder.path, keep: 1, commands: 0, held: SequenceNumber(12))
    #expect(pruned.segments.count == 1 && pruned.snapshots.count == 2)
    #expect(try folder.read(from: 13).first?.sequence == SequenceNumber(13))
    #expect(try Snapshots.prune(folder.path, keep: 1, commands: 0).segments.count == 3)
  }

  @Test("Damaged snapshots do not count, and segments of unconfirmed batches stay.")
  func keepsWhatIsNeeded() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    try write(header(14), [1, 2, 3], folder)
    try write(header(20), [1, 2, 3], folder)
    JournalingTests.write([0xFF], to: try path(folder, 20), at: 4_100)
    // Only one of the two required snapshots is valid: nothing is removed.
    let damaged = try Snapshots.prune(folder.path, keep: 2, commands: 0)
    #expect(damaged.segments.isEmpty && damaged.snapshots.isEmpty)
    try write(header(20, batch: 4, confirmed: 3), [1, 2, 3], folder)
    try write(header(26, batch: 5, confirmed: 3), [1, 2, 3], folder)
    // Batch 4 is not confirmed: the snapshot before it stays, and the journal after that.
    let pruned = try Snapshots.prune(folder.path, keep: 1, commands: 0)
    #expect(pruned.oldestKept == SequenceNumber(14) && pruned.segments.count == 2)
  }

  @Test("A transient read error does not remove the only snapshot that settlement can start from.")
  func outlivesABadLook() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    try write(header(14), [1, 2, 3], folder)
    try write(header(20, batch: 4, confirmed: 3), [1, 2, 3], folder)
    try write(header(26, batch: 5, confirmed: 3), [1, 2, 3], folder)
    let settled = try path(folder, 14)
    let byte = bytes(of: settled)[4_100]
    JournalingTests.write([byte ^ 1], to: settled, at: 4_100)
    let all = folder.names
    let blind = try Snapshots.prune(folder.path, keep: 2, commands: 0)
    #expect(blind.oldestKept == nil && blind.segments.isEmpty && blind.snapshots.isEmpty)
    #expect(folder.names == all)
    // The next reading is correct.
    JournalingTests.write([byte], to: settled, at: 4_100)
    let pruned = try Snapshots.prune(folder.path, keep: 2, commands: 0)
    #expect(pruned.oldestKept == SequenceNumber(14) && pruned.snapshots.isEmpty)
    #expect(pruned.segments.count == 2)
  }

  @Test("A journal that ends before a snapshot is refused.")
  func endsBefore() throws {
    let folder = Folder(inMemory: true)
    try segments(folder)
    let lock = try DirectoryLock(folder.path)
    #expect(try Recovery.recover(lock, after: SequenceNumber(30)).lastSequence.rawValue == 30)
    #expect(throws: JournalError.self) {
      try Recovery.recover(lock, after: SequenceNumber(31))
    }
  }

  @Test(
    "A damaged last block is not cut as torn when a snapshot has its commands, readable or not.")
  func namesTell() throws {
    for (held, isTorn) in [(27, true), (28, false), (30, false)] {
      let folder = Folder(inMemory: true)
      try segments(folder)
      let last = try #require(try folder.blocks().last)
      #expect(last.header.firstSequence == SequenceNumber(28))
      let place = last.offset + BlockHeader.size
      overwrite([bytes(of: last.path)[place] ^ 1], in: last.path, at: place)
      let damaged = bytes(of: last.path)
      // Only its name can be read.
      close(open(folder.path + "/000000000000000000\(held).snapshot", O_CREAT | O_WRONLY, 0o600))
      if isTorn {
        #expect(try folder.recover().tornTail != nil)
      } else {
        #expect(throws: JournalError.self) { try folder.recover() }
        #expect(bytes(of: last.path) == damaged)
      }
    }
  }

  @Test("After a snapshot the hash chain of the journal continues, also in a new segment.")
  func goesOn() throws {
    for count in 1...8 {
      let folder = Folder(inMemory: true)
      var commands = RandomCommands(seed: 6)
      let batches = (0..<count).map { _ in commands.batch(3) }
      try folder.write(batches, segmentBytes: 8_192)
      for after in 1...UInt64(3 * count) {
        let found = try Recovery.recover(DirectoryLock(folder.path), after: SequenceNumber(after))
        #expect(try found.chain == folder.recover().chain, "\(count) blocks, after \(after)")
      }
    }
  }
}
