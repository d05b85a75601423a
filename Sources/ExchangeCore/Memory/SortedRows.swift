// Rows in groups: in a group they ascend by a key that is unique there. Most rows are appended at the
// end of their group and leave it at its beginning; some come in between.
//
//     group ─┬─ oldest ──▶ leaf ⇄ leaf ⇄ leaf ◀── newest ─┐     the leaves of a group in a list
//            └─ root ────▶ tree of the leaves by key       │
//                                                          ▼
//     leaf    key, first, count          rows   | | | a b c d ... |     21 places of the table of rows
//
// An append writes behind the last row of the newest leaf: no search. A row in between searches the
// tree, a treap: its order is that of the keys, its shape follows from the leaves' numbers, so that it
// is balanced and equal on every machine. A full leaf gives a row to a neighbour that has room and is
// divided only between full ones. So three neighbours have 43 rows or more, also after the worst
// order of insertions, and an append at the end leaves full leaves behind.

import MarketModel

/// A row of `SortedRows`. All-zero bytes must be a valid row.
protocol KeyedRow: BitwiseCopyable {
  /// Its place in the group; unique there.
  var key: UInt64 { get }
}

/// A group of rows; all zeros: it is empty.
struct RowGroup: BitwiseCopyable {
  fileprivate(set) var root: UInt32
  fileprivate(set) var oldest: UInt32
  fileprivate(set) var newest: UInt32
  /// Number of rows.
  fileprivate(set) var count: UInt32
}

/// A leaf: where its rows are, and its place in list and tree.
struct RowLeaf: BitwiseCopyable {
  /// At most the key of its first row, and above the keys of the leaf before.
  fileprivate var key: UInt64
  fileprivate var left: UInt32
  fileprivate var right: UInt32
  fileprivate var next: UInt32
  fileprivate var previous: UInt32
  /// The places before the first row are free.
  fileprivate var first: UInt16
  fileprivate var count: UInt16
}

/// Where a row is; valid until the next insertion or removal.
struct RowPlace: Equatable {
  fileprivate(set) var leaf: UInt32
  fileprivate(set) var index: UInt32
}

/// Rows by group and key, in memory that is reserved at the start. Owned by one thread.
struct SortedRows<Element: KeyedRow>: ~Copyable {
  let groups: Table<RowGroup>
  private let leaves: Table<RowLeaf>
  private let rows: Table<Element>
  private var firstFree: UInt32 = 0
  private var used: UInt32 = 0
  /// Number of rows of all groups.
  private(set) var count: UInt32 = 0
  /// The most rows.
  let capacity: UInt32

  /// Rows of a leaf.
  static var rowsOfLeaf: UInt32 { 21 }

  /// Room for `capacity` rows in groups 0 ... `groups`, in any shape that insertions and removals can
  /// give them: a leaf has 10 rows or more on average, besides two of each group.
  init(capacity: UInt32, groups: UInt32) {
    self.capacity = capacity
    self.groups = Table(capacity: Int(groups) + 1)
    let number = Int(capacity) / 10 + 2 * Int(min(groups, capacity)) + 4
    leaves = Table(capacity: number + 1)
    rows = Table(capacity: (number + 1) * Int(Self.rowsOfLeaf))
  }

  /// Whether no further row has room.
  var isFull: Bool { count >= capacity }

  subscript(place: RowPlace) -> Element {
    get { rows[base(place.leaf) + place.index] }
    nonmutating set {
      invariant(newValue.key == rows[base(place.leaf) + place.index].key, "a row keeps its key")
      rows[base(place.leaf) + place.index] = newValue
    }
  }

  /// The leaf to which the next row of a group is appended, for prefetching.
  @inline(__always) func newestLeaf(of group: UInt32) -> UnsafeMutablePointer<RowLeaf> {
    leaves.address(of: groups[group].newest)
  }

  /// The place of the next row of a group, for prefetching.
  @inline(__always) func end(of group: UInt32) -> UnsafeMutablePointer<Element> {
    let leaf = groups[group].newest
    return rows.address(of: base(leaf) &+ UInt32(leaves[leaf].first &+ leaves[leaf].count))
  }

  // MARK: Search

  /// The last row of a group whose key is at most `key`; `nil` when all are above. Logarithmic.
  func last(atMost key: UInt64, in group: UInt32) -> RowPlace? {
    let leaf = leaf(for: key, in: group)
    if leaf == 0 { return nil }
    let index = place(of: key, in: leaf)
    if index < leaves[leaf].end, row(leaf, index).key == key {
      return RowPlace(leaf: leaf, index: index)
    }
    return place(before: RowPlace(leaf: leaf, index: index))
  }

  /// The first row of a group; `nil` when it has none.
  func first(in group: UInt32) -> RowPlace? {
    let leaf = groups[group].oldest
    return leaf == 0 ? nil : RowPlace(leaf: leaf, index: UInt32(leaves[leaf].first))
  }

