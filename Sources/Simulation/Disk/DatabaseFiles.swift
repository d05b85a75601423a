// A virtual file system of SQLite on the simulated disk, so that the real ledger meets the disk's
// faults:
//
//   sqlite3_vfs     one per run, registered under a unique name; pAppData -> DatabaseFiles
//   sqlite3_file    0: pMethods   8: DatabaseFiles (unowned)   16: descriptor   20: flags
//   shared memory   of the write-ahead log: heap memory that is freed when the process ends

import CSQLite
import Glibc
import Journaling
import Synchronization

/// Extended codes of SQLITE_IOERR, which Swift does not import because they are macros.
private enum IOError {
  static let read = SQLITE_IOERR | 1 << 8
  static let shortRead = SQLITE_IOERR | 2 << 8
  static let write = SQLITE_IOERR | 3 << 8
  static let sync = SQLITE_IOERR | 4 << 8
  static let truncate = SQLITE_IOERR | 6 << 8
  static let size = SQLITE_IOERR | 7 << 8
  static let delete = SQLITE_IOERR | 10 << 8
  static let deleteMissing = SQLITE_IOERR | 23 << 8
}

/// The files of a run's ledger. Owned by the thread of the run; registered with SQLite until
/// `unregister`.
final class DatabaseFiles {
  /// Number of file systems made in this process, for unique names.
  private static let made = Atomic<UInt64>(0)
  /// Name of the file system. SQLite looks it up in a list of the whole process, so it must be
  /// unique: runs of other threads have file systems too.
  let name: String
  /// Whether all calls of the ledger fail.
  var isFailing = false
  /// Reads, writes and syncs until all calls fail; `nil`: they do not begin to. So a ledger fails amid a
  /// transaction, its commit included.
  var callsUntilFailure: Int?
  /// How often calls began to fail with a write or a sync: within a transaction.
  private(set) var breaks = 0
  /// Whether another program reads the ledger, so that no checkpoint of the write-ahead log is
  /// possible.
  var isRead = false
  private let disk: SimulatedDisk
  private let vfs: UnsafeMutablePointer<sqlite3_vfs>
  private let cName: UnsafeMutablePointer<CChar>
  private var shared: [UnsafeMutableRawPointer] = []
  private var temporary = 0
  private var clock: SimulatedClock

  /// Whether a call fails; counts those that are left.
  fileprivate func fails(isWrite: Bool) -> Bool {
    if let left = callsUntilFailure {
      callsUntilFailure = left > 0 ? left - 1 : nil
      if left == 0, !isFailing {
        isFailing = true
        if isWrite { breaks += 1 }
      }
    }
    return isFailing
  }

