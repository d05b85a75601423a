import ExchangeCore
import JoulebookServer
import MarketModel
import Settlement

/// What is chosen for a run, all of it by its seed.
struct RunSetting: Sendable {
  static let journal = "/journal"
  static let ledger = "/ledger.sqlite"

  let capacity = Capacity(
    participants: 8, sessions: 8, accounts: 8, areas: 2, instruments: 2, meters: 4, positions: 16,
    orders: 256, priceLevels: 128)
  let genesis: LedgerGenesis
  let faults: DiskFaults
  /// Steps before everything is put right again.
  let steps: Int
  /// In ten thousand steps: the process is killed, the power goes, a bit flips, a connection breaks,
  /// the wall clock jumps.
  let kills, powerLosses, flips, cuts, jumps: Int
  /// In ten thousand steps: the disk gets full for a while.
  let fillings: Int
  /// In ten thousand calls of the database, for a while: they fail.
  let configuration: Configuration

  /// The setting of a run of about `steps` steps.
  init(_ random: inout SeededRandom, steps: Int) {
    func rate(_ random: inout SeededRandom, _ choices: [Int]) -> Int {
      choices[random.pick(0..<choices.count)]
    }
    faults = DiskFaults.drawn(&random)
    self.steps = random.pick(steps / 2..<steps * 3 / 2)
    kills = rate(&random, [0, 20, 100])
    powerLosses = rate(&random, [0, 20, 100])
    flips = rate(&random, [0, 0, 30, 100])
    cuts = rate(&random, [0, 50, 300])
    jumps = rate(&random, [0, 0, 30])
    fillings = rate(&random, [0, 0, 30])
    genesis = LedgerGenesis(
      rules: BatchRules(
        transfers: UInt32(rate(&random, [1, 5, 20])), nanoseconds: 2_000_000_000))
    var configuration = Configuration()
    configuration.dataFolder = Self.journal
    configuration.capacity = capacity
    configuration.settlement = genesis.rules
    configuration.segmentBytes = UInt32(4096 * rate(&random, [2, 5, 16]))
    configuration.checkpointInterval = UInt64(rate(&random, [7, 40]))
    configuration.ingressCommands = UInt32(rate(&random, [64, 256]))
    configuration.outboxEvents = UInt32(rate(&random, [8, 256]))
    configuration.snapshotCommands = UInt64(rate(&random, [0, 3, 20, 60]))
    configuration.snapshotMinutes = 0
    configuration.snapshotKeep = UInt32(rate(&random, [1, 2]))
    configuration.journalRetain = UInt64(rate(&random, [0, 1, 30]))
    self.configuration = configuration
  }
}
