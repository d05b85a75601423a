// Section 11, "Shares": the bounds of what one account and one participant have of the pools.

import ExchangeCore
import MarketModel

extension ReferenceModel {
  /// Counts the level at which an order comes to rest for its account, if no order rests there.
  mutating func openLevel(_ order: ModelOrder) {
    if rules < 3 { return }
    let resting = restingLevels
    openers = openers.filter { resting.contains($0.key) }
    if openers[order.level] == nil { openers[order.level] = order.account }
  }

  /// Counts every level for the account of its first order: the switch to version 3.
  mutating func assignOpeners() {
    for instrument in instruments.keys {
      for id in bookOrder(instrument).reversed() {
        if let order = orders[id] { openers[order.level] = order.account }
      }
    }
  }

  /// An account, and its participant, may have one more order.
  func requireOrderShare(_ account: AccountId) throws(Refusal) {
    if rules < 3 { return }
    let ofAccount = orders.values.filter { $0.account == account }.count
    let ofParticipant = orders.values.filter { isOfParticipant($0.account, of: account) }.count
    try require(
      ofAccount < Int(capacity.accountOrders), .orderShare, Int64(capacity.accountOrders))
    let bound = participantBound(of: Int(capacity.orders), inUse: orders.count)
    try require(ofParticipant < bound, .orderShare, Int64(bound))
  }

  /// The order stands at a level that exists, or its account and participant may open one more.
  func requireLevelShare(_ order: ModelOrder) throws(Refusal) {
    let levels = restingLevels
    if rules < 3 || levels.contains(order.level) { return }
    let counted = openers.filter { levels.contains($0.key) }.values
    let ofAccount = counted.filter { $0 == order.account }.count
    let ofParticipant = counted.filter { isOfParticipant($0, of: order.account) }.count
    try require(
      ofAccount < Int(capacity.accountLevels), .orderShare, Int64(capacity.accountLevels))
    let bound = participantBound(of: Int(capacity.priceLevels), inUse: levels.count)
    try require(ofParticipant < bound, .orderShare, Int64(bound))
  }

  /// A transfer makes a row for another participant's account while half of the table is free.
  func requireRowOfOther(_ transfer: Transfer, used: Int) throws(Refusal) {
    let half = (Int(capacity.positions) + 1) / 2
    try require(
      rules < 3 || isOfParticipant(transfer.to, of: transfer.from) || used < half,
      .capacityExhausted, Int64(half))
  }

  /// The most entries of a pool that one participant may have: half of the pool, or a 64th of it
  /// while at most an eighth of the pool is free; each rounded up, the eighth down.
  private func participantBound(of pool: Int, inUse: Int) -> Int {
    pool - inUse <= pool / 8 ? (pool + 63) / 64 : (pool + 1) / 2
  }

  private var restingLevels: Set<PriceLevel> {
    Set(orders.values.filter(\.isResting).map(\.level))
  }

  private func isOfParticipant(_ other: AccountId, of account: AccountId) -> Bool {
    accounts[other]?.participant == accounts[account]?.participant
  }
}

extension ModelOrder {
  /// The price level at which the order rests or would rest.
  var level: PriceLevel { PriceLevel(instrument, side, price) }
}
