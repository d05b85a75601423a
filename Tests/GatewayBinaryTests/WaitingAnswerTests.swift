import Foundation
import GatewayKit
import MarketModel
import Testing

@testable import GatewayBinary
@testable import JoulebookClient

@Suite("Answers that wait until they are durable")
struct WaitingAnswerTests {
  /// A session that has begun, and a balance that changes with the next command.
  private func held() throws -> (GatewayWorld, Client) {
    let world = try GatewayWorld()
    let bot = try world.client()
    #expect(world.waits { $0.sequence == 2 }, "the session's own mark")
    world.state.withLock {
      $0.balances[GatewayWorld.account] = Sample.balance
      $0.appliedThrough = 3
    }
    return (world, bot)
  }

  private func isAccepted(_ message: ClientMessage) -> Bool {
    if case .accepted = message.event { true } else { false }
  }

  @Test("An answer is sent only when its state is durable, in the position of its question.")
  func order() throws {
    let (world, bot) = try held()
    let state = Sample.order(GatewayWorld.bot)
    world.state.withLock { $0.orders[state.order] = state }
    let balance = try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
    let order = try bot.requestOrderStatus(state.order, account: GatewayWorld.account)
    let unknown = try bot.requestOrderStatus(OrderId(99), account: GatewayWorld.account)
    let explained = try bot.requestExplanation(state.order)
    let status = try bot.requestStatus(withStateHash: false)
    let forbidden = try bot.requestStatus(withStateHash: true)
    #expect(try bot.isQuiet())
    #expect(world.waits { $0.answered == 5 }, "they were asked at their place")
    // Two commands become durable together; the questions were asked between them.
    world.state.withLock {
      let accepted: [Event] = [.accepted(Sample.order(GatewayWorld.bot))]
      $0.outbox += [accepted, accepted]
    }
    world.wake.wake()
    #expect(isAccepted(try bot.expect()))
    guard case .balance(Sample.balance, balance) = try bot.expect().event,
      case .orderStatus(_, order) = try bot.expect().event,
      case .rejected(let first) = try bot.expect().event,
      case .rejected(let second) = try bot.expect().event,
      case .status(let report) = try bot.expect().event,
      case .rejected(let third) = try bot.expect().event
    else {
      Issue.record("the answers came in another order")
      return
    }
    #expect(first.reference == unknown && first.code == .unknownOrder)
    #expect(second.reference == explained && second.code == .unknownOrder)
    #expect(report.reference == status)
    #expect(third.reference == forbidden && third.code == .notPermitted)
    #expect(isAccepted(try bot.expect()))
  }

  @Test("If everything is durable, the answer is sent immediately.")
  func quietMarket() throws {
    let (world, bot) = try held()
    world.state.withLock { $0.appliedThrough = 2 }
    try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
    guard case .balance = try bot.expect().event else {
      Issue.record("no balance")
      return
    }
  }

  @Test("A client with too many waiting answers is not read until they were sent.")
  func bound() throws {
    let (world, bot) = try held()
    let count = BinaryGateway.mostWaitingAnswers + 50
    for _ in 0..<count { try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area) }
    #expect(try bot.isQuiet())
    for _ in 0..<20 {
      world.wake.wake()
      usleep(1000)
    }
    #expect(world.state.withLock { $0.answered } == BinaryGateway.mostWaitingAnswers)
    // Another session is served in the meantime.
    let other = try world.client(GatewayWorld.otherBot)
    try other.requestReferenceData()
    _ = try other.expect()
    world.emit([
      .control(.acknowledged(Acknowledged(session: GatewayWorld.otherBot, clientSequence: 1)))
    ])
    for number in 1...UInt64(count) {
      guard case .balance(_, number) = try bot.expect().event else {
        Issue.record("answer \(number) is missing")
        return
      }
    }
  }

  @Test(
    "Waiting answers of a closed connection are dropped: the session's next one does not receive them."
  )
  func lostConnection() throws {
    let (world, bot) = try held()
    try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
    try bot.flush()
    #expect(world.waits { $0.answered == 1 })
    world.state.withLock { $0.appliedThrough = 1_000 }
    for _ in 0..<10 { try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area) }
    try bot.flush()
    #expect(world.waits { $0.answered == 11 })
    bot.close()
    let again = try world.client()
    world.state.withLock { $0.appliedThrough = 1_001 }
    let status = try again.requestStatus(withStateHash: false)
    try again.flush()
    #expect(world.waits { $0.answered == 12 })
    world.state.withLock {
      $0.outbox += [[Event]](
        repeating: [
          .control(.acknowledged(Acknowledged(session: GatewayWorld.otherBot, clientSequence: 1)))
        ],
        count: 1_000)
    }
    world.wake.wake()
    guard case .status(let report) = try again.expect().event else {
      Issue.record("no status")
      return
    }
    #expect(report.reference == status)
    #expect(try again.isQuiet())
  }

  @Test("A question is repeated while earlier commands wait for capacity, and answered once.")
  func behind() throws {
    let (world, bot) = try held()
    world.state.withLock {
      $0.answersLater = true
      $0.appliedThrough = 2
    }
    try bot.requestBalance(of: GatewayWorld.account, in: GatewayWorld.area)
    try bot.enter(Sample.limitOrder)
    #expect(try bot.isQuiet())
    #expect(world.commands(0).isEmpty, "nothing overtakes the question")
    world.state.withLock { $0.answersLater = false }
    world.wake.wake()
    guard case .balance(_, 1) = try bot.expect().event else {
      Issue.record("no balance")
      return
    }
    #expect(world.commands(1).map(\.clientSequence) == [2])
    #expect(try bot.isQuiet())
  }
}
