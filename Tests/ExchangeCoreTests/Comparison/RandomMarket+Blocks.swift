// Blocks, most of which are released soon, so that the market goes on.

import MarketModel

extension RandomMarket {
  mutating func block() -> Step {
    if !blocks.isEmpty, chance(2, of: 3) {
      var block = blocks.removeLast()
      block.releases = true
      return Step(.reference(.setBlock(block)))
    }
    var block = SetBlock(keepsOrders: chance(1, of: 3))
    switch dice(8) {
    case 0...3: block.account = account()
    case 4...5: block.session = SessionId(1 + dice(6))
    case 6: block.participant = ParticipantId(1 + dice(3))
    default: return Step(randomBody(.setBlock, &self))
    }
    blocks.append(block)
    return Step(.reference(.setBlock(block)))
  }
}
