import ArgumentParser
import Glibc
import Presentation
import Simulation

/// The seed that runs now, for the signal handler of traps.
nonisolated(unsafe) private var currentSeed: UInt64 = 0

/// `joulebook simulate`.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the whole exchange in simulated time under injected faults.",
    discussion: """
      Sequencer, exchange, sessions, journal, recovery, settlement and ledger run on one thread. \
      Each seed determines clients, clock and the faults of disk and network, so a seed always \
      gives the same run. A seed that violates an invariant is printed and the exit code is 70.

        joulebook simulate --seeds 1000
        joulebook simulate --first 4711 --story          one run, in detail
      """)

  @Option(name: .long, help: "Number of seeds to run.")
  var seeds: UInt64 = 1
  @Option(name: .long, help: "First seed; the others follow it.")
  var first: UInt64 = 1
  @Option(name: .long, help: "Approximate number of steps with faults per seed.")
  var steps = 600

  @Flag(name: .long, help: "Print every write, sync, fault and start.")
  var story = false

  func run() throws {
    guard steps >= 2, seeds > 0 else {
      throw ValidationError("--seeds must be at least 1 and --steps at least 2")
    }
    let simulation = try Simulation(steps: steps)
    let clock = ContinuousClock()
    let start = clock.now
    var total = RunReport()
    var failed: [UInt64] = []
    var progress = ProgressBar(total: UInt64(seeds), unit: "seeds")
    for seed in first..<first + seeds {
      announceTraps(of: seed)
      let outcome = simulation.play(seed, story: story ? { Swift.print($0) } : nil)
      total.add(outcome.report)
      if let violation = outcome.violation {
        failed.append(seed)
        progress.clear()
        Swift.print("seed \(seed): \(violation)")
      }
      progress.show(seed - first + 1)
    }
    progress.clear()
    print(total, clock.now - start)
    guard failed.isEmpty else {
      let seed = failed[0]
      throw Failure.checkFailed.exit(
        "\(failed.count) seeds failed; see one again: joulebook simulate --first \(seed) "
          + "--steps \(steps)")
    }
  }

  /// Installs signal handlers that print the seed when a trap ends the process.
  private func announceTraps(of seed: UInt64) {
    currentSeed = seed
    for trap in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT] {
      signal(trap) { number in
        var text: [UInt8] = Array("\njoulebook: trapped in seed ".utf8)
        text += Array(String(currentSeed).utf8) + [10]
        _ = write(STDERR_FILENO, text, text.count)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }

  private func print(_ total: RunReport, _ duration: Duration) {
    for (name, path) in RunReport.rows {
      let value = String(total[keyPath: path])
      Swift.print(
        name + String(repeating: " ", count: max(1, 54 - name.count - value.count)) + value)
    }
    let wall = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    Swift.print(
      String(
        format: "%.0f simulated seconds in %.1f s: %.0f x real time", total.seconds, wall,
        total.seconds / wall))
    Swift.print("trace \(hexadecimal(total.trace))")
  }
}
