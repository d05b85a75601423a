// A hash table from keys to row numbers: open addressing with linear probing, at most half full.
// Removal moves the following entries up instead of leaving a tombstone, so that removed entries do
// not lengthen searches.

/// A slot of the table. Internal rather than private, because the deinit of an exchange in another
/// module needs its layout.
struct IndexEntry: BitwiseCopyable {
  var key: UInt64
  /// The row number; 0: the slot is free.
  var row: UInt32
  /// The second part of the key.
  var owner: UInt32
}

/// A hash table of a fixed capacity. A key is a number of 64 bits and a number of 32 bits, its
/// owner, which is 0 where the first part is unique. Owned by one thread.
struct IndexTable: ~Copyable {
  private let entries: Table<IndexEntry>
  private let mask: UInt32
  /// Number of entries.
  private(set) var count: UInt32 = 0
  /// A number that clients cannot know, where they choose the keys.
  private var seed: UInt64 = 0

  /// A table for up to `capacity` entries; it has at least twice as many slots.
  init(capacity: UInt32) {
    var slots: UInt32 = 16
    while slots / 2 < capacity { slots *= 2 }
    mask = slots - 1
    entries = Table(capacity: Int(slots))
  }

  /// Changes where keys are searched.
  /// - Precondition: The table is empty.
  mutating func seed(with seed: UInt64) {
    precondition(count == 0, "a table with entries keeps its seed")
    self.seed = seed
  }

  /// The row of a key; 0 when the key is absent. Constant time.
  func find(_ key: UInt64, of owner: UInt32 = 0) -> UInt32 { entries[slot(of: key, owner)].row }

  /// Adds a key, which must be absent.
  /// - Parameter row: The row of the key; not 0.
  mutating func insert(_ key: UInt64, of owner: UInt32 = 0, _ row: UInt32) {
    precondition(row != 0 && count <= mask / 2, "an entry has a row, and the table is not full")
    var slot = home(key, owner)
    while entries[slot].row != 0 { slot = (slot &+ 1) & mask }
    entries[slot] = IndexEntry(key: key, row: row, owner: owner)
    count += 1
  }

  /// Removes a key; does nothing when it is absent.
  mutating func remove(_ key: UInt64, of owner: UInt32 = 0) {
    var hole = slot(of: key, owner)
    if entries[hole].row == 0 { return }
    var slot = (hole &+ 1) & mask
    while entries[slot].row != 0 {
      // The entry may move into the hole unless its home slot lies behind the hole.
      let home = home(entries[slot].key, entries[slot].owner)
      if (slot &- home) & mask >= (slot &- hole) & mask {
        entries[hole] = entries[slot]
        hole = slot
      }
      slot = (slot &+ 1) & mask
    }
    entries[hole] = IndexEntry(key: 0, row: 0, owner: 0)
    count -= 1
  }

  /// The slot of a key; a free slot when the key is absent.
  private func slot(of key: UInt64, _ owner: UInt32) -> UInt32 {
    var slot = home(key, owner)
    while entries[slot].row != 0, entries[slot].key != key || entries[slot].owner != owner {
      slot = (slot &+ 1) & mask
    }
    return slot
  }

  /// The slot at which the search for a key begins. The hash uses wrapping arithmetic.
  private func home(_ key: UInt64, _ owner: UInt32) -> UInt32 {
    var mixed = (key ^ seed) &+ UInt64(owner) &* 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed &>> 32) &* ((0xC2B2_AE3D_27D4_EB4F ^ seed) | 1)
    mixed = (mixed ^ mixed &>> 29) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed &>> 32) & mask
  }
}
