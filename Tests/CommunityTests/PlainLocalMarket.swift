import MarketModel

@testable import Community

/// Market rules 7 (own use first, local before grid) in their plainest form, without an exchange:
/// every customer bids for all of its headroom at one price and offers all that it has stored at
/// another one, and there are no fees. It shows what the rule alone reaches, whatever the bots do.
struct PlainLocalMarket {
  /// Energy of the community.
  private(set) var energy = EnergyTotals()
  /// What each customer pays less what it receives.
  private(set) var netCost: [Money]

  private let caps: [Int64]
  private var held: [Int64]

  /// Runs `model`. In each interval the meters report in an order that `seed` determines.
  init(_ model: CommunityModel, buyingAt bid: Price, sellingAt ask: Price, seed: UInt64) {
    netCost = model.customers.map { _ in .zero }
    caps = model.customers.indices.map { model.cap(of: $0).wattHours }
    held = model.customers.map { _ in 0 }
    var random = SeededRandom(seed: seed, stream: 0)
    for interval in 0..<model.intervals {
      for index in model.customers.indices.shuffled(using: &random) {
        let produced = model.customers[index].production[interval].wattHours
        let consumed = model.customers[index].consumption[interval].wattHours
        let own = min(produced, consumed)
        var step = EnergyTotals()
        (step.produced, step.consumed) = (produced, consumed)
        step.exported = give(produced - own, of: index, at: bid)
        step.imported = take(consumed - own, by: index, at: ask)
        netCost[index].units += step.gridCost(model.terms).units
        energy += step
      }
    }
    energy.heldAtEnd = held.reduce(0, +)
  }

  /// Stores `surplus`, gives what is above the cap to the others' bids, and returns what is left.
  private mutating func give(_ surplus: Int64, of maker: Int, at price: Price) -> Int64 {
    var left = surplus - store(surplus, by: maker)
    for other in caps.indices where other != maker && left > 0 {
      let quantity = store(left, by: other)
      pay(quantity, at: price, from: other, to: maker)
      left -= quantity
    }
    return left
  }

  /// Takes `lack` from what is stored, then from the others' asks, and returns what is missing.
  private mutating func take(_ lack: Int64, by user: Int, at price: Price) -> Int64 {
    let burned = min(lack, held[user])
    held[user] -= burned
    var left = lack - burned
    for other in caps.indices where other != user && left > 0 {
      let quantity = min(left, held[other])
      held[other] -= quantity
      pay(quantity, at: price, from: user, to: other)
      left -= quantity
    }
    return left
  }

  private mutating func store(_ wattHours: Int64, by index: Int) -> Int64 {
    let stored = min(wattHours, caps[index] - held[index])
    held[index] += stored
    return stored
  }

  private mutating func pay(_ wattHours: Int64, at price: Price, from buyer: Int, to seller: Int) {
    netCost[buyer].units += price.ticks * wattHours
    netCost[seller].units -= price.ticks * wattHours
  }
}
