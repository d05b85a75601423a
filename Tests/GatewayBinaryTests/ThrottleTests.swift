import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary

@Suite("Throttles")
struct ThrottleTests {
  private static let start = SteadyTime(nanoseconds: 1_000_000_000_000)
  private static let wall = Timestamp(nanoseconds: 7_000_000_000_000)

  private func established(messages: ThrottleLimits, cancels: ThrottleLimits) -> FixpSession {
    var limits = FixpSession.Limits()
    (limits.messages, limits.cancels) = (messages, cancels)
    var identities = SessionIdentities(versionFloor: 0)
    var session = FixpSession(now: Self.start, limits: limits)
    let bot = SessionId(1)
    #expect(
      session.negotiate(
        NegotiateRequest(session: bot, version: 1, timestamp: Self.wall), now: Self.start,
        wall: Self.wall, identities: &identities, doubt: nil)
        == .answer(.respond))
    #expect(
      session.establish(
        EstablishRequest(
          session: bot, version: 1, timestamp: Timestamp(nanoseconds: Self.wall.nanoseconds + 1),
          keepAliveMilliseconds: 1_000),
        now: Self.start, wall: Self.wall, identities: &identities, doubt: nil)
        == .answer(.acknowledge))
    return session
  }

  @Test("Above the first threshold messages are rejected, above the second the session ends.")
  func thresholds() {
    var session = established(
      messages: ThrottleLimits(limit: 3, cutoff: 5), cancels: ThrottleLimits(limit: 9, cutoff: 9))
    let verdicts = (1...6).map { session.admit(sequence: $0, now: Self.start) }
    let rejected = FixpSession.Admission.reject(Refusal(.tooManyMessages, limit: 3))
    #expect(
      verdicts == [
        .process, .process, .process, rejected, rejected,
        .terminate(Refusal(.flooding, limit: 5)),
      ])
    #expect(session.state == .ended)
  }

  @Test("Cancels have their own limits: a throttled bot can still cancel its orders.")
  func cancelsApart() {
    var session = established(
      messages: ThrottleLimits(limit: 1, cutoff: 100), cancels: ThrottleLimits(limit: 2, cutoff: 3))
    let now = Self.start
    #expect(session.admit(sequence: 1, now: now) == .process)
    #expect(
      session.admit(sequence: 2, now: now) == .reject(Refusal(.tooManyMessages, limit: 1)))
    #expect(session.admit(sequence: 3, now: now, isCancel: true) == .process)
    #expect(session.admit(sequence: 4, now: now, isCancel: true) == .process)
    #expect(
      session.admit(sequence: 5, now: now, isCancel: true)
        == .reject(Refusal(.tooManyMessages, limit: 2)))
    #expect(
      session.admit(sequence: 6, now: now, isCancel: true)
        == .terminate(Refusal(.flooding, limit: 3)))
  }

  @Test("A second later everything is allowed again; a message put back is counted once.")
  func nextSecond() {
    var session = established(
      messages: ThrottleLimits(limit: 2, cutoff: 10), cancels: ThrottleLimits(limit: 2, cutoff: 10))
    var now = Self.start
    for round in UInt64(0)..<5 {
      let base = 3 * round
      #expect(session.admit(sequence: base + 1, now: now) == .process)
      session.putBack(sequence: base + 1)
      #expect(session.admit(sequence: base + 1, now: now) == .process)
      #expect(session.admit(sequence: base + 2, now: now) == .process)
      #expect(
        session.admit(sequence: base + 3, now: now)
          == .reject(Refusal(.tooManyMessages, limit: 2)))
      now = SteadyTime(nanoseconds: now.nanoseconds + 1_000_000_000)
    }
  }
}
