import MarketModel

/// Frequencies of the faults of a disk, in faults per 10,000 calls unless a comment says otherwise.
struct DiskFaults: Sendable, Equatable {
  /// Reads that fail.
  var readError = 0
  /// Reads that return one flipped bit; the medium is unchanged.
  var readFlip = 0
  /// Writes that fail.
  var writeError = 0
  /// Writes that write only a part.
  var shortWrite = 0
  /// Syncs that fail.
  var syncError = 0
  /// Writes of journal blocks that go to another block's offset.
  var misdirected = 0
  /// Calls during which the power fails.
  var powerLoss = 0
  /// Calls that take long, so that other threads run in the meantime.
  var slow = 0
  /// Capacity of the disk in bytes; `nil`: unlimited.
  var capacity: Int?

  /// A disk without faults.
  static let none = DiskFaults()

  /// Random frequencies, from zero to one call in ten.
  static func drawn(_ random: inout SeededRandom) -> DiskFaults {
    var faults = DiskFaults()
    faults.slow = [0, 2_000, 6_000][random.pick(0..<3)]
    // A third of the runs have no disk errors, only kills and power losses.
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
