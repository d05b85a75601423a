import Glibc
import Journaling
import MarketModel

/// A directory for one test, removed with this object.
final class Folder: Sendable {
  let path: String

  /// On the disk, or in memory for tests that recover thousands of times and need no real syncs.
  init(inMemory: Bool = false) {
    let parent = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/joulebook-journal-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  deinit {
    for name in names { unlink(path + "/" + name) }
    rmdir(path)
  }

  var names: [String] { Self.names(in: path) }

  static func names(in path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  var segments: [String] { names.filter { $0.hasSuffix(".journal") }.map { path + "/" + $0 } }

  /// Writes each of `batches` as one block (or more, if one is too small), without a seal.
  func write(
    _ batches: [[Command]], segmentBytes: Int = 1 << 20, seal: Bool = false
  ) throws(JournalError) {
    let lock = try DirectoryLock(path)
    let recovered = try Recovery.recover(lock)
    var appender = try JournalAppender(lock, recovered, segmentBytes: segmentBytes)
    for batch in batches { try appender.append(batch) }
    if seal { try appender.seal() }
  }

  func read(from first: UInt64 = 1) throws(JournalError) -> [Command] {
    var reader = try JournalReader(directory: path, from: SequenceNumber(first))
    var commands: [Command] = []
    while let command = try reader.next() { commands.append(command) }
    return commands
  }

  func recover() throws(JournalError) -> RecoveredJournal {
    try Recovery.recover(DirectoryLock(path))
  }

  func blocks() throws(JournalError) -> [(header: BlockHeader, path: String, offset: Int)] {
    var reader = try BlockReader(directory: path)
    var blocks: [(header: BlockHeader, path: String, offset: Int)] = []
    while let block = try reader.next() { blocks.append((block.header, block.path, block.offset)) }
    return blocks
  }
}

/// The bytes of a file, to damage them.
func bytes(of path: String) -> [UInt8] {
  guard let file = fopen(path, "r") else { return [] }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  var bytes = [UInt8](repeating: 0, count: ftell(file))
  rewind(file)
  let count = fread(&bytes, 1, bytes.count, file)
  return Array(bytes.prefix(count))
}

func write(_ bytes: some Collection<UInt8>, to path: String, at offset: Int) {
  let descriptor = open(path, O_WRONLY)
  defer { close(descriptor) }
  let array = Array(bytes)
  let count = pwrite(descriptor, array, array.count, off_t(offset))
  precondition(count == array.count, "the test cannot write \(path)")
}
