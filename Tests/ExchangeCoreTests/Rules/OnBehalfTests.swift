import ExchangeCore
import MarketModel
import Testing

@Suite("Orders on behalf of another session")
struct OnBehalfTests {
  /// The village, where session 6 trades for the firm of session 1 too.
  private func village() throws -> Market {
    var market = Market()
    for line in Script.lines(Script.village + "\nsession 6 of 1 roles 1 by 0") {
      _ = market.apply(try StepParser.step(line.action))
    }
    return market
  }

  private func events(_ line: String, _ market: inout Market) throws -> [Event] {
    let outcome = market.apply(try StepParser.step(line))
    #expect(outcome.differences.isEmpty, "\(outcome.differences)")
    return outcome.events
  }

  @Test("The order is the other session's; the sender learns that it entered.")
  func isTheOthers() throws {
    var market = try village()
    let entered = try events("enter A1 ana bid 1kWh @ 0.10 behalf 6", &market)
    guard case .control(.acknowledged(let done)) = entered.first,
      case .accepted(let state) = entered[1]
    else {
      Issue.record("\(entered)")
      return
    }
    #expect(done.session == SessionId(1) && state.session == SessionId(6))
    // Who trades with it later, reports to the other session.
    _ = try events("meter ben +1kWh", &market)
    let sold = try events("enter B1 ben ask 1kWh @ 0.10", &market)
    let buyers = sold.compactMap {
      if case .trade(let trade) = $0 { trade.buyer.session } else { nil }
    }
    #expect(buyers == [SessionId(6)])
  }

  @Test("Who cancels an order of another session learns that it was cancelled; its owner does not.")
  func cancel() throws {
    var market = try village()
    func told(_ line: String) throws -> [SessionId] {
      try events(line, &market).compactMap {
        if case .control(.acknowledged(let done)) = $0 { done.session } else { nil }
      }
    }
    _ = try told("rules 5 by 0")
    _ = try told("session 8 of 2 roles 4")
    _ = try told("enter A1 ana bid 1kWh @ 0.10 behalf 6")
    #expect(try told("cancel A1") == [SessionId(1)])
    _ = try told("enter A2 ana bid 1kWh @ 0.10")
    #expect(try told("cancel A2 for ana by 8") == [SessionId(8)])
    _ = try told("enter A3 ana bid 1kWh @ 0.10")
    #expect(try told("cancel A3") == [])
    #expect(try told("cancel A3 for ana by 8") == [])
    var former = try village()
    for line in ["rules 4 by 0", "enter A1 ana bid 1kWh @ 0.10 behalf 6"] {
      _ = try events(line, &former)
    }
    let canceled = try events("cancel A1", &former)
    #expect(!canceled.contains { if case .control = $0 { true } else { false } })
  }

  @Test("Entering an order on one's own behalf has no special effect.")
  func itself() throws {
    var market = try village()
    let events = try events("enter A1 ana bid 1kWh @ 0.10 behalf 1", &market)
    guard case .accepted(let state) = events.first else {
      Issue.record("\(events)")
      return
    }
    #expect(state.session == SessionId(1))
  }

  @Test("The order is cancelled when the named session is lost, not when the sender is.")
  func disconnect() throws {
    var market = try village()
    _ = try events("enter A1 ana bid 1kWh @ 0.10 behalf 6", &market)
    let kept = try events("lost 1 1 by 0", &market)
    #expect(!kept.contains { if case .canceled = $0 { true } else { false } })
    let lost = try events("lost 6 1 by 0", &market)
    #expect(lost.contains { if case .canceled = $0 { true } else { false } })
  }

  @Test("A session of another firm, one without trading, a revoked and an unknown one are refused.")
  func refused() {
    expect(
      """
      session 7 of 1 roles 2 by 0
      session 8 of 1 roles 0 by 0
      enter A1 ana bid 1kWh @ 0.10 behalf 2    -> rejected foreignSession
      enter A1 ana bid 1kWh @ 0.10 behalf 7    -> rejected foreignSession
      enter A1 ana bid 1kWh @ 0.10 behalf 8    -> rejected foreignSession
      enter A1 ana bid 1kWh @ 0.10 behalf 9    -> rejected foreignSession
      enter A1 ana bid 1kWh @ 0.10 behalf 4000000000  -> rejected foreignSession
      """)
  }

  @Test("A repeated message is rejected as a duplicate, even after the session was revoked.")
  func resent() {
    expect(
      """
      session 6 of 1 roles 1 by 0
      enter A1 ana bid 1kWh @ 0.10 behalf 6 id 5   -> accepted A1 live 1kWh
      session 6 of 1 roles 0 by 0
      enter A1 ana bid 1kWh @ 0.10 behalf 6 id 5   -> rejected duplicateClientOrderId 5
      enter A1 ana bid 1kWh @ 0.10 behalf 6 id 6   -> rejected foreignSession
      """)
  }
}
