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
    #expect(first?.count == 1 && first?.reason == .badSignature)
    for session in 2...5 as ClosedRange<UInt32> {
      #expect(refused.note(SessionId(session), .badSignature, from: one) == nil)
    }
    #expect(refused.note(SessionId(6), .timestamp, from: one)?.reason == .timestamp)
    #expect(refused.note(SessionId(6), .timestamp, from: nil)?.source == nil)
    #expect(refused.note(SessionId(7), .timestamp, from: one) == nil)
    #expect(refused.isDue(at: at(0)))
    let due = refused.take(at: at(0))
    #expect(Set(due.map(\.reason)) == [.badSignature, .timestamp] && due.count == 2)
    #expect(due.first { $0.reason == .badSignature }?.count == 4)
    #expect(due.first { $0.reason == .badSignature }?.session == SessionId(5))
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

  @Test("Why a session ended is told with code, session and address, and counted.")
  func badFrames() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    let village = Village()
    try village.setUp(on: server)
    for _ in 0..<3 {
      let session = try RawSession(port: server.port)
      try session.logOn(SessionId(3), key: village.key)
      session.send([7, 0, 0, 0, 0, 0, 0, 0])
      #expect(try session.verdict().code == .badFrameLength)
    }
    let stranger = try RawSession(port: server.port)
    stranger.send([7, 0, 0, 0, 0, 0, 0, 0])
    #expect(try stranger.verdict().code == .badFrameLength)
    #expect(server.stop() == 0)
    let lines = server.log.split(separator: "\n").filter { $0.contains("connection ends") }
    #expect(Self.total(lines) == 3, "strangers are not told: \(lines)")
    for line in lines {
      for word in ["code=2001", "session=3", "address=127.0.0.1"] {
        #expect(line.contains(word), "\(word): \(line)")
      }
    }
  }

  @Test("Lost connections of a session are counted in a line every ten seconds.")
  func lostConnections() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", options: ["--set", "capacity.orders=1024"])
    let village = Village()
    try village.setUp(on: server)
    for _ in 0..<4 {
      try village.trader(3, server, orders: .canceled(afterMilliseconds: 5_000)).drop()
      for _ in 0..<200 where try village.status(server).connectionCount > 1 { usleep(10_000) }
    }
    #expect(server.stop() == 0)
    let lines = server.log.split(separator: "\n").filter { $0.contains("connection was lost") }
    #expect(Self.total(lines) == 4 && lines.allSatisfy { $0.contains("session=3") }, "\(lines)")
  }

  /// The sum of the numbers in lines of the log.
  private static func total(_ lines: [Substring]) -> Int {
    lines.compactMap { line in
      line.split(separator: " ").first { $0.hasPrefix("count=") }.flatMap { Int($0.dropFirst(6)) }
    }.reduce(0, +)
  }

  @Test("The ten seconds begin with the first line, so that a second event is counted.")
  func interval() {
    var refused = RefusedLogOns()
    #expect(refused.take(at: at(0), isLast: false).isEmpty)
    #expect(refused.note(SessionId(1), .badSignature, from: one) != nil)
    #expect(refused.take(at: at(50), isLast: false).isEmpty)
    #expect(refused.note(SessionId(1), .badSignature, from: one) == nil, "told a moment ago")
    #expect(refused.take(at: at(59), isLast: false).isEmpty)
    #expect(refused.take(at: at(60), isLast: false).map(\.count) == [1])
    #expect(refused.take(at: at(70), isLast: false).isEmpty)
    #expect(refused.note(SessionId(1), .badSignature, from: one) != nil)
    #expect(refused.note(SessionId(1), .badSignature, from: one) == nil)
    #expect(refused.take(at: at(71), isLast: true).map(\.count) == [1])
  }
}
