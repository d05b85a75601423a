import ArgumentParser
import JoulebookClient
import MarketModel
import Settlement

/// `joulebook explain`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains why an open order does not trade.",
    discussion: """
      Prints how much of the order is open, executable and waiting (kWh), each reason why it does \
      not trade, and the orders that it waits for. The exchange order id is in the execution \
      reports of the order, and in `joulebook admin list orders`.

        joulebook explain 4294967301 --data my-exchange
      """)

  @OptionGroup var server: OperatorConnection
  @Argument(help: "Exchange order id.") var order: UInt64

  func run() throws {
    let answer = try server.ask { client throws(ClientError) in
      try client.requestExplanation(OrderId(order))
    } _: { event, _ in
      if case .explanation(let explanation) = event { explanation } else { nil }
    }
    print(ExplanationText(answer).lines.joined(separator: "\n"))
  }
}

/// An explanation for people, in the words of section 12 of the market rules.
struct ExplanationText {
  private let answer: OrderExplanationReport

  /// The text of `answer`.
  init(_ answer: OrderExplanationReport) { self.answer = answer }

  /// A line about the order, then one for each reason, with the orders that it names below it.
  var lines: [String] {
    let side = answer.side == .sell ? "ask" : "bid"
    let first =
      "order \(answer.order.rawValue), \(side) of account \(answer.account.rawValue): "
      + "open \(kilowattHours(answer.leaves)), executable \(kilowattHours(answer.covered)), "
      + "waiting \(kilowattHours(answer.waiting))"
    switch answer.reason {
    case 0...2, 5: return [first] + waiting + live
    case 3: return [first, "instrument halted: until it is released, nothing of the order is live"]
    case 4: return [first, "instrument closed: it trades no more"]
    default:
      return [first, "the server gives reason \(answer.reason), which this version does not know"]
    }
  }

  /// Energy or headroom that the order lacks, and who uses it.
  private var waiting: [String] {
    guard answer.waiting > .zero else { return [] }
    let resource = answer.side == .sell ? "energy" : "headroom"
    let turn =
      answer.covered == .zero
      ? [
        "when it gains cover, it is served as an order that comes at that moment, behind those that "
          + "are live at its price"
      ] : []
    let lack = "waits for \(kilowattHours(answer.waiting)) of \(resource)"
    if answer.blockers.isEmpty, !answer.hasMoreBlockers {
      let covered =
        answer.covered > .zero ? "\(kilowattHours(answer.covered)) of this order" : "no lot of it"
      return [
        "\(lack); no better-priced order of the account uses any: the \(resource) that there is "
          + "covers \(covered)"
      ] + turn
    }
    let isAsk = answer.side == .sell
    let orders = answer.blockers.sorted { isAsk ? $0.price < $1.price : $0.price > $1.price }
    return ["\(lack), used by better-priced orders of the same account:"]
      + orders.map {
        "  order \($0.order.rawValue) at \($0.price.decimal) uses \(kilowattHours($0.used))"
      } + (answer.hasMoreBlockers ? ["  further orders, which are not listed"] : []) + turn
  }

  /// What keeps the executable part from trading.
  private var live: [String] {
    guard answer.covered > .zero else { return [] }
    var lines: [String] = []
    if answer.ahead > .zero || answer.isAheadPartial {
      let least = answer.isAheadPartial ? "at least " : ""
      lines.append("not the best price: \(least)\(kilowattHours(answer.ahead)) stand before it")
    }
    let best = answer.bestOpposite?.decimal
    if answer.ownOrder != .null || answer.reason == 5 {
      let own =
        answer.ownOrder != .null ? answer.ownOrder : answer.blockers.first?.order ?? .null
      lines.append(
        "own order on the other side: order \(own.rawValue)\(best.map { " at \($0)" } ?? ""), "
          + "with which it may not trade")
    } else if let best {
      lines.append("no live order on the other side within its limit, best is \(best)")
    } else {
      lines.append("no live order on the other side")
    }
    return lines
  }

  private func kilowattHours(_ energy: Energy) -> String { energy.kilowattHours + " kWh" }
}
