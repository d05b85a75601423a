import MarketModel

/// A command as one line for people, as `journal inspect` prints it. Not a format: it may change.
public enum CommandText {
  /// `12 1800000000000000000 s7 enter account 3 instrument 1 sell 5000 Wh @ 0.10000 client 9`
  public static func line(_ command: Command) -> String {
    "\(command.sequence.rawValue) \(command.time.nanoseconds) s\(command.session.rawValue) "
      + text(command.body)
  }

  /// The command without its sequence number, time and session.
  public static func text(_ body: Command.Body) -> String {
    switch body {
    case .enter(let order): text(order)
    case .replace(let replace):
      "replace \(order(replace.order)) account \(replace.account.rawValue) "
        + "\(wh(replace.quantity)) @ \(price(replace.price)) client \(replace.clientOrderId.rawValue)"
    case .cancel(let cancel):
      "cancel \(order(cancel.order)) account \(cancel.account.rawValue) "
        + "client \(cancel.clientOrderId.rawValue)"
    case .order(.massCancel(let cancel)):
      "massCancel account \(cancel.account.rawValue) instrument \(cancel.instrument.rawValue) "
        + "\(cancel.sides)"
    case .order(.setAgent(let agent)): text(agent)
    case .cash(.transfer(let transfer)): text(transfer)
    case .meterReading(let reading):
      "meterReading meter \(reading.meter.rawValue) register \(reading.registerSequence) "
        + "\(reading.intervalStart.nanoseconds)..<\(reading.intervalEnd.nanoseconds) "
        + "produced \(wh(reading.produced)) consumed \(wh(reading.consumed))"
    case .cash(.deposit(let cash)): "deposit " + text(cash)
    case .cash(.withdraw(let cash)): "withdraw " + text(cash)
    case .control(.tick): "tick"
    case .control(.settlementConfirmed(let batch)):
      "settlementConfirmed batch \(batch.batch) through \(batch.lastSequence.rawValue)"
    case .session(.beginSession(let begin)):
      "beginSession \(begin.session.rawValue) version \(begin.version) "
        + (begin.cancelAfter == BeginSession.never
          ? "keeps" : "cancels after \(begin.cancelAfter) ms")
    case .session(.endSession(let end)): "endSession \(end.session.rawValue) version \(end.version)"
    case .control(.checkpoint(let checkpoint)):
      "checkpoint events \(hex(checkpoint.eventHash)) state \(hex(checkpoint.stateHash))"
    case .reference(let command): text(command)
    case .control(.setRules(let rules)): "setRules \(rules.version)"
    }
  }

  private static func text(_ command: ReferenceCommand) -> String {
    switch command {
    case .createParticipant(let new):
      "createParticipant \(new.participant.rawValue) \(quoted(new.name))"
    case .registerSession(let new):
      "registerSession \(new.session.rawValue) participant \(new.participant.rawValue) "
        + "roles \(new.roles.rawValue)"
    case .createAccount(let new):
      "createAccount \(new.account.rawValue) participant \(new.participant.rawValue)"
    case .setCap(let cap):
      "setCap account \(cap.account.rawValue) area \(cap.area.rawValue) \(wh(cap.cap))"
    case .createArea(let new):
      "createArea \(new.area.rawValue) \(quoted(new.code)) currency \(new.currency.rawValue) "
        + "feed-in \(price(new.feedInPrice)) retail \(price(new.retailPrice))"
    case .setTariff(let tariff):
      "setTariff area \(tariff.area.rawValue) feed-in \(price(tariff.feedInPrice)) "
        + "retail \(price(tariff.retailPrice))"
    case .createInstrument(let new):
      "createInstrument \(new.instrument.rawValue) \(quoted(new.symbol)) area \(new.area.rawValue) "
        + "tick \(price(new.tick)) lot \(wh(new.lot)) "
        + "band \(price(new.lowestPrice)) to \(price(new.highestPrice))"
    case .setInstrumentState(let change):
      "setInstrumentState \(change.instrument.rawValue) \(change.state)"
    case .registerMeter(let new):
      "registerMeter \(new.meter.rawValue) account \(new.account.rawValue) area \(new.area.rawValue)"
    }
  }

  private static func text(_ order: NewOrder) -> String {
    let limit = order.type == .market ? "market" : "@ \(price(order.price))"
    let isOnBehalf = order.onBehalfOf != .exchange
    let verb =
      isOnBehalf ? "enterOnBehalf" : order.displayQuantity == .zero ? "enter" : "enterIceberg"
    return "\(verb) account \(order.account.rawValue) instrument \(order.instrument.rawValue) "
      + "\(order.side) \(wh(order.quantity)) \(limit) \(order.timeInForce)"
      + (order.postOnly ? " postOnly" : "")
      + (order.displayQuantity == .zero ? "" : " shows \(wh(order.displayQuantity))")
      + (isOnBehalf ? " of session \(order.onBehalfOf.rawValue)" : "")
      + " client \(order.clientOrderId.rawValue)"
  }

  private static func text(_ agent: SetAgent) -> String {
    var text = "setAgent account \(agent.account.rawValue) instrument \(agent.instrument.rawValue)"
    if agent.sells { text += " sells above \(wh(agent.sellAbove)) @ \(price(agent.sellPrice))" }
    if agent.buys { text += " buys below \(wh(agent.buyBelow)) @ \(price(agent.buyPrice))" }
    return agent.sells || agent.buys ? text : text + " removed"
  }

  private static func text(_ transfer: Transfer) -> String {
    let what =
      transfer.asset == .cash
      ? "\(decimal(transfer.amount, places: 8)) currency \(transfer.currency.rawValue)"
      : "\(transfer.amount) Wh area \(transfer.area.rawValue)"
    return "transfer account \(transfer.from.rawValue) to \(transfer.to.rawValue) \(what) "
      + "client \(transfer.clientOrderId.rawValue)"
  }

  private static func text(_ cash: CashMovement) -> String {
    "account \(cash.account.rawValue) \(decimal(cash.amount.units, places: 8)) "
      + "currency \(cash.currency.rawValue) reference \(cash.reference)"
  }

  private static func order(_ order: OrderId) -> String {
    order == .null ? "by client id" : "order \(order.rawValue)"
  }

  private static func wh(_ energy: Energy) -> String { "\(energy.wattHours) Wh" }
  private static func price(_ price: Price) -> String { decimal(price.ticks, places: 5) }
  /// What is not printable is shown as `?`, so that a line stays one line.
  private static func quoted(_ label: Label) -> String {
    let bytes = label.text.utf8.map { (0x20..<0x7F).contains($0) ? $0 : 0x3F }
    return "\"" + String(decoding: bytes, as: UTF8.self) + "\""
  }

  private static func hex(_ word: UInt64) -> String { String(word, radix: 16) }

  /// `units` x 10^-places, exactly.
  private static func decimal(_ units: Int64, places: Int) -> String {
    let digits = String(units.magnitude)
    precondition(places > 0, "decimals have places")
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = units < 0 ? "-" : ""
    invariant(padded.utf8.count > places, "a digit before the point")
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }
}
