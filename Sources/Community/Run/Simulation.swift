import MarketModel

/// A community's run in this process: the same model, traders and rules as the demonstration, without
/// server, sockets, journal or ledger. For research, and for tests of the market's outcome.
public struct Simulation: Sendable {
  /// What the run found out; `latency` is empty, since nothing was sent.
  public let result: DemoResult
  /// Invariants of the rules that did not hold at the end: none.
  public let violations: [String]
  /// Hash over all events: the same for the same model and seed.
  public let eventHash: UInt64

  /// Runs `model` with `seed`.
  /// - Precondition: the exchange accepts the set-up, which follows from the model alone.
  public init(of model: CommunityModel, seed: UInt64) {
    let population = Population(of: model, seed: seed)
    let plan = CommunityPlan(model: model, population: population)
    var run = CommunityRun(plan: plan, venue: InProcessVenue(plan: plan), seed: seed)
    let noKey = PublicKey(0, 0, 0, 0)
    do {
      try run.play(
        setup: plan.setup(sessionKey: { _ in noKey }, meterKey: { _ in noKey }),
        progress: { _, _ in })
    } catch {
      preconditionFailure("\(error)")
    }
    var venue = run.venue
    venue.finish()
    let recorder = venue.recorder
    violations = venue.violations
    eventHash = venue.eventHash
    result = DemoResult(
      setting: DemoResult.Setting(model: model, population: population, seed: seed),
      run: recorder.run, samples: recorder.samples, energy: recorder.total,
      alone: recorder.alone, deepestOverlap: recorder.deepestOverlap,
      customers: recorder.customers, latency: DemoResult.LatencyFigures(),
      proofs: Proofs.conservation(plan: plan, totals: venue.totals, cash: venue.cash))
  }
}
