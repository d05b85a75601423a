// From keys of 64 bits to row numbers: open addressing with linear probing, at most half full. What is removed leaves no
// mark: the entries behind it move up, so a search never gets longer by what was there before.

/// A place of an index. Not private: another module's deinit of an exchange needs its layout.
struct IndexEntry: BitwiseCopyable {
  var key: UInt64
  /// 0: the place is free.
  var row: UInt32
}

/// A hash table of a fixed capacity. Owned by one thread.
struct IndexTable: ~Copyable {
  private let entries: Table<IndexEntry>
  private let mask: UInt32
  /// How many entries there are.
  private(set) var count: UInt32 = 0

  /// Room for `capacity` entries; places are twice as many, or more.
  init(capacity: UInt32) {
    var places: UInt32 = 16
    while places / 2 < capacity { places *= 2 }
    mask = places - 1
    entries = Table(capacity: Int(places))
  }

  /// The row of a key; 0 without one. Constant time.
  func find(_ key: UInt64) -> UInt32 {
    var place = home(key)
    while entries[place].row != 0, entries[place].key != key { place = (place &+ 1) & mask }
    return entries[place].row
  }

  /// Adds a key, which is not there.
  /// - Parameter row: Not 0.
  mutating func insert(_ key: UInt64, _ row: UInt32) {
    precondition(row != 0 && count <= mask / 2, "an entry with a row, and room for it")
    var place = home(key)
    while entries[place].row != 0 { place = (place &+ 1) & mask }
    entries[place] = IndexEntry(key: key, row: row)
    count += 1
  }

  /// Removes a key; does nothing when it is not there.
  mutating func remove(_ key: UInt64) {
    var hole = home(key)
    while entries[hole].row != 0, entries[hole].key != key { hole = (hole &+ 1) & mask }
    if entries[hole].row == 0 { return }
    var place = (hole &+ 1) & mask
    while entries[place].row != 0 {
      // It may move up unless its home lies behind the hole.
      if (place &- home(entries[place].key)) & mask >= (place &- hole) & mask {
        entries[hole] = entries[place]
        hole = place
      }
      place = (place &+ 1) & mask
    }
    entries[hole] = IndexEntry(key: 0, row: 0)
    count -= 1
  }

  /// Where the search for a key begins. Wrapping is the arithmetic of the hash.
  private func home(_ key: UInt64) -> UInt32 {
    let mixed = (key ^ key &>> 32) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: mixed &>> 32) & mask
  }
}
