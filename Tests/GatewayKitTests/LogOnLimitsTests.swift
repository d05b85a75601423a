import Testing

@testable import GatewayKit

@Suite("Limits of log-ons that prove nothing")
struct LogOnLimitsTests {
  private let limits = LogOnLimits(failures: 3, loopback: 5)
  private let stranger = LogOnAddress("192.0.2.1")
  private static let second: UInt64 = 1_000_000_000

  private func at(_ seconds: UInt64) -> SteadyTime {
    SteadyTime(nanoseconds: 1_000 * Self.second + seconds * Self.second)
  }

  private func address(_ number: UInt64) -> LogOnAddress { LogOnAddress("\(number)") }

  @Test("An address that reaches the limit is not looked at for the rest of the minute.")
  func limit() {
    for second in 0..<3 as Range<UInt64> {
      #expect(limits.timeLeft(stranger, at: at(second)) == nil)
      limits.refused(.badSignature, from: stranger, at: at(second))
    }
    #expect(limits.timeLeft(stranger, at: at(2)) == 58 * Self.second)
    #expect(
      limits.timeLeft(LogOnAddress("192.0.2.2"), at: at(2)) == nil, "another address is not limited"
    )
    #expect(limits.timeLeft(stranger, at: at(59)) == Self.second)
    #expect(limits.timeLeft(stranger, at: at(60)) == nil)
    limits.refused(.badSignature, from: stranger, at: at(60))
    #expect(limits.timeLeft(stranger, at: at(60)) == nil, "a new minute begins with one failure")
  }

  @Test("The server's own machine has a limit of its own; an unknown address has none.")
  func loopback() {
    let own = LogOnAddress("127.0.0.1", isLoopback: true)
    for _ in 0..<4 { limits.refused(.unknownSession, from: own, at: at(0)) }
    #expect(limits.timeLeft(own, at: at(0)) == nil)
    limits.refused(.unknownSession, from: own, at: at(0))
    #expect(limits.timeLeft(own, at: at(0)) != nil)
    for _ in 0..<100 { limits.refused(.badSignature, from: nil, at: at(0)) }
    #expect(limits.timeLeft(nil, at: at(0)) == nil)
  }

  @Test("Only what leaves open who the client is counts.")
  func proven() {
    for failure in [LogOnFailure.timestamp, .notAdmissible, .oldVersion, .tooMany] {
      for _ in 0..<10 { limits.refused(failure, from: stranger, at: at(0)) }
    }
    #expect(limits.timeLeft(stranger, at: at(0)) == nil)
  }

  @Test("So many addresses are remembered and no more; the one that came first is forgotten.")
  func bounded() {
    let most = UInt64(LogOnLimits.mostAddresses)
    for number in 0..<most {
      for _ in 0..<3 { limits.refused(.badSignature, from: address(number), at: at(0)) }
    }
    #expect(limits.addressCount == LogOnLimits.mostAddresses)
    #expect(limits.timeLeft(address(0), at: at(1)) != nil)
    limits.refused(.badSignature, from: address(most), at: at(1))
    #expect(limits.timeLeft(address(0), at: at(1)) == nil)
    #expect(limits.timeLeft(address(1), at: at(1)) != nil)
    for number in most..<(3 * most) {
      limits.refused(.badSignature, from: address(number), at: at(1))
    }
    #expect(limits.addressCount == LogOnLimits.mostAddresses)
    #expect(limits.timeLeft(address(1), at: at(1)) == nil)
  }
}
