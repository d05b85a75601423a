// Measures the cost of durability on the disk of a folder. Four results:
//
//   sync      one 4 KiB write into zeros and one fdatasync, as the journal does it: the lower bound
//   one       single commands: each is pushed when the one before is durable
//   group     commands as fast as the ring accepts them, with group commit
//   read      the written journal, verified and decoded by one thread from the page cache
//
// It excludes the exchange and sockets.

import ArgumentParser
import Glibc
import Journaling
import MarketModel
import Rings

/// The `journal` command.
@main
struct Journal: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Measures the journal.")

  @Option(help: "Folder on the disk to measure; a temporary folder is created in it.")
  var folder = "/tmp"

  @Option(help: "Number of single commands.")
  var ones = 5_000

  @Option(help: "Number of commands of the group run.")
  var commands = 4_000_000

  func run() throws {
    var template = Array("\(folder)/journal-benchmark-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw ExitCode(EX_CANTCREAT) }
    let directory = String(cString: made)
    defer { remove(directory) }
    report("sync", try sync(in: directory))
    let lock = try DirectoryLock(directory)
    let bell = Doorbell()
    let writer = try JournalWriter(
      lock, Recovery.recover(lock), onDurable: { _ in bell.ring() })
    var sequencer = Sequencer(clock: .system)
    var producer = writer.claimProducer()
    report("one", lone(&producer, &sequencer, writer, bell))
    let seconds = group(&producer, &sequencer, writer)
    print("group   \(rate(commands, seconds)) commands/s")
    for verification in [Verification.hashes, .checksums] {
      let start = now()
      let count = try read(directory, verification)
      print("read    \(rate(count, Double(now() - start) / 1e9)) commands/s (\(verification))")
    }
  }

  private func sync(in directory: String) throws -> [UInt64] {
    let path = directory + "/floor"
    let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
    defer {
      close(descriptor)
      unlink(path)
    }
    let block = [UInt8](repeating: 0, count: 4096)
    for index in 0..<ones { pwrite(descriptor, block, 4096, off_t(index * 4096)) }
    guard fsync(descriptor) == 0 else { throw ExitCode(EX_IOERR) }
    return (0..<ones).map { index in
      let start = now()
      pwrite(descriptor, block, 4096, off_t(index * 4096))
      fdatasync(descriptor)
      return now() - start
    }
  }

  private func lone(
    _ producer: inout SingleProducerRing<Command>.Producer, _ sequencer: inout Sequencer,
    _ writer: JournalWriter, _ bell: Doorbell
  ) -> [UInt64] {
    var times: [UInt64] = []
    for _ in 0..<ones {
      var command = order(sequencer.lastSequence.rawValue)
      let start = now()
      _ = sequencer.readClock()
      sequencer.stamp(&command)
      _ = producer.push(command)
      let sequence = command.sequence
      _ = bell.wait { writer.durable >= sequence }
      times.append(now() - start)
    }
    return times
  }

  private func group(
    _ producer: inout SingleProducerRing<Command>.Producer, _ sequencer: inout Sequencer,
    _ writer: JournalWriter
  ) -> Double {
    let start = now()
    for index in 0..<commands {
      var command = order(UInt64(index))
      if index & 31 == 0 { _ = sequencer.readClock() }
      sequencer.stamp(&command)
      while !producer.append(command) {
        producer.publish()
        sched_yield()
      }
      if index & 31 == 31 { producer.publish() }
    }
    producer.publish()
    writer.close()
    return Double(now() - start) / 1e9
  }

  private func read(_ directory: String, _ verification: Verification) throws -> Int {
    var reader = try JournalReader(directory: directory, verification: verification)
    var (count, sum): (Int, UInt64) = (0, 0)
    while let command = try reader.next() {
      count += 1
      sum &+= command.time.nanoseconds  // so that the compiler does not remove the decoding
    }
    return sum == 0 ? 0 : count
  }

  private func order(_ number: UInt64) -> Command {
    Command(
      session: SessionId(1), clientSequence: number,
      body: .enter(
        NewOrder(
          account: AccountId(1), instrument: InstrumentId(1), side: number & 1 == 0 ? .buy : .sell,
          clientOrderId: ClientOrderId(number + 1), price: Price(ticks: 10_000),
          quantity: Energy(wattHours: 1_000))))
  }

  private func report(_ name: String, _ times: [UInt64]) {
    let sorted = times.sorted()
    let (half, most) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
    let label = name + String(repeating: " ", count: 8 - name.count)
    print("\(label)p50 \(half / 1000) us, p99 \(most / 1000) us")
  }

  private func rate(_ count: Int, _ seconds: Double) -> Int { Int(Double(count) / seconds) }

  private func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private func remove(_ directory: String) {
    guard let stream = opendir(directory) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      unlink(directory + "/" + name)
    }
    closedir(stream)
    rmdir(directory)
  }
}
