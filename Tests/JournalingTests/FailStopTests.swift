import Glibc
import Journaling
import MarketModel
import Synchronization
import Testing

@Suite("When the disk fails")
struct FailStopTests {
  /// A disk that works until the test makes it fail.
  final class FailingDisk: Disk {
    enum Fault: Int, AtomicRepresentable { case none, fullDisk, shortWrite, sync }
    let fault = Atomic<Fault>(.none)
    let callsAfterFault = Atomic<Int>(0)
    /// Number of segments that are filled with zeros before the disk blocks.
    let segmentsDone = Atomic<Int>(.max)
    /// Number of zero-filled segments begun.
    let segmentsBegun = Atomic<Int>(0)
    /// Number of files that can be removed before the disk refuses.
    let removalsLeft = Atomic<Int>(.max)
    /// Descriptor of the segment that blocks are written to.
    private let blocks = Atomic<Int32>(-1)
    /// Descriptor of the next segment, whose zeros never fail.
    private let zeros = Atomic<Int32>(-1)
    /// Greatest end offset of a read request.
    let furthestRead = Atomic<Int>(0)
    private let system = SystemDisk()

    func write(
      _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) throws(DiskFailure) -> Int {
      let isZeros = zeros.load(ordering: .acquiring) == descriptor
      if !isZeros { blocks.store(descriptor, ordering: .relaxed) } else if offset == 0 { hang() }
      let fault = fault.load(ordering: .acquiring)
      guard !isZeros, fault == .fullDisk || fault == .shortWrite else {
        return try system.write(descriptor, bytes, at: offset)
      }
      let call = callsAfterFault.add(1, ordering: .relaxed).newValue
      if fault == .shortWrite, call == 1 {
        return try system.write(
          descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), at: offset)
      }
      throw DiskFailure(ENOSPC)
    }

    private func hang() {
      let number = segmentsBegun.add(1, ordering: .relaxed).newValue
      while number > segmentsDone.load(ordering: .acquiring) { usleep(200) }
    }

    func sync(_ descriptor: Int32) throws(DiskFailure) {
      guard fault.load(ordering: .acquiring) == .sync,
        blocks.load(ordering: .relaxed) == descriptor
      else { return try system.sync(descriptor) }
      callsAfterFault.add(1, ordering: .relaxed)
      throw DiskFailure(EIO)
    }

    func open(_ path: String, _ access: DiskAccess) throws(DiskFailure) -> Int32 {
      let descriptor = try system.open(path, access)
      // Descriptors are reused: one opened for reading or writing is not the next segment.
      if access == .creating {
        zeros.store(descriptor, ordering: .releasing)
      } else {
        _ = zeros.compareExchange(
          expected: descriptor, desired: -1, ordering: .acquiringAndReleasing)
      }
      return descriptor
    }
    func close(_ descriptor: Int32) { system.close(descriptor) }
    func size(of descriptor: Int32) throws(DiskFailure) -> Int { try system.size(of: descriptor) }
    func read(
      _ descriptor: Int32, into bytes: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(DiskFailure) -> Int {
      _ = furthestRead.max(offset + bytes.count, ordering: .relaxed)
      return try system.read(descriptor, into: bytes, at: offset)
    }
    func rename(_ path: String, to name: String) throws(DiskFailure) {
      try system.rename(path, to: name)
    }
    func remove(_ path: String) throws(DiskFailure) {
      guard removalsLeft.subtract(1, ordering: .relaxed).oldValue > 0 else {
        throw DiskFailure(EIO)
      }
      try system.remove(path)
    }
    func names(in directory: String) throws(DiskFailure) -> [String] {
      try system.names(in: directory)
    }
    func makeDirectory(_ path: String) throws(DiskFailure) { try system.makeDirectory(path) }
    func syncDirectory(_ path: String) throws(DiskFailure) { try system.syncDirectory(path) }
    func lockDirectory(_ path: String) throws(DiskFailure) -> Int32 {
      try system.lockDirectory(path)
    }
    func lock(_ path: String) throws(DiskFailure) -> Int32 { try system.lock(path) }
    func unlock(_ descriptor: Int32) { system.unlock(descriptor) }
  }

  @Test(
    "A failed write or sync is not retried, publishes nothing and stops the journal.",
    arguments: [FailingDisk.Fault.fullDisk, .shortWrite, .sync])
  func failureStops(fault: FailingDisk.Fault) throws {
    let folder = Folder()
    let disk = FailingDisk()
    let failures = Mutex<[JournalError]>([])
    let writer = try writer(folder, disk) { error in failures.withLock { $0.append(error) } }
    var commands = RandomCommands(seed: 71)
    var producer = writer.claimProducer()
    for command in commands.batch(20) {
      let pushed = producer.push(command)
      #expect(pushed)
    }
    while writer.durable < SequenceNumber(20) { usleep(100) }
    disk.fault.store(fault, ordering: .releasing)
    for command in commands.batch(20) {
      let pushed = producer.push(command)
      #expect(pushed)
    }
    writer.close()
    #expect(writer.durable == SequenceNumber(20))
    #expect(writer.hasFailed)
    #expect(disk.callsAfterFault.load(ordering: .relaxed) == (fault == .shortWrite ? 2 : 1))
    let (operation, code) = fault == .sync ? (JournalError.Operation.sync, EIO) : (.write, ENOSPC)
    guard case .system(operation, folder.segments[0], _, code)? = failures.withLock(\.first) else {
      Issue.record("\(failures.withLock { $0 })")
      return
    }
  }

