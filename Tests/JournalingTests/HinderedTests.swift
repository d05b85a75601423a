import Glibc
import Journaling
import MarketModel
import Synchronization
import Testing

/// Obstacles that are not the disk's fault: no free descriptor, a replaced directory, a link in the
/// way.
@Suite("Obstacles to preparing segments")
struct HinderedTests {
  private static let segment = 64 * 1024

  private func writer(_ folder: String) throws -> JournalWriter {
    let lock = try DirectoryLock(folder)
    var options = JournalWriter.Options()
    options.segmentBytes = Self.segment
    return try JournalWriter(lock, Recovery.recover(lock), options: options)
  }

  @Test(
    "Without free descriptors the journal fills the next segment, waits, and continues with a descriptor."
  )
  func noDescriptors() async throws {
    let folder = Folder()
    await #expect(processExitsWith: .success) { [path = folder.path as String] in
      let lock = try DirectoryLock(path)
      var options = JournalWriter.Options()
      options.segmentBytes = 64 * 1024
      let writer = try JournalWriter(lock, Recovery.recover(lock), options: options)
      var producer = writer.claimProducer()
      var commands = RandomCommands(seed: 75)
      // One block each: 16 fill a segment. The second is begun, and the third is ready.
      for number in 1...17 as ClosedRange<UInt64> {
        _ = producer.push(commands.next(.enter))
        while writer.durable < SequenceNumber(number) { usleep(100) }
      }
      usleep(200_000)
      let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      var before = rlimit()
      getrlimit(resource, &before)
      var none = before
      none.rlim_cur = 0
      setrlimit(resource, &none)
      for number in 18...48 as ClosedRange<UInt64> {
        _ = producer.push(commands.next(.enter))
        while writer.durable < SequenceNumber(number) { usleep(100) }
      }
      _ = producer.push(commands.next(.enter))
      usleep(500_000)
      guard writer.durable == SequenceNumber(48), writer.isHindered, writer.headroom == .none,
        !writer.hasFailed, "\(writer.obstacle.map { "\($0)" } ?? "")".contains("ulimit -n")
      else { exit(1) }
      setrlimit(resource, &before)
      while writer.durable < SequenceNumber(49) { usleep(100) }
      guard !writer.isHindered, writer.obstacle == nil, writer.headroom == .ample else { exit(2) }
      writer.close()
      exit(0)
    }
    #expect(try folder.recover().lastSequence == SequenceNumber(49))
  }

  @Test(
    "A directory moved while it is written stays one journal; another one in its place is not touched."
  )
  func movedFolder() throws {
    let parent = Folder()
    let (path, elsewhere) = (parent.path + "/journal", parent.path + "/moved")
    defer { for folder in [path, elsewhere] { remove(folder) } }
    let writer = try writer(path)
    var producer = writer.claimProducer()
    var commands = RandomCommands(seed: 76)
    func push(through last: UInt64) {
      while commands.sequence < last {
        _ = producer.push(commands.next(.enter))
        while writer.durable.rawValue < min(commands.sequence, last) { usleep(100) }
      }
    }
    push(through: 17)
    usleep(200_000)
    try #require(rename(path, elsewhere) == 0 && mkdir(path, 0o750) == 0)
    #expect(throws: JournalError.locked(path: elsewhere, holder: getpid())) {
      try DirectoryLock(elsewhere)
    }
    push(through: 40)
    for _ in 0..<100 where !writer.isHindered { usleep(20_000) }
    #expect(writer.obstacle == .moved(path: path) && !writer.isInPlace)
    #expect(Folder.names(in: path).isEmpty)
    try #require(rmdir(path) == 0 && rename(elsewhere, path) == 0)
    push(through: 80)
    #expect(!writer.isHindered && writer.isInPlace)
    writer.close()
    #expect(try Recovery.examine(path).lastSequence == SequenceNumber(80))
  }

  /// How a file is removed from a running server.
  enum Replacement: CaseIterable { case link, copy, folder, nothing }

  /// Replaces a file by something else.
  private func replace(_ path: String, by replacement: Replacement, precious: String) throws {
    let contents = bytes(of: path)
    try #require(unlink(path) == 0)
    switch replacement {
    case .link: try #require(symlink(precious, path) == 0)
    case .copy:
      close(open(path, O_CREAT | O_WRONLY, 0o600))
      write(contents, to: path, at: 0)
    case .folder: try #require(mkdir(path, 0o700) == 0)
    case .nothing: break
    }
  }

  @Test(
    "A file that replaces the prepared segment gets no block: another segment is prepared.",
    arguments: Replacement.allCases)
  func preparedReplaced(by replacement: Replacement) throws {
    let folder = Folder()
    let (path, precious) = (folder.path + "/next.segment", folder.path + "/precious")
    close(open(precious, O_CREAT | O_WRONLY, 0o600))
    write(Array(repeating: 7, count: 5), to: precious, at: 0)
    let writer = try writer(folder.path)
    var producer = writer.claimProducer()
    var commands = RandomCommands(seed: 79)
    // One block each: 16 fill a segment. The second is begun, and the third is ready.
    for number in 1...17 as ClosedRange<UInt64> {
      _ = producer.push(commands.next(.enter))
      while writer.durable < SequenceNumber(number) { usleep(100) }
    }
    for _ in 0..<100 where bytes(of: path).count < Self.segment { usleep(20_000) }
    usleep(50_000)
    try replace(path, by: replacement, precious: precious)
    for number in 18...70 as ClosedRange<UInt64> {
      _ = producer.push(commands.next(.enter))
      while writer.durable < SequenceNumber(number), !writer.isHindered { usleep(100) }
    }
    if replacement == .link || replacement == .folder {
      for _ in 0..<250 where !writer.isHindered { usleep(20_000) }
      #expect(writer.isHindered && writer.durable < SequenceNumber(70) && !writer.hasFailed)
      #expect("\(writer.obstacle.map { "\($0)" } ?? "")".contains(path))
      try #require(replacement == .link ? unlink(path) == 0 : rmdir(path) == 0)
    }
    for _ in 0..<500 where writer.durable < SequenceNumber(70) { usleep(20_000) }
    #expect(writer.durable == SequenceNumber(70) && !writer.hasFailed)
    #expect(try Recovery.examine(folder.path).lastSequence == SequenceNumber(70))
    writer.close()
    #expect(try folder.recover().lastSequence == SequenceNumber(70))
    #expect(bytes(of: precious) == Array(repeating: 7, count: 5))
  }

  @Test(
    "A segment removed or replaced while it is written is restored before the next one begins.",
    arguments: [Replacement.link, .copy, .nothing], [3, 40] as [UInt64])
  func presentReplaced(by replacement: Replacement, through last: UInt64) throws {
    let folder = Folder()
    let (path, precious) = (
      folder.path + "/00000000000000000001.journal", folder.path + "/precious"
    )
    close(open(precious, O_CREAT | O_WRONLY, 0o600))
    let writer = try writer(folder.path)
    var producer = writer.claimProducer()
    var commands = RandomCommands(seed: 80)
    for number in 1...last {
      _ = producer.push(commands.next(.enter))
      while writer.durable < SequenceNumber(number) { usleep(100) }
      if number == 2 { try replace(path, by: replacement, precious: precious) }
    }
    writer.close()
    let found = try folder.recover()
    #expect(found.lastSequence == SequenceNumber(last) && found.isSealed)
    #expect(bytes(of: precious).isEmpty)
  }

  @Test("A snapshot replaced while it is written gets no name.")
  func snapshotReplaced() throws {
    let folder = Folder()
    let path = folder.path + "/next.snapshot"
    let file = try SnapshotWriter(folder.path, sequence: SequenceNumber(7))
    [UInt8](repeating: 1, count: 100).withUnsafeBytes { file.write($0) }
    try replace(path, by: .copy, precious: "")
    #expect(throws: JournalError.system(.rename, path: path, offset: nil, code: EEXIST)) {
      try file.finish(
        SnapshotHeader(
          sequence: SequenceNumber(7), time: Timestamp(nanoseconds: 7), eventHash: 1, stateHash: 2,
          batch: 0, confirmedBatch: 0))
    }
    #expect(try Snapshots.list(folder.path).isEmpty)
  }

  @Test(
    "Opening a pipe does not block, and a dangling link is not treated as a missing file."
  )
  func noFile() throws {
    let folder = Folder()
    let path = folder.path + "/refused"
    try #require(symlink(folder.path + "/nowhere", path) == 0)
    #expect(throws: JournalError.system(.open, path: path, offset: nil, code: ELOOP)) {
      try RefusedCommands(in: folder.path)
    }
    for access in [DiskAccess.reading, .writing] {
      unlink(path)
      try #require(mkfifo(path, 0o600) == 0)
      #expect(throws: DiskFailure(EEXIST)) { try SystemDisk().open(path, access) }
    }
    #expect(throws: JournalError.system(.open, path: path, offset: nil, code: EEXIST)) {
      try RefusedCommands(in: folder.path)
    }
  }

  private func remove(_ folder: String) {
    for name in Folder.names(in: folder) { unlink(folder + "/" + name) }
    rmdir(folder)
  }

  @Test("A folder stays locked when its lock file is removed, and under another name.")
  func lockIsOfTheFolder() throws {
    let parent = Folder()
    let path = parent.path + "/journal"
    defer { for folder in [path, path + "2"] { remove(folder) } }
    let lock = try DirectoryLock(path)
    try #require(unlink(path + "/lock") == 0)
    #expect(throws: JournalError.locked(path: path, holder: 0)) { try DirectoryLock(path) }
    #expect(Folder.names(in: path).isEmpty, "who is refused leaves nothing behind")
    try #require(rename(path, path + "2") == 0)
    #expect(throws: JournalError.locked(path: path + "2", holder: 0)) {
      try DirectoryLock(path + "2")
    }
    withExtendedLifetime(lock) {}
  }

  @Test(
    "A link in place of a journal file is refused, and its target stays unchanged.",
    arguments: [
      "lock", "next.segment", "next.snapshot", "00000000000000000001.journal",
    ])
  func links(name: String) throws {
    let folder = Folder()
    var commands = RandomCommands(seed: 77)
    try folder.write([commands.batch(3)], segmentBytes: Self.segment)
    let (path, other) = (folder.path + "/" + name, folder.path + "/precious")
    if name.hasSuffix(".journal") {
      try #require(rename(path, other) == 0)
    } else {
      unlink(path)
      let descriptor = open(other, O_CREAT | O_WRONLY, 0o600)
      close(descriptor)
      write(Array(repeating: 7, count: 5), to: other, at: 0)
    }
    let before = bytes(of: other)
    try #require(symlink(other, path) == 0)
    let access: DiskAccess = name.hasSuffix(".journal") ? .writing : .creating
    if name == "lock" {
      #expect(throws: JournalError.system(.lock, path: path, offset: nil, code: ELOOP)) {
        try DirectoryLock(folder.path)
      }
    } else {
      #expect(throws: DiskFailure(ELOOP)) { try SystemDisk().open(path, access) }
    }
    #expect(bytes(of: other) == before)
    let words = "\(JournalError.system(.create, path: path, offset: nil, code: ELOOP))"
    #expect(words.contains(path) && words.contains("link"))
  }

  @Test("A file with another hard link is replaced, not truncated.")
  func hardLink() throws {
    let folder = Folder()
    let (path, other) = (folder.path + "/next.segment", folder.path + "/precious")
    close(open(other, O_CREAT | O_WRONLY, 0o600))
    write(Array(repeating: 7, count: 5), to: other, at: 0)
    try #require(link(other, path) == 0)
    var commands = RandomCommands(seed: 78)
    try folder.write([commands.batch(3)], segmentBytes: Self.segment)
    #expect(bytes(of: other) == Array(repeating: 7, count: 5))
  }
}
