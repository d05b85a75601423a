// Price levels, found by price without a search.
//
// The prices of one side of one book are numbered by *key*: 0 is the best price its band allows, so
// both sides are walked upwards. Keys lead through a radix tree of 64-way nodes to levels:
//
//     key  = [ 6 bits | 6 bits | 6 bits | 6 bits ]      depth 1 to 4, by the band's width
//     node = any  : u64   bit s set: child s exists (some order rests below it)
//            live : u64   bit s set: some order below child s is live
//            child: 64 x u32, the next node or, in the last, the level
//
// The best live price is found by counting trailing zeros down the tree; nodes exist only where
// orders are, so a band of millions of prices costs nothing until it is used.

/// All orders at one price of one side of one book.
struct Level: BitwiseCopyable {
  /// Sum of covered over the live queue, Wh.
  var live: Int64
  /// Sum of leaves over both lists, Wh.
  var total: Int64
  var liveHead: UInt32
  var liveTail: UInt32
  var waitingHead: UInt32
  var waitingTail: UInt32
  /// Orders in both lists.
  var count: UInt32
  var key: UInt32
  /// Which side of which book: `instrument << 1 | side`.
  var book: UInt32
}

/// One side of one book.
struct BookSide: BitwiseCopyable {
  /// First node of its tree; 0: no order rests.
  var root: UInt32
  /// Key of the best live level; `Ladder.none` without one.
  var bestKey: UInt32
  /// The best live level; 0 without one.
  var bestLevel: UInt32
  /// Depth of the tree, 1 to 4.
  var depth: UInt32
}

/// Occupancy of a node.
struct LadderMasks: BitwiseCopyable {
  var any: UInt64
  var live: UInt64
}

/// Nodes and levels of all books.
struct Ladder: ~Copyable {
  /// The key of no level.
  static let none = UInt32.max

  private let masks: Table<LadderMasks>
  private let children: Table<UInt32>
  let levels: Table<Level>
  let levelCapacity: UInt32
  private let nodeCapacity: UInt32
  private var usedLevels: UInt32 = 0
  private var usedNodes: UInt32 = 0
  private var freeLevel: UInt32 = 0
  private var freeNode: UInt32 = 0
  private(set) var levelCount: UInt32 = 0
  private var nodeCount: UInt32 = 0

  init(levels capacity: UInt32) {
    levelCapacity = capacity
    // A level needs at most one node of its own per depth; four are more than enough.
    nodeCapacity = capacity * 4 + 4
    levels = Table(capacity: Int(capacity) + 1)
    masks = Table(capacity: Int(nodeCapacity) + 1)
    children = Table(capacity: (Int(nodeCapacity) + 1) * 64)
  }

  /// Whether no further level can be made.
  var isFull: Bool { levelCount == levelCapacity }

  @inline(__always) private func child(_ node: UInt32, _ slot: UInt32) -> UInt32 {
    children[node &* 64 &+ slot]  // Cannot wrap: the table's bound was checked at the start.
  }

  /// The level with `key`; 0 when no order rests there.
  func find(_ key: UInt32, in book: BookSide) -> UInt32 {
    var node = book.root
    var shift = (book.depth - 1) * 6
    while node != 0 {
      let slot = (key >> shift) & 63
      if masks[node].any & (1 << UInt64(slot)) == 0 { return 0 }
      node = child(node, slot)
      if shift == 0 { return node }
      shift -= 6
    }
    return 0
  }

  /// The level with `key`, made when there is none.
  mutating func findOrMake(_ key: UInt32, number: UInt32, in book: inout BookSide) -> UInt32 {
    if book.root == 0 { book.root = takeNode() }
    var node = book.root
    var shift = (book.depth - 1) * 6
    while true {
      let slot = (key >> shift) & 63
      let exists = masks[node].any & (1 << UInt64(slot)) != 0
      if shift == 0 {
        if exists { return child(node, slot) }
        let level = takeLevel(key, number)
        link(node, slot, level)
        return level
      }
      if !exists { link(node, slot, takeNode()) }
      node = child(node, slot)
      shift -= 6
    }
  }

  private mutating func link(_ node: UInt32, _ slot: UInt32, _ what: UInt32) {
    children[node * 64 + slot] = what
    masks[node].any |= 1 << UInt64(slot)
  }

  /// Removes an empty level and the nodes that it alone needed.
  mutating func remove(_ level: UInt32, from book: inout BookSide) {
    assert(levels[level].count == 0 && levels[level].live == 0)
    let key = levels[level].key
    releaseLevel(level)
    let path = Path(to: key, in: book, of: self)
    for step in stride(from: Int(book.depth) - 1, through: 0, by: -1) {
      let node = path.nodes[step]
      masks[node].any &= ~(1 << UInt64(path.slots[step]))
      if masks[node].any != 0 { return }
      releaseNode(node)
    }
    book.root = 0
  }

