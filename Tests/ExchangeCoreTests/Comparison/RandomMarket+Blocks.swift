// Blocks and limits, most of which are removed soon, so that the market goes on; and the commands of
// a participant's administrator, session 16.

import MarketModel

extension RandomMarket {
  mutating func block() -> Step {
    if !blocks.isEmpty, chance(2, of: 3) {
      var block = blocks.removeLast()
      block.releases = true
      return administered(.reference(.setBlock(block)))
    }
    var block = SetBlock(keepsOrders: chance(1, of: 3))
    switch dice(8) {
    case 0...3: block.account = account()
    case 4...5: block.session = SessionId(1 + dice(6))
    case 6: block.participant = ParticipantId(1 + dice(3))
    default: return Step(randomBody(.setBlock, &self))
    }
    blocks.append(block)
    return administered(.reference(.setBlock(block)))
  }

  mutating func limit() -> Step {
    if !limits.isEmpty, chance(2, of: 3) {
      var limit = limits.removeLast()
      limit.value = 0
      return administered(.reference(.setLimit(limit)))
    }
    switch dice(16) {
    case 0: return Step(randomBody(.setLimit, &self))
    case 1: return administered(.order(.cancelOrders(CancelOrders(account: account()))))
    case 2: return administered(randomBody(pick([.cancelOrders, .cancelInstructions]), &self))
    case 3...5: return grant()
    default: break
    }
    var limit = SetLimit(account: account(), kind: pick(LimitKind.allCases), value: 0)
    switch limit.kind {
    case .orderQuantity: limit.value = 500 + Int64(dice(4_000))
    case .openOrders: limit.value = 1 + Int64(dice(4))
    case .dailyNotional: limit.value = Int64(dice(2_000)) * 100_000
    case .cashAtRisk: limit.value = Int64(dice(1_000)) * 100_000
    case .messagesPerSecond:
      (limit.account, limit.session) = (.null, SessionId(1 + dice(6)))
      limit.value = Int64(dice(100))
    case .accounts, .sessions:
      (limit.account, limit.participant) = (.null, ParticipantId(1 + dice(3)))
      limit.value = Int64(dice(6))
    }
    limits.append(limit)
    return administered(.reference(.setLimit(limit)))
  }

  /// A new account or session.
  private mutating func grant() -> Step {
    let participant = ParticipantId(chance(4, of: 5) ? 1 : 2)
    if chance(1, of: 2) {
      return administered(
        .reference(
          .createAccount(
            CreateAccount(account: AccountId(8 + dice(9)), participant: participant))))
    }
    return administered(
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(2 + dice(14)), participant: participant,
            roles: chance(3, of: 4) ? [.trading, .dropCopy] : [.trading, .metering],
            publicKey: PublicKey(0, 0, 0, 0)))))
  }

  /// A command of the administrator in half of the cases.
  private mutating func administered(_ body: Command.Body) -> Step {
    Step(body, by: chance(1, of: 2) ? 16 : 1)
  }
}
