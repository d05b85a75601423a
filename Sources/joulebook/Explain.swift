import ArgumentParser
import JoulebookClient
import MarketModel
import Settlement

/// `joulebook explain`.
struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains why an open order does not trade.",
    discussion: """
      Prints how much of the order is open, executable and waiting (kWh), and the orders that it \
      waits for. The exchange order id is in the execution reports of the order.

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
    print(
      "order \(order) of account \(answer.account.rawValue): open \(kilowattHours(answer.leaves)), "
        + "executable \(kilowattHours(answer.covered)), waiting \(kilowattHours(answer.waiting))")
    print(Self.sentence(answer))
    for blocker in answer.blockers {
      print(
        "  order \(blocker.order.rawValue) at \(blocker.price.decimal) uses "
          + kilowattHours(blocker.used))
    }
    if answer.hasMoreBlockers { print("  and further orders") }
  }

  private func kilowattHours(_ energy: Energy) -> String { energy.kilowattHours + " kWh" }

  private static func sentence(_ answer: OrderExplanationReport) -> String {
    let best = answer.bestOpposite.map { "the best is \($0.decimal)" } ?? "there is none"
    return switch answer.reason {
    case 0: "It waits for a live price on the other side that it can trade with; \(best)."
    case 1: "It waits for energy. Better-priced asks of the same account use the available energy:"
    case 2:
      "It waits for headroom. Better-priced bids of the same account use the available headroom:"
    case 3: "Its instrument is halted."
    case 4: "Its instrument is closed."
    case 5: "The live order that it would trade with belongs to the same account:"
    default: "The server reports reason \(answer.reason), which this version does not know."
    }
  }
}
