import Foundation
import GatewayKit
import MarketModel
import Testing

@testable import JoulebookServer

@Suite("Refused log-ons in the log")
struct RefusedLogOnsTests {
  private let one = LogOnAddress("192.0.2.1")

  private func at(_ seconds: UInt64) -> SteadyTime {
    SteadyTime(nanoseconds: (1_000 + seconds) * 1_000_000_000)
  }

  @Test("The first of an address and reason is told at once, the others by the timer, each once.")
  func lines() {
    var refused = RefusedLogOns()
    let first = refused.note(SessionId(1), .badSignature, from: one)
    #expect(first?.count == 1 && first?.failure == .badSignature)
    for session in 2...5 as ClosedRange<UInt32> {
      #expect(refused.note(SessionId(session), .badSignature, from: one) == nil)
    }
    #expect(refused.note(SessionId(6), .timestamp, from: one)?.failure == .timestamp)
    #expect(refused.note(SessionId(6), .timestamp, from: nil)?.address == nil)
    #expect(refused.note(SessionId(7), .timestamp, from: one) == nil)
    #expect(refused.isDue(at: at(0)))
    let due = refused.take(at: at(0))
    #expect(Set(due.map(\.failure)) == [.badSignature, .timestamp] && due.count == 2)
    #expect(due.first { $0.failure == .badSignature }?.count == 4)
    #expect(due.first { $0.failure == .badSignature }?.session == SessionId(5))
    #expect(!refused.isDue(at: at(9)) && refused.isDue(at: at(10)))
    #expect(refused.note(SessionId(8), .badSignature, from: one) == nil, "a line of it is recent")
    #expect(refused.take(at: at(10)).map(\.count) == [1])
    #expect(refused.take(at: at(20)).isEmpty && !refused.isDue(at: at(40)))
    #expect(refused.note(SessionId(8), .badSignature, from: one)?.count == 1)
  }

  @Test("Beyond so many addresses all others share a line for each reason.")
  func bounded() {
    var refused = RefusedLogOns()
    var told = 0
    for number in 0..<1_000 {
      let line = refused.note(SessionId(1), .badSignature, from: LogOnAddress("\(number)"))
      if line != nil { told += 1 }
    }
    #expect(told == RefusedLogOns.capacity + 1)
    let due = refused.take(at: at(0))
    #expect(due.map(\.count) == [1_000 - told] && due.first?.isOfOthers == true)
  }

  @Test("A server tells each reason with its number, also without a further failure.")
  func server() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    let village = Village()
    for attempt in 0..<6 {
      let session = try RawSession(port: server.port)
      // Session 1 exists and the key is another one; session 77 does not exist.
      try session.negotiate(SessionId(attempt < 4 ? 1 : 77), version: 1, key: village.meterKey)
      #expect(try session.verdict().code == .badSignature)
    }
    #expect(server.stop() == 0)
    let lines = server.log.split(separator: "\n").filter { $0.contains("log-ons are refused") }
    for (reason, counts) in [("badSignature", ["1", "3"]), ("unknownSession", ["1", "1"])] {
      let own = lines.filter { $0.contains("reason=\(reason)") && $0.contains("127.0.0.1") }
      #expect(
        own.count == 2 && zip(own, counts).allSatisfy { $0.contains("count=\($1)") }, "\(own)")
    }
  }
}