  init(on disk: SimulatedDisk, clock: SimulatedClock) {
    name = "simulation-\(Self.made.add(1, ordering: .relaxed).newValue)"
    (self.disk, self.clock) = (disk, clock)
    vfs = .allocate(capacity: 1)
    cName = strdup(name)
    vfs.initialize(to: sqlite3_vfs())
    vfs.pointee.iVersion = 1
    vfs.pointee.szOsFile = 32
    vfs.pointee.mxPathname = 256
    vfs.pointee.zName = UnsafePointer(cName)
    vfs.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
    vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
      DatabaseFiles.of(vfs).open(name, file, flags, outFlags)
    }
    vfs.pointee.xDelete = { vfs, name, _ in DatabaseFiles.of(vfs).delete(name) }
    vfs.pointee.xAccess = { vfs, name, _, result in
      result?.pointee = DatabaseFiles.of(vfs).exists(name) ? 1 : 0
      return SQLITE_OK
    }
    vfs.pointee.xFullPathname = { _, name, size, out in
      guard let name, let out, strlen(name) < Int(size) else { return SQLITE_CANTOPEN }
      strcpy(out, name)
      return SQLITE_OK
    }
    vfs.pointee.xRandomness = { vfs, count, out in
      DatabaseFiles.of(vfs).randomize(out, Int(count))
      return count
    }
    vfs.pointee.xSleep = { vfs, microseconds in
      DatabaseFiles.of(vfs).clock.advance(nanoseconds: UInt64(microseconds) * 1_000)
      return microseconds
    }
    vfs.pointee.xCurrentTime = { _, time in
      time?.pointee = 2_461_192.5
      return SQLITE_OK
    }
    vfs.pointee.xGetLastError = { _, _, _ in 0 }
    sqlite3_vfs_register(vfs, 0)
  }

  /// Frees the shared memory, as the end of the process does.
  /// - Precondition: No connection is open.
  func forgetMemory() {
    shared.forEach { $0.deallocate() }
    shared.removeAll()
  }

  /// Removes the file system from SQLite's list.
  /// - Precondition: No connection is open.
  func unregister() {
    sqlite3_vfs_unregister(vfs)
    forgetMemory()
    vfs.deallocate()
    free(cName)
  }

  private static func of(_ vfs: UnsafeMutablePointer<sqlite3_vfs>?) -> DatabaseFiles {
    guard let data = vfs?.pointee.pAppData else {
      preconditionFailure("a file system without DatabaseFiles")
    }
    return Unmanaged<DatabaseFiles>.fromOpaque(data).takeUnretainedValue()
  }

  private func open(
    _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
  ) -> Int32 {
    guard let file else { return SQLITE_CANTOPEN }
    file.pointee.pMethods = nil
    guard !isFailing else { return SQLITE_CANTOPEN }
    temporary += 1
    let path = name.map { String(cString: $0) } ?? "/temporary-\(temporary)"
    do throws(DiskFailure) {
      let isNew = !disk.exists(path)
      guard !isNew || flags & SQLITE_OPEN_CREATE != 0 else { return SQLITE_CANTOPEN }
      let descriptor = try disk.open(path, isNew ? .creating : .writing)
      let slot = OpenFile(file)
      slot.files = self
      slot.descriptor = descriptor
      // Like SQLite's file system of Unix, the first sync of a new journal or log syncs the folder
      // too. The ledger itself syncs the folder of an existing log.
      slot.syncsDirectory =
        flags & SQLITE_OPEN_WAL != 0 || isNew && flags & SQLITE_OPEN_MAIN_JOURNAL != 0
      file.pointee.pMethods = UnsafePointer(DatabaseFiles.methods)
      outFlags?.pointee = flags
      return SQLITE_OK
    } catch {
      return SQLITE_CANTOPEN
    }
  }

  private func delete(_ name: UnsafePointer<CChar>?) -> Int32 {
    guard let name else { return IOError.delete }
    do throws(DiskFailure) {
      guard disk.exists(String(cString: name)) else { return IOError.deleteMissing }
      try disk.remove(String(cString: name))
      return SQLITE_OK
    } catch {
      return IOError.delete
    }
  }

  private func exists(_ name: UnsafePointer<CChar>?) -> Bool {
    name.map { disk.exists(String(cString: $0)) } ?? false
  }

  private func randomize(_ out: UnsafeMutablePointer<CChar>?, _ count: Int) {
    for index in 0..<count {
      out?[index] = CChar(truncatingIfNeeded: disk.random.next())
    }
  }

  /// Region `number` of the shared memory.
  /// - Returns: `nil` when it does not exist and `extend` is false.
  fileprivate func region(_ number: Int, _ bytes: Int, extend: Bool) -> UnsafeMutableRawPointer? {
    while shared.count <= number {
      guard extend else { return nil }
      let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 8)
      memory.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      shared.append(memory)
    }
    return shared[number]
  }

  /// Runs a call of the disk and converts its error to a code of SQLite.
  /// - Parameter code: The result for every error except a full disk.
  private static func answer(
    _ code: Int32, _ body: () throws(DiskFailure) -> Void
  ) -> Int32 {
    do throws(DiskFailure) {
      try body()
      return SQLITE_OK
    } catch {
      return error.code == ENOSPC ? SQLITE_FULL : code
    }
  }

  /// SQLite's lock (WAL_CKPT_LOCK) for a checkpoint of the write-ahead log.
  private static let checkpointLock: Int32 = 1

  nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
    let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
    methods.initialize(to: sqlite3_io_methods())
    methods.pointee.iVersion = 2
    methods.pointee.xClose = { file in
      let slot = OpenFile(file)
      slot.files.disk.close(slot.descriptor)
      return SQLITE_OK
    }
    methods.pointee.xRead = { file, buffer, count, offset in
      OpenFile(file).read(buffer, Int(count), Int(offset))
    }
    methods.pointee.xWrite = { file, buffer, count, offset in
      OpenFile(file).write(buffer, Int(count), Int(offset))
    }
    methods.pointee.xTruncate = { file, size in
      let slot = OpenFile(file)
      return answer(IOError.truncate) { () throws(DiskFailure) in
        try slot.files.disk.resize(slot.descriptor, to: Int(size))
      }
    }
    methods.pointee.xSync = { file, _ in OpenFile(file).sync() }
    methods.pointee.xFileSize = { file, size in
      let slot = OpenFile(file)
      return answer(IOError.size) { () throws(DiskFailure) in
        size?.pointee = sqlite3_int64(try slot.files.disk.size(of: slot.descriptor))
      }
    }
    methods.pointee.xLock = { _, _ in SQLITE_OK }
    methods.pointee.xUnlock = { _, _ in SQLITE_OK }
    methods.pointee.xCheckReservedLock = { _, result in
      result?.pointee = 0
      return SQLITE_OK
    }
    methods.pointee.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
    methods.pointee.xSectorSize = { _ in 4096 }
    methods.pointee.xDeviceCharacteristics = { _ in 0 }
    methods.pointee.xShmMap = { file, number, bytes, extend, out in
      out?.pointee = nil
      let files = OpenFile(file).files
      out?.pointee = UnsafeMutableRawPointer(
        files.region(Int(number), Int(bytes), extend: extend != 0))
      return SQLITE_OK
    }
    methods.pointee.xShmLock = { file, lock, count, flags in
      // Only a checkpoint takes this lock alone. Recovery takes several locks at once, and it does
      // not occur beside a reader, which has the index of the log.
      let isTaken = OpenFile(file).files.isRead && lock == checkpointLock && count == 1
      return isTaken && flags & SQLITE_SHM_UNLOCK == 0 ? SQLITE_BUSY : SQLITE_OK
    }
    methods.pointee.xShmBarrier = { _ in }
    methods.pointee.xShmUnmap = { file, _ in
      OpenFile(file).files.forgetMemory()
      return SQLITE_OK
    }
    return methods
  }()

  /// A `sqlite3_file` of this file system; the file's head draws its layout.
  private struct OpenFile {
    let memory: UnsafeMutableRawPointer

    init(_ file: UnsafeMutablePointer<sqlite3_file>?) {
      guard let file else { preconditionFailure("SQLite passes its file") }
      memory = UnsafeMutableRawPointer(file)
    }

    var files: DatabaseFiles {
      get {
        let pointer = memory.load(fromByteOffset: 8, as: UnsafeRawPointer.self)
        return Unmanaged<DatabaseFiles>.fromOpaque(pointer).takeUnretainedValue()
      }
      nonmutating set {
        let pointer = UnsafeRawPointer(Unmanaged.passUnretained(newValue).toOpaque())
        memory.storeBytes(of: pointer, toByteOffset: 8, as: UnsafeRawPointer.self)
      }
    }
    var descriptor: Int32 {
      get { memory.load(fromByteOffset: 16, as: Int32.self) }
      nonmutating set { memory.storeBytes(of: newValue, toByteOffset: 16, as: Int32.self) }
    }
    var syncsDirectory: Bool {
      get { memory.load(fromByteOffset: 20, as: Int32.self) != 0 }
      nonmutating set {
        memory.storeBytes(of: newValue ? 1 : 0, toByteOffset: 20, as: Int32.self)
      }
    }

    func read(_ buffer: UnsafeMutableRawPointer?, _ count: Int, _ offset: Int) -> Int32 {
      guard !files.fails(isWrite: false) else { return IOError.read }
      let target = UnsafeMutableRawBufferPointer(start: buffer, count: count)
      do throws(DiskFailure) {
        let done = try files.disk.read(descriptor, into: target, at: offset)
        guard done < count else { return SQLITE_OK }
        // SQLite requires zeros after the end of the file.
        UnsafeMutableRawBufferPointer(rebasing: target[done...])
          .initializeMemory(as: UInt8.self, repeating: 0)
        return IOError.shortRead
      } catch {
        return IOError.read
      }
    }

    func write(_ buffer: UnsafeRawPointer?, _ count: Int, _ offset: Int) -> Int32 {
      answer(IOError.write) { () throws(DiskFailure) in
        guard !files.fails(isWrite: true) else { throw DiskFailure(EIO) }
        var done = 0
        while done < count {
          let rest = UnsafeRawBufferPointer(start: buffer.map { $0 + done }, count: count - done)
          done += try files.disk.write(descriptor, rest, at: offset + done)
        }
      }
    }

    func sync() -> Int32 {
      answer(IOError.sync) { () throws(DiskFailure) in
        guard !files.fails(isWrite: true) else { throw DiskFailure(EIO) }
        try files.disk.sync(descriptor)
        guard syncsDirectory else { return }
        try files.disk.syncDirectory("/")
        syncsDirectory = false
      }
    }
  }
}
