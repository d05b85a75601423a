import MarketModel
import Synchronization
import Testing

@testable import GatewayKit

/// An exchange that records the commands and notices it receives.
final class ListeningPort: ExchangePort {
  var own: [Command.Body] = []
  var notices: [GatewayNotice] = []

  func submit(_ command: Command) -> SubmitResult { .taken }
  func submitOwn(_ body: Command.Body) { own.append(body) }
  func answer(_ question: Question) -> Answer? { nil }
  func retransmit(_ query: RetransmitQuery) {}
  func readTrades(_ request: TradesRequest) {}
  func note(_ notice: GatewayNotice) { notices.append(notice) }

  /// Sessions whose orders were cancelled.
  var ended: [UInt32] {
    own.compactMap {
      if case .session(.endSession(let end)) = $0 { end.session.rawValue } else { nil }
    }
  }
}

/// A clock that the test sets.
final class SetClock: Sendable {
  private let time = Mutex<UInt64>(0)
  func pass(milliseconds: UInt64) { time.withLock { $0 += milliseconds * 1_000_000 } }
  var now: SteadyTime { SteadyTime(nanoseconds: time.withLock { $0 }) }
}

@Suite("Sessions that lost their connection")
struct LostSessionsTests {
  private let port = ListeningPort()
  private let source = SetClock()
  private let clock: ServingClock
  private let lost: LostSessions

  init() {
    let source = source
    clock = ServingClock(longest: .max) { source.now }
    lost = LostSessions(port, clock)
  }

  @Test("Each session has the time it asked for, from the moment of its disconnection.")
  func windows() {
    lost.lose(SessionId(1), version: 5, cancelAfter: 100)
    lost.lose(SessionId(2), version: 6, cancelAfter: 50)
    lost.lose(SessionId(3), version: 7, cancelAfter: BeginSession.never)
    source.pass(milliseconds: 60)
    clock.look()
    lost.cancelOrders(dueAt: clock.now)
    #expect(port.ended == [2])
    source.pass(milliseconds: 60)
    clock.look()
    lost.cancelOrders(dueAt: clock.now)
    lost.cancelOrders(dueAt: clock.now)
    #expect(port.ended == [2, 1])
    #expect(port.notices.count == 2)
  }

  @Test("An orderly end is reported as such, and cancels the orders like a lost connection.")
  func orderlyEnd() {
    lost.lose(SessionId(1), version: 5, cancelAfter: 0, isOrderly: true)
    #expect(port.notices == [.ended(SessionId(1), cancelAfter: 0)])
    #expect(port.ended == [1])
  }

  @Test(
    "With a time of 0 the orders are cancelled at once; if the session returns in time, they stay.")
  func atOnceAndFound() {
    lost.lose(SessionId(1), version: 5, cancelAfter: 0)
    #expect(port.ended == [1])
    lost.lose(SessionId(2), version: 6, cancelAfter: 10)
    lost.found(SessionId(2))
    source.pass(milliseconds: 20)
    clock.look()
    lost.cancelOrders(dueAt: clock.now)
    #expect(port.ended == [1])
  }

  @Test(
    "After recovery every session with orders to cancel counts as disconnected, on every gateway.")
  func recovered() {
    let view = DurableView()
    for (session, window) in [(UInt32(1), UInt32(0)), (2, 30), (3, BeginSession.never)] {
      let began = BeginSession(session: SessionId(session), version: 9, cancelAfter: window)
      _ = withUnsafePointer(to: Event.session(.sessionBegan(began))) {
        view.take($0, at: Timestamp(nanoseconds: 1))
      }
    }
    lost.recovered(view)
    #expect(port.ended == [1])
    source.pass(milliseconds: 30)
    clock.look()
    lost.cancelOrders(dueAt: clock.now)
    #expect(port.ended == [1, 2])
  }

  @Test("A server that ends cancels nothing more.")
  func ends() {
    lost.lose(SessionId(1), version: 5, cancelAfter: 10)
    lost.end()
    lost.lose(SessionId(2), version: 5, cancelAfter: 0)
    source.pass(milliseconds: 20)
    clock.look()
    lost.cancelOrders(dueAt: clock.now)
    #expect(port.own.isEmpty)
  }

  @Test(
    "A gateway's own commands keep their order, wait for capacity, and are discarded at shutdown.")
  func ownCommands() {
    var own = OwnCommands()
    var taken: [UInt64] = []
    var answer = SubmitResult.full
    func take(_ command: Command) -> SubmitResult {
      if answer == .taken, case .session(.endSession(let end)) = command.body {
        taken.append(end.version)
      }
      return answer
    }
    for version in UInt64(1)...3 {
      own.append(.session(.endSession(EndSession(session: SessionId(1), version: version))))
    }
    own.submit(take)
    answer = .refused(Refusal(.intakeFull))
    own.submit(take)
    #expect(taken.isEmpty && !own.isEmpty)
    answer = .taken
    own.submit(take)
    #expect(taken == [1, 2, 3] && own.isEmpty)
    own.append(.session(.endSession(EndSession(session: SessionId(1), version: 4))))
    answer = .refused(Refusal(.shuttingDown))
    own.submit(take)
    #expect(own.isEmpty && taken.count == 3)
  }
}
