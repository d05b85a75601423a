import MarketModel

/// How often what goes wrong with the disk of a run, in ten thousand calls unless said otherwise.
struct DiskFaults: Sendable, Equatable {
  /// Reads that fail.
  var readError = 0
  /// Reads that return one flipped bit, once.
  var readFlip = 0
  /// Writes that fail.
  var writeError = 0
  /// Writes that take only a part.
  var shortWrite = 0
  /// Syncs that fail.
  var syncError = 0
  /// Writes of blocks that land at another place of the journal.
  var misdirected = 0
  /// Calls in the midst of which the power goes.
  var powerLoss = 0
  /// Calls that take long, so that others get on meanwhile.
  var slow = 0
  /// Bytes the disk holds; `nil`: any number.
  var capacity: Int?

  /// None at all.
  static let none = DiskFaults()

  /// Faults of a run, from none to one call in ten.
  static func drawn(_ random: inout SeededRandom) -> DiskFaults {
    var faults = DiskFaults()
    faults.slow = [0, 2_000, 6_000][random.pick(0..<3)]
    // A third of the runs see no error of the disk at all: they lose power and kill only.
    if random.happens(3_333) { return faults }
    func rate(_ random: inout SeededRandom) -> Int {
      random.happens(5_000) ? 0 : [5, 50, 200, 1_000][random.pick(0..<4)]
    }
    faults.readError = rate(&random) / 4
    faults.readFlip = rate(&random) / 4
    faults.writeError = rate(&random)
    faults.shortWrite = rate(&random)
    faults.syncError = rate(&random)
    faults.misdirected = rate(&random) / 2
    faults.powerLoss = rate(&random) / 4
    return faults
  }
}
