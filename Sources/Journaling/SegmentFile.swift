import Glibc

/// An open segment. Closed when it goes out of scope. Owned by one thread.
struct SegmentFile: ~Copyable {
  let path: String
  /// Bytes in the file when it was opened. Segments do not grow.
  let size: Int
  private let descriptor: Int32
  private let operations: FileOperations

  enum Access { case reading, writing }

  /// Opens an existing segment.
  init(
    opening path: String, for access: Access, operations: FileOperations = .system
  ) throws(JournalError) {
    let flags = access == .reading ? O_RDONLY : O_RDWR
    descriptor = open(path, flags | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.open, path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system(.open, path: path, offset: nil, code: code)
    }
    (self.path, self.operations, size) = (path, operations, Int(status.st_size))
  }

  deinit {
    close(descriptor)
  }

  /// Creates a file of `bytes` zeros, written rather than promised (writes into it then need no
  /// change of the file's metadata), and synced.
  static func createZeroed(
    _ path: String, bytes: Int, operations: FileOperations
  ) throws(JournalError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .system(.create, path) }
    close(descriptor)
    let file = try SegmentFile(opening: path, for: .writing, operations: operations)
    try file.zero(0..<bytes)
    try file.sync()
  }

  /// Reads up to `bytes.count` bytes at `offset`.
  /// - Returns: How many were read; fewer only at the end of the file.
  func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = pread(descriptor, base + done, bytes.count - done, off_t(offset + done))
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(.read, path, at: offset + done) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Writes all of `bytes` at `offset`. A failure is not retried.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      let count = operations.write(descriptor, base + done, bytes.count - done, offset + done)
      guard count > 0 else { throw .system(.write, path, at: offset + done) }
      done += count
    }
  }

  /// Makes what was written durable. A failure is not retried: the kernel may have dropped the pages.
  func sync() throws(JournalError) {
    guard operations.sync(descriptor) == 0 else { throw .system(.sync, path) }
  }

  /// Writes zeros over `range`.
  func zero(_ range: Range<Int>) throws(JournalError) {
    let chunk = 1 << 20
    let zeros = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 4096)
    defer { zeros.deallocate() }
    zeros.initializeMemory(as: UInt8.self, repeating: 0)
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = min(chunk, range.upperBound - offset)
      try write(UnsafeRawBufferPointer(rebasing: zeros[..<count]), at: offset)
      offset += count
    }
  }
}
