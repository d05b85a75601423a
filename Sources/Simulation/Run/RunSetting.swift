import ExchangeCore
import JoulebookServer
import MarketModel
import Settlement

/// The parameters of a run, which its seed determines.
struct RunSetting: Sendable {
  static let journal = "/journal"
  static let ledger = "/ledger.sqlite"

  let capacity = Capacity(
    participants: 8, sessions: 8, accounts: 8, areas: 2, instruments: 2, meters: 4, positions: 16,
    orders: 256, priceLevels: 128, readings: 256, tariffHistory: 64, quarantine: 16)
  let market: MarketId
  let genesis: LedgerGenesis
  let faults: DiskFaults
  /// Number of steps with faults.
  let steps: Int
  /// Frequencies per 10,000 steps of kills, power losses, bit flips, broken connections and clock
  /// jumps.
  let kills, powerLosses, flips, cuts, jumps: Int
  /// Frequency per 10,000 steps with which the disk becomes full or free again.
  let fillings: Int
  /// Frequency per 10,000 turns with which the abuser acts.
  let abuse: Int
  /// Configuration of the server.
  let configuration: Configuration

  /// Draws the parameters of a run of about `steps` steps.
  init(_ random: inout SeededRandom, steps: Int, market: MarketId) {
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
    abuse = rate(&random, [0, 2_000, 7_000])
    genesis = LedgerGenesis(
      rules: BatchRules(
        transfers: UInt32(rate(&random, [1, 5, 20])), nanoseconds: 2_000_000_000))
    var configuration = Configuration()
    configuration.dataFolder = Self.journal
    configuration.market = market
    self.market = market
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
    configuration.workLimit = UInt32(rate(&random, [2_000, 100_000]))
    self.configuration = configuration
  }
}
