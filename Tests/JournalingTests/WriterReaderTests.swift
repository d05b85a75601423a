import Glibc
import Journaling
import MarketModel
import Rings
import Synchronization
import Testing

@Suite("A journal written and read")
struct WriterReaderTests {
  @Test("Commands journaled over several segments and runs are read back unchanged.")
  func severalSegmentsAndRuns() throws {
    let folder = Folder()
    var commands = RandomCommands(seed: 3)
    var all: [Command] = []
    for run in 0..<3 {
      let batches = (0..<40).map { _ in
        commands.batch(1 + Int.random(in: 0..<60, using: &commands.random))
      }
      try folder.write(batches, segmentBytes: 64 * 1024, seal: run != 1)
      all += batches.flatMap { $0 }
    }
    #expect(folder.segments.count > 5)
    #expect(try folder.read().map(record) == all.map(record))
    let epochs = Set(try folder.blocks().map(\.header.epoch))
    #expect(epochs == [1, 2, 3])
    for first in [2, 57, all.count - 3, all.count] {
      let tail = try folder.read(from: UInt64(first))
      #expect(tail.map(record) == all[(first - 1)...].map(record))
    }
    #expect(try folder.read(from: UInt64(all.count + 1)).isEmpty)
  }

  @Test("The journal thread makes queued commands durable, and a follower reads them live.")
  func threadAndFollower() throws {
    let folder = Folder()
    let lock = try DirectoryLock(folder.path)
    var options = JournalWriter.Options()
    options.segmentBytes = 512 * 1024
    let bell = Doorbell()
    let writer = try JournalWriter(
      lock, Recovery.recover(lock), options: options, onDurable: { _ in bell.ring() })
    var commands = RandomCommands(seed: 11)
    let all = commands.batch(40_000)
    let followed = Mutex<[[UInt64]]>([])
    let path = folder.path
    let total = SequenceNumber(UInt64(all.count))
    let follower = ServiceThread("test") {
      do throws(JournalError) {
        var reader = try JournalReader(directory: path, verification: .checksums)
        while reader.position <= total {
          let position = reader.position
          _ = bell.wait { writer.durable >= position }
          while let command = try reader.next(through: writer.durable) {
            followed.withLock { $0.append(record(command)) }
          }
        }
      } catch {
        Issue.record(error)
      }
    }
    var producer = writer.claimProducer()
    for (index, command) in all.enumerated() {
      producer.stage(command)
      if index % 97 == 0 || index < 50 { producer.publish() }
    }
    producer.publish()
    writer.close()
    follower.join()
    #expect(writer.durable == total)
    #expect(followed.withLock { $0 } == all.map(record))
    #expect(try Recovery.examine(folder.path).isSealed)
    #expect(try folder.read().map(record) == all.map(record))
  }

  @Test("A follower reads only durable bytes from the disk, however far behind it is.")
  func followerReadsWhatIsDurable() throws {
    let folder = Folder()
    let disk = FailStopTests.FailingDisk()
    let lock = try DirectoryLock(folder.path)
    var appender = try JournalAppender(lock, Recovery.recover(lock), segmentBytes: 1 << 20)
    var commands = RandomCommands(seed: 5)
    var reader = try BlockReader(directory: folder.path, disk: disk)
    var (read, end, beyond) = (0, 0, 0)
    for round in 0..<60 {
      for _ in 0..<(round % 7 == 0 ? 9 : 1) {
        try appender.append(commands.batch(1 + Int.random(in: 0..<90, using: &commands.random)))
      }
      while let block = try reader.next(through: appender.durable) {
        read += Int(block.header.count)
        end = block.offset + block.header.blockBytes
      }
      if disk.furthestRead.load(ordering: .relaxed) > end { beyond += 1 }
    }
    #expect(read == Int(appender.durable.rawValue))
    #expect(beyond == 0)
    #expect(end < 1 << 20)
  }