  private func writer(
    _ folder: Folder, _ disk: FailingDisk, onFailure: @escaping @Sendable (JournalError) -> Void
  ) throws -> JournalWriter {
    let lock = try DirectoryLock(folder.path, on: disk)
    var options = JournalWriter.Options()
    options.segmentBytes = 1 << 20
    return try JournalWriter(
      lock, Recovery.recover(lock), options: options, onFailure: onFailure)
  }

  @Test("A failure is reported at once, even while the disk is stuck with the next segment.")
  func failureWaitsForNobody() throws {
    let folder = Folder()
    let disk = FailingDisk()
    disk.segmentsDone.store(1, ordering: .releasing)
    let isTold = Atomic<Bool>(false)
    let writer = try writer(folder, disk) { _ in isTold.store(true, ordering: .releasing) }
    var commands = RandomCommands(seed: 73)
    var producer = writer.claimProducer()
    _ = producer.push(commands.next(.enter))
    while disk.segmentsBegun.load(ordering: .relaxed) < 2 { usleep(100) }
    while writer.durable < SequenceNumber(1) { usleep(100) }
    disk.fault.store(.sync, ordering: .releasing)
    _ = producer.push(commands.next(.enter))
    // One minute, needed only by a writer that waits for the disk.
    var patience = 60_000
    while !isTold.load(ordering: .acquiring), patience > 0 {
      usleep(1_000)
      patience -= 1
    }
    let wasTold = isTold.load(ordering: .acquiring)
    #expect(wasTold)
    disk.segmentsDone.store(.max, ordering: .releasing)
    writer.close()
  }

  @Test(
    "A commit on another thread does not wait for a segment on a stuck disk."
  )
  func nobodyElseWaitsForSegments() throws {
    let folder = Folder()
    let disk = FailingDisk()
    disk.segmentsDone.store(1, ordering: .releasing)
    let writer = try writer(folder, disk) { Issue.record("\($0)") }
    var commands = RandomCommands(seed: 74)
    var producer = writer.claimProducer()
    // One block each: 256 fill the first segment.
    for number in 1...257 as ClosedRange<UInt64> {
      _ = producer.append(commands.next(.enter))
      producer.publishQuietly()
      if !writer.commitHere() { producer.wake() }
      while number < 257, writer.durable < SequenceNumber(number) { usleep(100) }
    }
    #expect(writer.durable == SequenceNumber(256))
    disk.segmentsDone.store(.max, ordering: .releasing)
    writer.close()
    #expect(writer.durable == SequenceNumber(257))
  }

  @Test("A server whose journal reaches the file size limit ends with status 74.")
  func processEnds() async throws {
    let folder = Folder()
    await #expect(processExitsWith: .exitCode(74)) { [path = folder.path as String] in
      let lock = try DirectoryLock(path)
      var options = JournalWriter.Options()
      options.segmentBytes = 64 * 1024
      let writer = try JournalWriter(lock, Recovery.recover(lock), options: options)
      var producer = writer.claimProducer()
      var commands = RandomCommands(seed: 72)
      while !producer.push(commands.next(.enter)) {}
      while writer.durable < SequenceNumber(1) { usleep(100) }
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 32 * 1024, rlim_max: 32 * 1024)
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      for _ in 0..<2_000 {
        _ = producer.push(commands.next(.enter))
        usleep(100)
      }
      writer.close()
    }
    let durable = try folder.recover().lastSequence
    #expect(durable > .none && durable < SequenceNumber(2_001))
  }

  @Test("Commands published as durable exist after the process was killed.", arguments: 0..<8)
  func killed(round: Int) async throws {
    let folder = Folder()
    let note = folder.path + "/acknowledged"
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [path = folder.path as String, note = note as String, round = round as Int] in
      let lock = try DirectoryLock(path)
      var options = JournalWriter.Options()
      options.segmentBytes = 256 * 1024
      let descriptor = open(note, O_CREAT | O_RDWR, 0o600)
      let writer = try JournalWriter(
        lock, Recovery.recover(lock), options: options,
        onDurable: { durable in
          var sequence = durable.rawValue
          _ = pwrite(descriptor, &sequence, 8, 0)
        })
      var producer = writer.claimProducer()
      var commands = RandomCommands(seed: UInt64(round))
      while commands.sequence < 50_000 {
        let command = commands.next(.enter)
        while !producer.push(command) { usleep(50) }
        if writer.durable.rawValue > UInt64(round * 1_500 + 10) { kill(getpid(), SIGKILL) }
      }
    }
    let acknowledged = bytes(of: note).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    let found = try folder.recover()
    #expect(acknowledged > 0 && found.lastSequence.rawValue >= acknowledged)
    var commands = RandomCommands(seed: UInt64(round))
    let read = try folder.read()
    #expect(read.count == Int(found.lastSequence.rawValue))
    #expect(read.map(record) == read.indices.map { _ in record(commands.next(.enter)) })
  }
}
