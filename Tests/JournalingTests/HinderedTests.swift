import Glibc
import Journaling
import MarketModel
import Synchronization
import Testing

/// What a journal meets that is not the disk's fault: no descriptor left, another in its place, a link in its way.
@Suite("A journal that is hindered")
struct HinderedTests {
  private static let segment = 64 * 1024

  private func writer(_ folder: String) throws -> JournalWriter {
    let lock = try DirectoryLock(folder)
    var options = JournalWriter.Options()
    options.segmentBytes = Self.segment
    return try JournalWriter(lock, Recovery.recover(lock), options: options)
  }

  @Test(
    "Without a descriptor it goes on to the end of the next segment, waits there, and goes on when it has one."
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
      // A block each: 16 fill a segment. The second is begun, and the third ready.
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
      guard writer.durable == SequenceNumber(48), writer.isHindered, writer.intake == .none,
        !writer.hasFailed, "\(writer.obstacle.map { "\($0)" } ?? "")".contains("ulimit -n")
      else { exit(1) }
      setrlimit(resource, &before)
      while writer.durable < SequenceNumber(49) { usleep(100) }
      guard !writer.isHindered, writer.obstacle == nil, writer.intake == .ample else { exit(2) }
      writer.close()
      exit(0)
    }
    #expect(try folder.recover().lastSequence == SequenceNumber(49))
  }

  @Test(
    "A folder that is moved away while it is written stays one journal, and what lies in its place is left alone."
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
    "A link where the journal writes is refused, and what it leads to stays as it is.",
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

  @Test("A file that has another name too is replaced, not emptied.")
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