  /// Marks a level as having live orders; it may be the new best.
  mutating func becameLive(_ level: UInt32, in book: inout BookSide) {
    let key = levels[level].key
    var node = book.root
    var shift = (book.depth - 1) * 6
    while true {
      let slot = (key >> shift) & 63
      masks[node].live |= 1 << UInt64(slot)
      if shift == 0 { break }
      node = child(node, slot)
      shift -= 6
    }
    if key < book.bestKey {
      book.bestKey = key
      book.bestLevel = level
    }
  }

  /// Marks a level as having no live order any more; the next becomes the best if it was that.
  mutating func becameWaiting(_ level: UInt32, in book: inout BookSide) {
    let path = Path(to: levels[level].key, in: book, of: self)
    for step in stride(from: Int(book.depth) - 1, through: 0, by: -1) {
      masks[path.nodes[step]].live &= ~(1 << UInt64(path.slots[step]))
      if masks[path.nodes[step]].live != 0 { break }
    }
    if level == book.bestLevel {
      book.bestLevel = first(in: book, live: true)
      book.bestKey = book.bestLevel == 0 ? Ladder.none : levels[book.bestLevel].key
    }
  }

  @inline(__always) private func mask(_ node: UInt32, live: Bool) -> UInt64 {
    live ? masks[node].live : masks[node].any
  }

  /// The best level, of those with live orders or of all; 0 when there is none.
  func first(in book: BookSide, live: Bool) -> UInt32 {
    if book.root == 0 || mask(book.root, live: live) == 0 { return 0 }
    return descend(book.root, steps: book.depth, live: live)
  }

  private func descend(_ start: UInt32, steps: UInt32, live: Bool) -> UInt32 {
    var node = start
    for _ in 0..<steps {
      node = child(node, UInt32(mask(node, live: live).trailingZeroBitCount))
    }
    return node
  }

  /// The next level after `level`, of those with live orders or of all; 0 when there is none.
  /// `level` itself must exist.
  func next(after level: UInt32, in book: BookSide, live: Bool) -> UInt32 {
    let path = Path(to: levels[level].key, in: book, of: self)
    for step in stride(from: Int(book.depth) - 1, through: 0, by: -1) {
      let node = path.nodes[step]
      let slot = UInt64(path.slots[step])
      let later = mask(node, live: live) & ~(UInt64.max >> (63 - slot))
      if later != 0 {
        let below = child(node, UInt32(later.trailingZeroBitCount))
        let steps = book.depth - UInt32(step) - 1
        return steps == 0 ? below : descend(below, steps: steps, live: live)
      }
    }
    return 0
  }

  /// The nodes from the root to a key, and the slot taken in each.
  private struct Path {
    var nodes: InlineArray<4, UInt32> = [0, 0, 0, 0]
    var slots: InlineArray<4, UInt32> = [0, 0, 0, 0]

    init(to key: UInt32, in book: BookSide, of ladder: borrowing Ladder) {
      var node = book.root
      for step in 0..<Int(book.depth) {
        let slot = (key >> ((book.depth - 1 - UInt32(step)) * 6)) & 63
        nodes[step] = node
        slots[step] = slot
        node = ladder.children[node * 64 + slot]
      }
    }
  }

  // MARK: Pools

  private mutating func takeNode() -> UInt32 {
    let node: UInt32
    if freeNode != 0 {
      node = freeNode
      freeNode = children[node * 64]
    } else {
      precondition(usedNodes < nodeCapacity)
      usedNodes += 1
      node = usedNodes
    }
    nodeCount += 1
    masks[node] = LadderMasks(any: 0, live: 0)
    return node
  }

  private mutating func releaseNode(_ node: UInt32) {
    children[node * 64] = freeNode
    freeNode = node
    nodeCount -= 1
  }

  private mutating func takeLevel(_ key: UInt32, _ number: UInt32) -> UInt32 {
    let level: UInt32
    if freeLevel != 0 {
      level = freeLevel
      freeLevel = levels[level].liveHead
    } else {
      precondition(!isFull, "the caller checks isFull first")
      usedLevels += 1
      level = usedLevels
    }
    levelCount += 1
    levels[level] = Level(
      live: 0, total: 0, liveHead: 0, liveTail: 0, waitingHead: 0, waitingTail: 0, count: 0,
      key: key, book: number)
    return level
  }

  private mutating func releaseLevel(_ level: UInt32) {
    levels[level].liveHead = freeLevel
    freeLevel = level
    levelCount -= 1
  }
}
