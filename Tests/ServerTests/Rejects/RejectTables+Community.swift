// Rejects of what version 6 of the market rules added: area parameters of readings, immediate orders,
// thresholds with defaults, and meters that move.

import MarketModel

extension RejectTables {
  private static func immediate(
    _ what: String, _ spoil: @escaping @Sendable (inout NewOrder) -> Void
  ) -> RejectRow {
    // Account 19 has no cash; Ana's live ask at 0.2 is what its order would trade with.
    RejectRow("immediate order without the cash: " + what, .insufficientCash, 0, from: 2) { _ in
      Allowed.order {
        ($0.account, $0.price) = (AccountId(19), Price(ticks: 20_000))
        spoil(&$0)
      }
    }
  }

  static let community: [RejectRow] = [
    immediate("immediate or cancel") { $0.timeInForce = .immediateOrCancel },
    immediate("fill or kill") { $0.timeInForce = .fillOrKill },
    immediate("at any price") {
      ($0.type, $0.timeInForce) = (.market, .immediateOrCancel)
    },
    immediate("that passes over own orders") {
      ($0.timeInForce, $0.selfTradePrevention) = (.immediateOrCancel, .cancelOlder)
    },
    RejectRow("instruction: selling threshold below -1", .badAmount, 1 << 61, from: 3) { _ in
      Allowed.agent {
        ($0.sells, $0.sellPrice, $0.sellAbove) = (true, Price(ticks: 200), Energy(wattHours: .min))
      }
    },
    RejectRow("parameter: own use below 0", .badDefinition, -1, .ownUse) { _ in
      Allowed.parameter(.ownUse, -1)
    },
    RejectRow("parameter: own use that no field holds", .badDefinition, .max, .ownUse) { _ in
      Allowed.parameter(.ownUse, .max)
    },
    RejectRow("parameter: local first below 0", .badDefinition, .min, .localFirst) { _ in
      Allowed.parameter(.localFirst, .min)
    },
    RejectRow("parameter: own use of an unknown area", .unknownArea, 8) { _ in
      Allowed.parameter(.ownUse, 0, number: 7)
    },
    RejectRow("parameter: own use of an instrument", .badDefinition, 11, .parameter) { _ in
      Allowed.parameter(.ownUse, 0, of: .instrument)
    },
    RejectRow("parameter: local first of an instrument", .badDefinition, 12, .parameter) { _ in
      Allowed.parameter(.localFirst, 0, of: .instrument)
    },
    RejectRow("parameter: of a pool", .badDefinition, 3, .subject) { _ in
      Allowed.parameter(.localFirst, 0, of: .pool)
    },
    RejectRow("parameter: local first, more than may wait", .capacityExhausted, 1_024) { _ in
      Allowed.parameter(.localFirst, 0, from: Allowed.now)
    },
    RejectRow("parameter: own use from a moment that has passed", .fromNotLater, nil) { _ in
      Allowed.parameter(.ownUse, 0, from: 1)
    },
    RejectRow("withdrawal: local first is not announced", .noSuchChange, 1_024) { _ in
      Allowed.withdrawal(.localFirst)
    },
    RejectRow("withdrawal: of a pool", .badDefinition, 3, .subject) { _ in
      Allowed.withdrawal(.ownUse, of: .pool)
    },
    RejectRow("meter: a rated power for later", .badDefinition, 7, .capacity) {
      Allowed.meter($0) {
        ($0.capacity, $0.from) = (7, Timestamp(nanoseconds: Allowed.now))
      }
    },
    RejectRow("reading: across the moment at which its meter moved", .badInterval, 1_000, from: 4) {
      _ in
      Allowed.reading {
        ($0.meter, $0.intervalStart) = (MeterId(5), Timestamp(nanoseconds: 500))
        $0.intervalEnd = Timestamp(nanoseconds: 1_500)
      }
    },
    RejectRow("reading: by a trader, of a meter without own readings", .notPermitted, 2, from: 5) {
      _ in Allowed.reading { ($0.meter, $0.produced) = (MeterId(2), .zero) }
    },
    compensation("no such area", .unknownArea, 8) { ($0.asset, $0.area) = (.energy, AreaId(7)) },
    compensation("a currency without an area", .unknownArea, 8) { $0.currency = Currency(756) },
    compensation("reference of the last", .referenceReplayed, 0) { $0.reference = 0 },
    compensation("more than there is", .badAmount, 1 << 61) { $0.amount1 = .min },
    compensation("unknown account", .unknownAccount, 64) { $0.account2 = AccountId(60) },
    compensation("cash of an account of energy alone", .unknownAccount, 64) {
      $0.account2 = AccountId(0x8000_01F1)
    },
    compensation("does not add up", .badDefinition, 1, .legs) { $0.amount2 = 2 },
    compensation("one amount", .badDefinition, -1, .legs) { $0.amount2 = 0 },
    compensation("an amount behind none", .badDefinition, 1, .legs) {
      ($0.amount2, $0.account3, $0.amount3) = (0, Village.ben, 1)
    },
  ]

  private static func compensation(
    _ what: String, _ code: RejectCode, _ limit: Int64, _ field: RejectField? = nil,
    _ spoil: @escaping @Sendable (inout Compensate) -> Void
  ) -> RejectRow {
    RejectRow("compensation: " + what, code, limit, field) { _ in Allowed.compensation(spoil) }
  }
}
