import Glibc
import Journaling
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Commit logs")
struct CommitLogTests {
  private func command(_ sequence: UInt64) -> Command {
    Command(
      session: .exchange, body: .control(.tick), sequence: SequenceNumber(sequence),
      time: Timestamp(nanoseconds: sequence))
  }

  /// Appends a turn of commands.
  private func append(_ numbers: ClosedRange<UInt64>, to log: inout ConfiguredLog) {
    let hasCapacity = log.hasCapacity(for: numbers.count)
    #expect(hasCapacity)
    for number in numbers { log.append(command(number)) }
    log.endTurn()
  }

  @Test("Without a journal appended commands count as durable at once.")
  func none() {
    var log = ConfiguredLog(NoLog(after: SequenceNumber(7)))
    let before = log.durable
    append(8...300, to: &log)
    let (after, headroom, isHindered) = (log.durable, log.headroom, log.isHindered)
    let progress = log.progress
    log.close()
    #expect(before == SequenceNumber(7) && after == SequenceNumber(300))
    #expect(headroom == .ample && !isHindered && progress == nil)
  }

  @Test(
    "The local log makes turns durable on this thread or its own, and ends in order.",
    arguments: [0, 128])
  func local(direct: Int) throws {
    let folder = try TemporaryFolder()
    let lock = try DirectoryLock(folder.path + "/journal")
    let journal = try JournalWriter(lock, Recovery.recover(lock))
    var log = ConfiguredLog(LocalLog(journal, direct: direct))
    // Small turns, and one longer than a group.
    for turn in [1...1, 2...10, 11...400, 401...402] as [ClosedRange<UInt64>] {
      append(turn, to: &log)
      while log.durable < SequenceNumber(turn.upperBound) { usleep(100) }
    }
    let readable = log.progress
    let progress = try #require(readable)
    #expect(progress.durable == SequenceNumber(402) && progress.isInPlace)
    log.close()
    let found = try Recovery.survey(folder.path + "/journal")
    #expect(found.lastSequence == SequenceNumber(402) && found.isSealed)
  }
}
