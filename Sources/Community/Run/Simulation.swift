import MarketModel

/// A run of a community in this process with the model, traders and rules of the demonstration, but
/// without server, sockets, journal or ledger. For research and for tests of the market's outcome.
public struct Simulation: Sendable {
  /// Figures of the run; `latency` is empty because nothing is sent.
  public let result: DemoResult
  /// Violated invariants of the rules at the end; empty in a correct run.
  public let violations: [String]
  /// Hash over all events; equal for equal models and seeds.
  public let eventHash: UInt64

  /// Runs `model` with `seed`.
  /// - Precondition: The exchange accepts the commands that set up the model.
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
      baselines: recorder.baselines, deepestOverlap: recorder.deepestOverlap,
      customers: recorder.customers, batteryOwner: recorder.batteryOwner,
      latency: DemoResult.LatencyFigures(),
      proofs: Proofs.conservation(plan: plan, totals: venue.totals, cash: venue.cash))
  }
}
