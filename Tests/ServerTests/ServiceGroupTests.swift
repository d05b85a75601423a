import Foundation
import Rings
import Synchronization
import Testing

@testable import JoulebookServer

@Suite("Services")
struct ServiceGroupTests {
  /// Records the events of several services, in order.
  private final class Diary: Sendable {
    let lines = Mutex<[String]>([])
    func write(_ line: String) { lines.withLock { $0.append(line) } }
  }

  /// Runs until its end is requested, and records the name of its thread.
  private final class Sleeper: Service {
    let name: String
    private let diary: Diary
    private let bell = Doorbell()
    private let isEnding = Atomic<Bool>(false)
    private let hasBegun = Doorbell()
    private let isRunning = Atomic<Bool>(false)

    init(_ name: String, _ diary: Diary) { (self.name, self.diary) = (name, diary) }

    func run() {
      let file = FileManager.default.contents(atPath: "/proc/thread-self/comm") ?? Data()
      let thread = String(decoding: file, as: UTF8.self).trimmingCharacters(in: .newlines)
      diary.write("\(name) runs on \(thread)")
      isRunning.store(true, ordering: .releasing)
      hasBegun.ring()
      _ = bell.wait { isEnding.load(ordering: .acquiring) }
      diary.write("\(name) returns")
    }

    func end() {
      diary.write("\(name) is told")
      isEnding.store(true, ordering: .releasing)
      bell.ring()
    }

    func waitForBegin() { _ = hasBegun.wait { isRunning.load(ordering: .acquiring) } }
  }

  @Test("Each service has a named thread, and has ended before the next one is stopped.")
  func order() {
    let diary = Diary()
    let services = ["settlement", "retransmission"].map { Sleeper($0, diary) }
    let group = ServiceGroup(services)
    group.start()
    for service in services { service.waitForBegin() }
    #expect(
      Set(diary.lines.withLock { $0 }) == [
        "settlement runs on settlement", "retransmission runs on retransmission",
      ])
    group.end()
    #expect(
      diary.lines.withLock { Array($0.dropFirst(2)) } == [
        "settlement is told", "settlement returns", "retransmission is told",
        "retransmission returns",
      ])
  }
}