  /// The row behind a row of its group; `nil` at the end.
  func place(after place: RowPlace) -> RowPlace? {
    if place.index + 1 < leaves[place.leaf].end {
      return RowPlace(leaf: place.leaf, index: place.index + 1)
    }
    let next = leaves[place.leaf].next
    return next == 0 ? nil : RowPlace(leaf: next, index: UInt32(leaves[next].first))
  }

  private func place(before place: RowPlace) -> RowPlace? {
    if place.index > UInt32(leaves[place.leaf].first) {
      return RowPlace(leaf: place.leaf, index: place.index - 1)
    }
    let previous = leaves[place.leaf].previous
    return previous == 0 ? nil : RowPlace(leaf: previous, index: leaves[previous].end - 1)
  }

  /// The last leaf of a group whose key is at most `key`; 0: there is none.
  private func leaf(for key: UInt64, in group: UInt32) -> UInt32 {
    var (node, found) = (groups[group].root, UInt32(0))
    while node != 0 {
      if leaves[node].key <= key {
        (found, node) = (node, leaves[node].right)
      } else {
        node = leaves[node].left
      }
    }
    return found
  }

  /// The index in a leaf of the first row whose key is `key` or above.
  private func place(of key: UInt64, in leaf: UInt32) -> UInt32 {
    var (low, high) = (UInt32(leaves[leaf].first), leaves[leaf].end)
    while low < high {
      let middle = (low + high) / 2
      if row(leaf, middle).key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  @inline(__always) private func base(_ leaf: UInt32) -> UInt32 { leaf &* Self.rowsOfLeaf }
  @inline(__always) private func row(_ leaf: UInt32, _ index: UInt32) -> Element {
    rows[base(leaf) &+ index]
  }

  // MARK: Insertion

  /// Adds a row whose key is above all of its group. Constant time; logarithmic once a leaf.
  /// - Precondition: the table is not full.
  @inline(__always) mutating func append(_ row: Element, to group: UInt32) {
    let leaf = groups[group].newest
    let end = leaves[leaf].end
    if leaf == 0 || end == Self.rowsOfLeaf { return appendLeaf(row, to: group) }
    rows[base(leaf) &+ end] = row
    leaves[leaf].count &+= 1
    groups[group].count &+= 1
    count &+= 1
  }

  @inline(never) private mutating func appendLeaf(_ row: Element, to group: UInt32) {
    let last = groups[group].newest
    var leaf = last
    if last == 0 || leaves[last].count == UInt16(Self.rowsOfLeaf) {
      leaf = take()
      leaves[leaf].key = row.key
      link(leaf, behind: last, in: group)
    }
    put(row, into: leaf)
    groups[group].count += 1
    count += 1
  }

  /// Adds a row anywhere in its group; its key is not there. Logarithmic.
  /// - Precondition: the table is not full.
  mutating func insert(_ row: Element, into group: UInt32) {
    let found = leaf(for: row.key, in: group)
    let leaf = found == 0 ? groups[group].oldest : found
    if leaf == 0
      || (leaf == groups[group].newest && place(of: row.key, in: leaf) == leaves[leaf].end)
    {
      return append(row, to: group)
    }
    if leaves[leaf].count < UInt16(Self.rowsOfLeaf) {
      put(row, into: leaf)
    } else if let rest = giveToNeighbour(of: leaf, row) {
      put(row, into: rest)
    } else {
      let upper = divide(leaf, in: group)
      put(row, into: row.key < leaves[upper].key ? leaf : upper)
    }
    groups[group].count += 1
    count += 1
  }

  /// Makes room in a full leaf, or in the neighbour where the row belongs as well.
  /// - Returns: The leaf for the row; `nil` when both neighbours are full or missing.
  private func giveToNeighbour(of leaf: UInt32, _ row: Element) -> UInt32? {
    let most = UInt16(Self.rowsOfLeaf)
    let (previous, next) = (leaves[leaf].previous, leaves[leaf].next)
    if previous != 0, leaves[previous].count < most {
      let first = self.row(leaf, UInt32(leaves[leaf].first))
      if row.key < first.key {
        leaves[leaf].key = first.key
        return previous
      }
      put(first, into: previous)
      leaves[leaf].first += 1
      leaves[leaf].count -= 1
      let second = self.row(leaf, UInt32(leaves[leaf].first)).key
      leaves[leaf].key = min(row.key, second)
      return leaf
    }
    if next != 0, leaves[next].count < most {
      let last = self.row(leaf, leaves[leaf].end - 1)
      if row.key > last.key { return next }
      put(last, into: next)
      leaves[leaf].count -= 1
      return leaf
    }
    return nil
  }

  /// Moves the upper half of a full leaf into a new one behind it.
  private mutating func divide(_ leaf: UInt32, in group: UInt32) -> UInt32 {
    let upper = take()
    let kept = Self.rowsOfLeaf / 2 + 1
    let moved = Self.rowsOfLeaf - kept
    rows.address(of: base(upper)).update(
      from: rows.address(of: base(leaf) + kept), count: Int(moved))
    leaves[upper].count = UInt16(moved)
    leaves[leaf].count = UInt16(kept)
    leaves[upper].key = row(upper, 0).key
    link(upper, behind: leaf, in: group)
    return upper
  }

  /// Puts a row at its place in a leaf that has room.
  private func put(_ new: Element, into leaf: UInt32) {
    invariant(leaves[leaf].count < UInt16(Self.rowsOfLeaf), "the leaf has room")
    if leaves[leaf].first > 0 { moveToStart(leaf) }
    let index = place(of: new.key, in: leaf)
    let behind = leaves[leaf].end - index
    let place = rows.address(of: base(leaf) + index)
    (place + 1).update(from: place, count: Int(behind))
    place.pointee = new
    leaves[leaf].count += 1
    leaves[leaf].key = min(leaves[leaf].key, new.key)
  }

  private func moveToStart(_ leaf: UInt32) {
    let start = rows.address(of: base(leaf))
    start.update(from: start + Int(leaves[leaf].first), count: Int(leaves[leaf].count))
    leaves[leaf].first = 0
  }

  // MARK: Removal

  /// Removes a row. Logarithmic.
  mutating func remove(_ place: RowPlace, from group: UInt32) {
    let leaf = place.leaf
    if place.index == UInt32(leaves[leaf].first) {
      leaves[leaf].first += 1
    } else {
      let hole = rows.address(of: base(leaf) + place.index)
      hole.update(from: hole + 1, count: Int(leaves[leaf].end - place.index - 1))
    }
    leaves[leaf].count -= 1
    groups[group].count -= 1
    count -= 1
    if leaves[leaf].count == 0 { return free(leaf, in: group) }
    if !join(leaf, in: group), leaves[leaf].previous != 0 {
      _ = join(leaves[leaf].previous, in: group)
    }
  }

  /// Moves the rows of the next leaf into `leaf` when they fit, so that removals leave no sparse
  /// leaves behind.
  private mutating func join(_ leaf: UInt32, in group: UInt32) -> Bool {
    let next = leaves[leaf].next
    if next == 0 || leaves[leaf].count + leaves[next].count > UInt16(Self.rowsOfLeaf) {
      return false
    }
    moveToStart(leaf)
    rows.address(of: base(leaf) + UInt32(leaves[leaf].count)).update(
      from: rows.address(of: base(next) + UInt32(leaves[next].first)),
      count: Int(leaves[next].count))
    leaves[leaf].count += leaves[next].count
    free(next, in: group)
    return true
  }

  // MARK: Leaves in list and tree

  private mutating func take() -> UInt32 {
    var leaf = firstFree
    if leaf != 0 {
      firstFree = leaves[leaf].next
    } else {
      used += 1
      leaf = used
    }
    invariant(Int(leaf) < leaves.capacity, "there is a leaf for every shape of the rows")
    leaves[leaf] = RowLeaf(key: 0, left: 0, right: 0, next: 0, previous: 0, first: 0, count: 0)
    return leaf
  }

  private func link(_ leaf: UInt32, behind previous: UInt32, in group: UInt32) {
    let next = previous == 0 ? groups[group].oldest : leaves[previous].next
    (leaves[leaf].previous, leaves[leaf].next) = (previous, next)
    if previous == 0 { groups[group].oldest = leaf } else { leaves[previous].next = leaf }
    if next == 0 { groups[group].newest = leaf } else { leaves[next].previous = leaf }
    enterTree(leaf, group)
  }

  private mutating func free(_ leaf: UInt32, in group: UInt32) {
    leaveTree(leaf, group)
    let (previous, next) = (leaves[leaf].previous, leaves[leaf].next)
    if previous == 0 { groups[group].oldest = next } else { leaves[previous].next = next }
    if next == 0 { groups[group].newest = previous } else { leaves[next].previous = previous }
    leaves[leaf] = RowLeaf(
      key: 0, left: 0, right: 0, next: firstFree, previous: 0, first: 0, count: 0)
    firstFree = leaf
  }

  /// The order from the root to the leaves of the tree; different for each leaf, wrapping.
  private func rank(_ leaf: UInt32) -> UInt32 {
    var mixed = leaf &* 0x9E37_79B1
    mixed = (mixed ^ mixed &>> 15) &* 0x85EB_CA77
    return mixed ^ mixed &>> 13
  }

  private func setChild(_ node: UInt32, _ isRight: Bool, _ child: UInt32, _ group: UInt32) {
    if node == 0 {
      groups[group].root = child
    } else if isRight {
      leaves[node].right = child
    } else {
      leaves[node].left = child
    }
  }

  private func enterTree(_ leaf: UInt32, _ group: UInt32) {
    let (key, rank) = (leaves[leaf].key, rank(leaf))
    var (parent, isRight, node) = (UInt32(0), false, groups[group].root)
    while node != 0, self.rank(node) > rank {
      isRight = leaves[node].key < key
      (parent, node) = (node, isRight ? leaves[node].right : leaves[node].left)
    }
    setChild(parent, isRight, leaf, group)
    // The nodes below are divided: those with lower keys to its left, the others to its right.
    var (lower, lowerIsRight, upper, upperIsRight) = (leaf, false, leaf, true)
    while node != 0 {
      if leaves[node].key < key {
        setChild(lower, lowerIsRight, node, group)
        (lower, lowerIsRight, node) = (node, true, leaves[node].right)
      } else {
        setChild(upper, upperIsRight, node, group)
        (upper, upperIsRight, node) = (node, false, leaves[node].left)
      }
    }
    setChild(lower, lowerIsRight, 0, group)
    setChild(upper, upperIsRight, 0, group)
  }

  private func leaveTree(_ leaf: UInt32, _ group: UInt32) {
    let key = leaves[leaf].key
    var (parent, isRight, node) = (UInt32(0), false, groups[group].root)
    while node != leaf {
      invariant(node != 0, "a leaf is in the tree of its group")
      isRight = leaves[node].key < key
      (parent, node) = (node, isRight ? leaves[node].right : leaves[node].left)
    }
    var (lower, upper) = (leaves[leaf].left, leaves[leaf].right)
    while lower != 0, upper != 0 {
      if rank(lower) > rank(upper) {
        setChild(parent, isRight, lower, group)
        (parent, isRight, lower) = (lower, true, leaves[lower].right)
      } else {
        setChild(parent, isRight, upper, group)
        (parent, isRight, upper) = (upper, false, leaves[upper].left)
      }
    }
    setChild(parent, isRight, lower == 0 ? upper : lower, group)
  }
}

extension RowLeaf {
  /// The index behind its last row.
  @inline(__always) fileprivate var end: UInt32 { UInt32(first &+ count) }
}

// MARK: - Image and check

/// The counters in the image of sorted rows.
struct SortedRowsCounters: BitwiseCopyable {
  var firstFree, used, count: UInt32
}

extension SortedRows {
  /// Number of leaves with rows.
  var leafCount: Int {
    var (free, leaf) = (0, firstFree)
    while leaf != 0 { (free, leaf) = (free + 1, leaves[leaf].next) }
    return Int(used) - free
  }

  static func add(to layout: inout StateLayout) {
    layout.add(SortedRowsCounters.self)
    layout.add(RowGroup.self)
    layout.add(RowLeaf.self)
    layout.add(Element.self)
  }

  /// Writes the rows with their leaves. Linear in the leaves in use.
  func write(to sink: any StateSink) {
    sink.put(SortedRowsCounters(firstFree: firstFree, used: used, count: count))
    groups.write(to: sink)
    leaves.write(to: sink, used: Int(used) + 1)
    rows.write(to: sink, used: Int(used + 1) * Int(Self.rowsOfLeaf))
  }

  /// Reads what `write` wrote.
  mutating func read(from source: any StateSource) {
    let counters = source.get(SortedRowsCounters.self)
    (firstFree, used, count) = (counters.firstFree, counters.used, counters.count)
    groups.read(from: source)
    leaves.read(from: source)
    rows.read(from: source)
  }

  /// Calls `body` with each row of a group, ascending.
  func forEach(in group: UInt32, _ body: (Element) -> Void) {
    var place = first(in: group)
    while let here = place {
      body(self[here])
      place = self.place(after: here)
    }
  }

  /// Appends a sentence for each group whose leaves or rows are not in order.
  func check(_ violations: inout [String]) {
    var all: UInt32 = 0
    for group in 0..<UInt32(groups.capacity) where groups[group].count > 0 || groups[group].root > 0
    {
      var (rows, last, place) = (UInt32(0), UInt64?.none, first(in: group))
      while let here = place {
        let key = self[here].key
        let isFound = self.last(atMost: key, in: group) == here
        if last.map({ $0 >= key }) ?? false || !isFound || leaves[here.leaf].key > key {
          violations.append("group \(group): the row with key \(key) is out of order")
        }
        (rows, last, place) = (rows + 1, key, self.place(after: here))
      }
      if rows != groups[group].count { violations.append("group \(group) has \(rows) rows") }
      all += rows
    }
    if all != count { violations.append("\(all) rows, counted \(count)") }
  }
}
