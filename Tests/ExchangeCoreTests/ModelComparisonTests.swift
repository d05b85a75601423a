import Foundation
import Testing

// MODEL_COMMANDS=20000000 swift test --filter ModelComparisonTests   a longer run
// MODEL_SEED=31 swift test --filter ModelComparisonTests             one seed again

@Suite("Engine and reference model")
struct ModelComparisonTests {
  /// Number of commands after which a new history starts: many short histories reach more states
  /// than one long one.
  private let commandsPerSeed = 5_000

  @Test("Engine and model have equal events and states over a million random commands.")
  func sameOverRandomCommands() {
    let environment = ProcessInfo.processInfo.environment
    let total = environment["MODEL_COMMANDS"].flatMap(Int.init) ?? 1_000_000
    let only = environment["MODEL_SEED"].flatMap(UInt64.init)
    var coverage = Coverage()
    var seed = only ?? 1
    repeat {
      let commands = min(commandsPerSeed, total - coverage.commands)
      if let divergence = Comparison.run(seed: seed, commands: commands, coverage: &coverage) {
        Issue.record("\(divergence.report)")
        return
      }
      seed += 1
    } while coverage.commands < total && only == nil
    if total >= 1_000_000, only == nil { expectEnough(coverage) }
    if environment["MODEL_VERBOSE"] != nil { print(coverage.table) }
  }

  /// Checks that the run covered all the cases that it is meant to cover.
  private func expectEnough(_ coverage: Coverage) {
    let waiting = coverage.waited * 100 / coverage.entered
    #expect((35...65).contains(waiting), "waiting on entry: \(waiting) %")
    let events = [
      "trade", "trade below zero", "trade with fee", "restated", "replaced", "import", "export",
      "loss", "agent order", "alarm cascadeBound", "cancel closed", "cancel expired",
      "cancel fillOrKill", "cancel immediate", "cancel mass", "cancel postOnly", "cancel revoked",
      "cancel blocked", "cancel selfTrade", "cancel user", "acknowledged", "displayed", "refilled",
      "rulesSet",
      "bound of cash", "indexed", "share: orders of an account", "share: levels of an account",
      "share: half of the orders", "share: half of the levels", "share: last eighth of the orders",
      "share: last eighth of the levels", "parameterSet", "cancel definition",
      "noted", "self-trade of a participant", "accountSet", "own use", "bought locally",
      "sold locally", "lack in part", "local trade", "corrected", "quarantined", "readingDecided",
      "exports back", "imports back", "export of a correction", "import of a correction",
      "correction that does not count", "compensated",
    ]
    let codes = [
      1001, 3001, 3002, 3003, 3004, 3005, 3010, 3011, 3012, 4001, 4002, 4003, 4004, 4005, 4006,
      4007, 4008, 4009,
      4010, 4011, 4012, 4013, 4014, 4015, 4016, 4017, 4018, 4019, 4020, 5001, 5002, 5003, 5004,
      6001,
      6002, 6003, 6004, 6005, 6010, 6011, 6012, 6013, 6014, 6015, 6016, 6017, 6018, 6019, 7001,
      7003, 7004, 7005, 7006,
      7007, 7008, 7009, 7013, 7014, 7015, 8001, 8002, 8003, 8004, 8005, 8006, 8015, 9006, 9020,
      9021,
      9022, 9023,
    ]
    for kind in events + codes.map({ "reject \($0)" }) {
      #expect(coverage.counts[kind, default: 0] >= 20, "met too rarely: \(kind)")
    }
  }

  @Test("A random step written as a line is read back as the same step.")
  func linesRoundTrip() throws {
    for seed in UInt64(1)...20 {
      var random = RandomMarket(seed: seed)
      var steps = random.world()
      for _ in 0..<500 { steps.append(random.step(open: ["o1", "o2"])) }
      for step in steps {
        let line = StepWriter.line(step)
        let again = try StepParser.step(line)
        #expect(StepWriter.line(again) == line, "seed \(seed)")
        #expect("\(again.body)" == "\(step.body)", "seed \(seed): \(line)")
        #expect(again.session == step.session && again.advance == step.advance)
      }
    }
  }
}