  @Test(
    "Both threads commit in any alternation: every command becomes durable once, in order.",
    arguments: [0, 50_000, 1_000_000_000] as [UInt64])
  func commitsHere(patience: UInt64) throws {
    let folder = Folder()
    let lock = try DirectoryLock(folder.path)
    var options = JournalWriter.Options()
    // Blocks of 4 KiB are too small for a turn, so at the end of a segment one turn becomes two
    // blocks.
    options.segmentBytes = 64 << 10
    options.ringCapacity = 512
    let writer = try JournalWriter(lock, Recovery.recover(lock), options: options)
    var producer = writer.claimProducer()
    var commands = RandomCommands(seed: 13)
    var all: [Command] = []
    var here = 0
    for round in 0..<400 {
      for _ in 0..<(1 + round % 128) {
        let command = commands.next(.enter)
        all.append(command)
        producer.stage(command)
      }
      guard round % 3 != 0 else {
        producer.publish()
        // Only the journal thread waits for a segment, including the first.
        while writer.durable == .none { usleep(100) }
        continue
      }
      producer.publishQuietly()
      if writer.commitHere(waiting: patience) {
        here += 1
        #expect(writer.durable == SequenceNumber(commands.sequence))
      } else {
        producer.wake()
      }
    }
    writer.close()
    #expect(writer.durable == SequenceNumber(commands.sequence))
    #expect(here > 0)
    #expect(try folder.read().map(record) == all.map(record))
  }

  @Test("A command is published as durable only when it can be read from the file.")
  func durableIsReadable() throws {
    let folder = Folder()
    let lock = try DirectoryLock(folder.path)
    let unread = Atomic<Int>(0)
    let path = folder.path
    let writer = try JournalWriter(
      lock, Recovery.recover(lock),
      onDurable: { durable in
        do throws(JournalError) {
          var reader = try JournalReader(directory: path, from: durable)
          if try reader.next(through: durable)?.sequence != durable {
            unread.add(1, ordering: .relaxed)
          }
        } catch {
          unread.add(1, ordering: .relaxed)
        }
      })
    var producer = writer.claimProducer()
    var commands = RandomCommands(seed: 12)
    for _ in 0..<200 {
      let pushed = producer.push(commands.next(.enter))
      #expect(pushed)
      if commands.sequence % 7 == 0 { usleep(200) }
    }
    writer.close()
    #expect(writer.durable == SequenceNumber(200))
    #expect(unread.load(ordering: .relaxed) == 0)
  }

  @Test("One command takes one block of 4 KiB; many share one of at most 256 KiB.")
  func blockSizes() throws {
    let folder = Folder()
    var commands = RandomCommands(seed: 8)
    let many = (0..<8_000).map { _ in commands.next(.enter) }
    try folder.write([[many[0]], Array(many[1...])])
    let sizes = try folder.blocks().map(\.header.blockBytes)
    #expect(sizes == [4096, 262_144, 262_144, 118_784])
    #expect(try folder.blocks().map(\.header.count) == [1, 3275, 3275, 1449])
  }

  @Test("A second server is refused with the process id of the first.")
  func locked() throws {
    let folder = Folder()
    let lock = try DirectoryLock(folder.path)
    #expect(throws: JournalError.locked(path: folder.path, holder: getpid())) {
      try DirectoryLock(folder.path)
    }
    _ = lock.directory
  }

  @Test("A follower whose bound is beyond the journal's end reports corruption.")
  func brokenPromise() throws {
    let folder = Folder()
    var commands = RandomCommands(seed: 9)
    try folder.write([commands.batch(5)])
    var reader = try JournalReader(directory: folder.path)
    for _ in 0..<5 { #expect(try reader.next(through: SequenceNumber(6)) != nil) }
    let path = folder.segments[0]
    #expect(
      throws: JournalError.corrupt(
        path: path, offset: 4096, expected: SequenceNumber(6), .notABlock)
    ) { try reader.next(through: SequenceNumber(6)) }
  }
}

extension SingleProducerRing<Command>.Producer {
  /// Stages a command; if the ring is full, waits until the journal has taken some.
  fileprivate mutating func stage(_ command: Command) {
    while !append(command) {
      publish()
      sched_yield()
    }
  }
}
