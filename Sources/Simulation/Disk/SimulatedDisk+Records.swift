// What a simulated disk records of its faults: damage to the medium, and counts.

extension SimulatedDisk {
  /// A range on the medium whose bytes differ from what was written there.
  struct Damage {
    let id: Int
    let name: String
    let offset: Int
    let original: [UInt8]
    /// The bytes that are there instead, unless a later write replaced them.
    let wrong: [UInt8]
    /// Whether the write went to another offset.
    var isMissing = false

    func overlaps(_ name: String, _ range: Range<Int>) -> Bool {
      name == self.name && range.overlaps(offset..<offset + original.count)
    }
  }

  /// Numbers of calls and injected faults.
  struct Counts {
    var calls = 0
    var readErrors = 0
    var readFlips = 0
    var writeErrors = 0
    var shortWrites = 0
    var syncErrors = 0
    var misdirected = 0
    var flips = 0
    var full = 0
    var slow = 0
    var powerLosses = 0
  }
}
