/// The whole exchange under faults, deterministic: one seed, one run, always the same.
package struct Simulation: Sendable {
  /// What a seed came to.
  package struct Outcome: Sendable {
    /// The seed.
    package let seed: UInt64
    /// What the run did, up to its failure if it failed.
    package let report: RunReport
    /// What must never happen and has; `nil`: the run is good.
    package let violation: Violation?
  }

  private let village: Village
  /// About how many steps a run takes before the calm.
  package let steps: Int

  /// Simulations of about `steps` steps each.
  /// - Throws: when the cryptographic library makes no keys.
  package init(steps: Int = 600) throws {
    self.steps = steps
    village = try Village()
  }

  /// Plays one seed. Any thread.
  /// - Parameter story: Is told what happens; for one run in detail.
  package func play(_ seed: UInt64, story: ((String) -> Void)? = nil) -> Outcome {
    let run = Run(seed: seed, steps: steps, village: village)
    run.disk.story = story
    do throws(Violation) {
      try run.play()
      return Outcome(seed: seed, report: run.report, violation: nil)
    } catch {
      return Outcome(seed: seed, report: run.report, violation: error)
    }
  }
}
