import GatewayKit
import Logging
import MarketFile
import MarketModel

extension Server {
  /// Number of commands of a market file that are journaled and delivered together.
  private static let marketTurn = 64

  /// Makes what a market file defines and the exchange does not have, by journaled commands of the
  /// exchange. Called before the server listens.
  /// - Throws: `configuration` if something is there and differs; then nothing was changed. If the
  ///   exchange rejects a command: the ones before it took effect, and the next start continues.
  static func make(
    _ file: MarketDescription, _ market: MatchingStage, _ delivery: Delivery, _ log: Logger
  ) throws(StartError) {
    let there = MarketDescription(
      name: "the market", market.exchange, delivery.view.reference)
    let plan = MarketPlan(file, comparedWith: there) { market.exchange.hasPosted($0) }
    guard plan.differences.isEmpty else {
      let lines = plan.differences.joined(separator: "\n  ")
      throw .configuration(
        ConfigurationError(
          "\(file.name) differs from the market, and nothing was changed:\n  \(lines)\n"
            + "Change the file, or the market with `joulebook admin` while it runs without --market"
        ))
    }
    for note in plan.notes { log.notice("the market file", metadata: ["note": "\(note)"]) }
    var faults: [String] = []
    for start in stride(from: 0, to: plan.steps.count, by: marketTurn) {
      let steps = plan.steps[start..<min(start + marketTurn, plan.steps.count)]
      faults += make(steps, file, market, delivery, log)
      if !faults.isEmpty { break }
    }
    guard faults.isEmpty else {
      throw .configuration(
        ConfigurationError(
          "the exchange rejected definitions of \(file.name). What came before them was made; "
            + "correct the file and start again:\n  " + faults.joined(separator: "\n  ")))
    }
    log.notice(
      "the market is as the market file says",
      metadata: ["file": "\(file.name)", "commands": "\(plan.steps.count)"])
  }

  /// Applies some steps and waits until they are durable and delivered.
  /// - Returns: the rejected ones, one line each.
  private static func make(
    _ steps: ArraySlice<MarketPlan.Step>, _ file: MarketDescription, _ market: MatchingStage,
    _ delivery: Delivery, _ log: Logger
  ) -> [String] {
    var next = steps.startIndex
    let first = market.lastSequence.rawValue + 1
    for step in steps where market.take(step.command) { next += 1 }
    invariant(next == steps.endIndex, "the intake has room for a turn of a start")
    market.work()
    market.endTurn()
    awaitDisk(market, log)
    var faults: [String] = []
    let through = market.deliver { entry, isLast in
      let (sequence, time) = (entry.pointee.sequence, entry.pointee.time)
      if case .rejected(let rejected) = entry.pointee.event, sequence.rawValue >= first {
        let step = steps[steps.startIndex + Int(sequence.rawValue - first)]
        faults.append(MarketFaults.line(rejected, step.item, file))
      }
      delivery.deliver(entry.event, of: sequence, time)
      if isLast { delivery.endCommand(time) }
      return true
    }
    delivery.delivered(through: through)
    return faults
  }
}
