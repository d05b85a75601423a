// A hash table from keys of 64 bits to row numbers: open addressing with linear probing, at most
// half full. Removal moves the following entries up instead of leaving a tombstone, so that removed
// entries do not lengthen searches.

/// A slot of the table. Internal rather than private, because the deinit of an exchange in another
/// module needs its layout.
struct IndexEntry: BitwiseCopyable {
  var key: UInt64
  /// The row number; 0: the slot is free.
  var row: UInt32
}

/// A hash table of a fixed capacity. Owned by one thread.
struct IndexTable: ~Copyable {
  private let entries: Table<IndexEntry>
  private let mask: UInt32
  /// Number of entries.
  private(set) var count: UInt32 = 0

  /// A table for up to `capacity` entries; it has at least twice as many slots.
  init(capacity: UInt32) {
    var slots: UInt32 = 16
    while slots / 2 < capacity { slots *= 2 }
    mask = slots - 1
    entries = Table(capacity: Int(slots))
  }

  /// The row of a key; 0 when the key is absent. Constant time.
  func find(_ key: UInt64) -> UInt32 {
    var slot = home(key)
    while entries[slot].row != 0, entries[slot].key != key { slot = (slot &+ 1) & mask }
    return entries[slot].row
  }

  /// Adds a key, which must be absent.
  /// - Parameter row: The row of the key; not 0.
  mutating func insert(_ key: UInt64, _ row: UInt32) {
    precondition(row != 0 && count <= mask / 2, "an entry has a row, and the table is not full")
    var slot = home(key)
    while entries[slot].row != 0 { slot = (slot &+ 1) & mask }
    entries[slot] = IndexEntry(key: key, row: row)
    count += 1
  }

  /// Removes a key; does nothing when it is absent.
  mutating func remove(_ key: UInt64) {
    var hole = home(key)
    while entries[hole].row != 0, entries[hole].key != key { hole = (hole &+ 1) & mask }
    if entries[hole].row == 0 { return }
    var slot = (hole &+ 1) & mask
    while entries[slot].row != 0 {
      // The entry may move into the hole unless its home slot lies behind the hole.
      if (slot &- home(entries[slot].key)) & mask >= (slot &- hole) & mask {
        entries[hole] = entries[slot]
        hole = slot
      }
      slot = (slot &+ 1) & mask
    }
    entries[hole] = IndexEntry(key: 0, row: 0)
    count -= 1
  }

  /// The slot at which the search for a key begins. The hash uses wrapping arithmetic.
  private func home(_ key: UInt64) -> UInt32 {
    let mixed = (key ^ key &>> 32) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed &>> 32) & mask
  }
}
