// Writes events as the last column of a script.
//
//   accepted A1 live 1kWh waiting 2kWh headroom      trade A1 B1 5kWh @ 0.12 (seller first)
//   canceled A1 5kWh user                            rejected insufficientCash 1000000
//   trade A1 ben 1kWh @ 0.10 (ben's reading bought from A1 without an order)
//   shown A1 1kWh/2kWh (an iceberg: live / total)     refilled A1 2kWh/2kWh
//
// Balances, acknowledgements and definitions have no words. Model and engine are compared on all
// events; the last column of a script shows the events of orders.

import MarketModel

struct EventWriter {
  /// The names of the orders.
  let names: [OrderId: String]

  func text(_ events: [Event]) -> String {
    events.compactMap(text).joined(separator: "; ")
  }

  func text(_ event: Event) -> String? {
    switch event {
    case .accepted(let state): return "accepted \(name(state.order)) \(cover(state))"
    case .replaced(let state): return "replaced \(name(state.order)) \(cover(state))"
    case .restated(let state): return "restated \(name(state.order)) \(cover(state))"
    case .canceled(let canceled): return text(canceled)
    case .trade(let trade): return text(trade)
    case .rejected(let rejected):
      let name = RejectCode.all.first { $0.code == rejected.code }?.name ?? "?"
      return "rejected \(name)" + (rejected.limit == 0 ? "" : " \(rejected.limit)")
    case .order(.massCanceled(let done)): return "massCanceled \(done.count)"
    case .metered(let metered): return text(metered)
    case .metering(let event): return text(event)
    case .control(.alarm(let alarm)): return "alarm \(alarm.kind)"
    case .order(.displayed(let seen)):
      return "\(seen.isRefilled ? "refilled" : "shown") \(name(seen.order)) "
        + "\(Notation.energy(seen.live))/\(Notation.energy(seen.total))"
    default: return nil
    }
  }

  func name(_ order: OrderId) -> String { names[order] ?? "\(order.slot).\(order.generation)" }

  func cover(_ state: OrderState) -> String {
    var words: [String] = []
    if state.covered > .zero { words += ["live", Notation.energy(state.covered)] }
    if state.waiting > .zero {
      let reason =
        switch state.waitReason {
        case .none: "none"
        case .awaitingEnergy: "energy"
        case .awaitingHeadroom: "headroom"
        case .halted: "halted"
        }
      words += ["waiting", Notation.energy(state.waiting), reason]
    }
    return words.joined(separator: " ")
  }

  private func text(_ canceled: OrderCanceled) -> String {
    let name = name(canceled.state.order)
    let left = canceled.state.leaves == .zero ? "" : " leaving \(cover(canceled.state))"
    return "canceled \(name) \(Notation.energy(canceled.quantity)) \(canceled.reason)\(left)"
  }

  private func text(_ trade: Trade) -> String {
    let parties = "\(name(trade.seller)) \(name(trade.buyer))"
    let what = "\(Notation.energy(trade.quantity)) @ \(Notation.price(trade.price))"
    let fees = (trade.seller.fee.units, trade.buyer.fee.units)
    let paid =
      fees == (0, 0) ? "" : " fees \(Notation.money(fees.0)) \(Notation.money(fees.1))"
    return "trade \(parties) \(what)\(paid)"
  }

  /// The name of a party's order; of an account without an order, the account's.
  private func name(_ party: TradeParty) -> String {
    party.order == .null ? Notation.person(party.account.rawValue) : name(party.order)
  }

  private func text(_ event: MeteringEvent) -> String {
    switch event {
    case .corrected(let done):
      var words = ["corrected"]
      for (name, energy) in [
        ("own", done.ownDifference), ("lost", done.lostDifference),
        ("exportsBack", done.exportsBack), ("exported", done.exported),
        ("importsBack", done.importsBack), ("imported", done.imported),
      ] where energy != .zero { words += [name, Notation.energy(energy)] }
      if done.exportCash != .zero { words += ["for", Notation.money(done.exportCash.units)] }
      if done.importCash != .zero { words += ["cost", Notation.money(done.importCash.units)] }
      return words.joined(separator: " ")
    case .quarantined(let kept): return "quarantined \(kept.number)"
    case .readingDecided(let done):
      return "\(done.decision.releases ? "released" : "refused") \(done.decision.number)"
    }
  }

  private func text(_ metered: Metered) -> String? {
    var words = ["metered"]
    if metered.own > .zero { words += ["own", Notation.energy(metered.own)] }
    if metered.lost > .zero { words += ["lost", Notation.energy(metered.lost)] }
    if metered.soldLocally > .zero {
      words += ["sold", Notation.energy(metered.soldLocally)]
      words += ["for", Notation.money(metered.localRevenue.units)]
    }
    if metered.exported > .zero {
      words += ["exported", Notation.energy(metered.exported)]
      words += ["for", Notation.money(metered.exportRevenue.units)]
    }
    if metered.boughtLocally > .zero {
      words += ["bought", Notation.energy(metered.boughtLocally)]
      words += ["for", Notation.money(metered.localCost.units)]
    }
    if metered.imported > .zero {
      words += ["imported", Notation.energy(metered.imported)]
      words += ["for", Notation.money(metered.importCost.units)]
    }
    return words.count > 1 ? words.joined(separator: " ") : nil
  }
}
