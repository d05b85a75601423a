/// Deterministic simulation of the whole exchange under faults. A seed always gives the same run.
package struct Simulation: Sendable {
  /// Result of one seed.
  package struct Outcome: Sendable {
    /// The seed that was run.
    package let seed: UInt64
    /// Counts of the run, up to its failure if it failed.
    package let report: RunReport
    /// The first violated requirement; `nil` when the run succeeded.
    package let violation: Violation?
  }

  private let village: Village
  /// Approximate number of steps with faults per run.
  package let steps: Int

  /// Simulations of about `steps` steps each.
  /// - Throws: An error of the cryptographic library when it makes the keys.
  package init(steps: Int = 600) throws {
    self.steps = steps
    village = try Village()
  }

  /// Runs one seed. Any thread.
  /// - Parameter story: Called with a line for each write, sync, fault and start.
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
