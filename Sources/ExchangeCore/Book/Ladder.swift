// Price levels, found by price without a search.
//
// The prices of one side of one book have a *key*: 0 is the best price of the band, so both sides
// are walked by ascending key. A radix tree of 64-way nodes leads from keys to levels:
//
//     key  = [ 6 bits | 6 bits | 6 bits | 6 bits ]      depth 1 to 4, depending on the band's width
//     node = any  : u64   bit s set: child s exists (an order rests below it)
//            live : u64   bit s set: an order below child s is live
//            child: 64 x u32, the next node; in the last node of a path, the level
//
// Counting trailing zeros down the tree finds the best live price. Nodes exist only where orders
// rest, so a band of millions of prices takes no memory until it is used.

import MarketModel

/// All orders at one price of one side of one book. Takes one cache line.
struct Level: BitwiseCopyable {
  /// Sum of the covered quantities in the live queue, Wh.
  fileprivate(set) var live: Int64
  /// Sum of the leaves in both lists, Wh.
  fileprivate(set) var total: Int64
  var liveHead: UInt32
  var liveTail: UInt32
  var waitingHead: UInt32
  var waitingTail: UInt32
  /// Number of orders in both lists.
  fileprivate(set) var count: UInt32
  var key: UInt32
  /// The side of the book: `instrument << 1 | side`.
  var book: UInt32
  /// Index of this level.
  var number: UInt32
  /// The node that has the level as a child.
  var node: UInt32
  /// The account whose order opened the level, and its participant (Shares.swift).
  fileprivate(set) var opener: UInt32 = 0
  fileprivate(set) var openerParticipant: UInt32 = 0
  /// Padding to a cache line.
  private var unused: UInt32 = 0

  /// A level without orders.
  init(key: UInt32, book: UInt32, number: UInt32, node: UInt32) {
    (live, total) = (0, 0)
    (liveHead, liveTail, waitingHead, waitingTail, count) = (0, 0, 0, 0, 0)
    (self.key, self.book, self.number, self.node) = (key, book, number, node)
  }
}

/// A level in its table.
typealias LevelRow = Row<Level>

extension Row<Level> {
  /// Names the account for which the level counts.
  @inline(__always) func openedBy(_ account: UInt32, of participant: UInt32) {
    address.pointee.opener = account
    address.pointee.openerParticipant = participant
  }

  /// Counts an order that joins one of the lists.
  @inline(__always) func add(leaves: Int64) {
    address.pointee.total += leaves
    address.pointee.count &+= 1  // At most the orders' capacity.
  }

  /// Counts an order that leaves its list.
  @inline(__always) func remove(leaves: Int64) {
    address.pointee.total -= leaves
    address.pointee.count &-= 1
  }

  /// Changes the live quantity.
  @inline(__always) func cover(by change: Int64) { address.pointee.live += change }

  /// Subtracts an executed quantity of a live order.
  @inline(__always) func execute(_ quantity: Int64) {
    address.pointee.live -= quantity
    address.pointee.total -= quantity
  }

  /// Subtracts `leaves` of an order that was reduced, and the part of it that was live.
  func lower(leaves: Int64, covered: Int64) {
    address.pointee.live -= covered
    address.pointee.total -= leaves
  }
}

/// One side of one book. Both sides of a book share a cache line.
struct BookSide: BitwiseCopyable {
  /// Root node of the tree; 0: no order rests on this side.
  var root: UInt32 = 0
  /// Key of the best live level; `Ladder.none` when there is none.
  var bestKey = Ladder.none
  /// The best live level; 0 when there is none.
  var bestLevel: UInt32 = 0
  /// Depth of the tree, 1 to 4.
  var depth: UInt32
  /// Cache of the last nodes used, one for even and one for odd prefixes. It saves the walk from
  /// the root: most prices are near the best one and lie in one node or in two adjacent ones.
  private var known: InlineArray<2, KnownNode> = [KnownNode(), KnownNode()]

  init(depth: UInt32) { self.depth = depth }

  /// The node of a prefix if it is in the cache; 0 if it is not.
  @inline(__always) func node(_ prefix: UInt32) -> UInt32 {
    let candidate = known[Int(prefix & 1)]
    return candidate.prefix == prefix ? candidate.node : 0
  }

  /// Puts the node of a prefix into the cache; node 0 removes it.
  @inline(__always) mutating func remember(_ node: UInt32, _ prefix: UInt32) {
    known[Int(prefix & 1)] = KnownNode(prefix: prefix, node: node)
  }
}

/// A cached node; its 64 keys have the upper bits `prefix`.
struct KnownNode: BitwiseCopyable {
  var prefix = Ladder.none
  var node: UInt32 = 0
}

/// One side of a book in its table.
typealias BookRow = Row<BookSide>

/// Occupancy masks of a node: children that exist, and children with live orders.
struct LadderMasks: BitwiseCopyable {
  var any: UInt64
  var live: UInt64
}

/// Nodes and levels of all books.
struct Ladder: ~Copyable {
  /// A key that no level has.
  static let none = UInt32.max

  private let masks: Table<LadderMasks>
  private let children: Table<UInt32>
  let levels: Table<Level>
  let levelCapacity: UInt32
  private let nodeCapacity: UInt32
  /// The highest level that was ever used; freed levels below it have no order.
  private(set) var usedLevels: UInt32 = 0
  private var usedNodes: UInt32 = 0
  private var freeLevel: UInt32 = 0
  private var freeNode: UInt32 = 0
  private(set) var levelCount: UInt32 = 0

  init(levels capacity: UInt32) {
    precondition(MemoryLayout<Level>.stride == 64 && MemoryLayout<BookSide>.stride == 32)
    levelCapacity = capacity
    // A level needs at most one node for each depth, of which there are at most four.
    nodeCapacity = capacity * 4 + 4
    levels = Table(capacity: Int(capacity) + 1)
    masks = Table(capacity: Int(nodeCapacity) + 1)
    children = Table(capacity: (Int(nodeCapacity) + 1) * 64)
  }

  /// Whether no further level can be created.
  var isFull: Bool { levelCount == levelCapacity }

  @inline(__always) private func child(_ node: UInt32, _ slot: UInt32) -> UInt32 {
    children[node &* 64 &+ slot]  // Cannot wrap: `init` checked the capacity.
  }

  /// The level with `key`; creates it when there is none.
  @inline(__always) mutating func findOrMake(_ key: UInt32, number: UInt32, in book: BookRow)
    -> LevelRow
  {
    var node = book.value.node(key &>> 6)
    if node == 0 { node = walk(to: key, in: book) }
    let slot = key & 63
    if masks[node].any &>> UInt64(slot) & 1 != 0 { return levels.row(child(node, slot)) }
    let level = takeLevel(key, number, node)
    link(node, slot, level.number)
    return level
  }

  /// Whether there is a level with `key`.
  func contains(_ key: UInt32, in book: BookSide) -> Bool {
    var node = book.root
    var shift = book.depth * 6
    while node != 0, shift > 0 {
      shift -= 6
      let slot = (key >> shift) & 63
      if masks[node].any & (1 << UInt64(slot)) == 0 { return false }
      node = child(node, slot)
    }
    invariant(node == 0 || levels[node].key == key, "a path leads to its level")
    return node != 0
  }

  /// The last node on the path to `key`; creates missing nodes and caches the last one.
  private mutating func walk(to key: UInt32, in book: BookRow) -> UInt32 {
    if book.root == 0 { book.root = takeNode() }
    var node = book.root
    var shift = (book.depth - 1) * 6
    while shift > 0 {
      let slot = (key >> shift) & 63
      if masks[node].any & (1 << UInt64(slot)) == 0 { link(node, slot, takeNode()) }
      node = child(node, slot)
      shift -= 6
    }
    invariant(node != 0 && node <= usedNodes, "a path leads to a node")
    book.value.remember(node, key >> 6)
    return node
  }

  @inline(__always) private func link(_ node: UInt32, _ slot: UInt32, _ what: UInt32) {
    children[node &* 64 &+ slot] = what
    masks[node].any |= 1 &<< UInt64(slot)
  }

  /// Removes an empty level and the nodes that led to it alone.
  @inline(__always) mutating func remove(_ level: LevelRow, from book: BookRow) {
    invariant(
      Int64(level.count) | level.total | level.live == 0,
      "a level is empty when it is removed")
    let (key, node) = (level.key, level.node)
    releaseLevel(level)
    masks[node].any &= ~(1 &<< UInt64(key & 63))
    if masks[node].any == 0 { removeNodes(key, from: book) }
  }

  /// Removes the nodes on the path to `key` that have no child left.
  private mutating func removeNodes(_ key: UInt32, from book: BookRow) {
    if book.value.node(key >> 6) != 0 { book.value.remember(0, key >> 6) }
    let path = Path(to: key, in: book.value, of: self)
    var step = Int(book.depth) - 1
    invariant(masks[path.nodes[step]].any == 0, "the last node of the path is empty")
    releaseNode(path.nodes[step])
    while step > 0 {
      step -= 1
      let node = path.nodes[step]
      masks[node].any &= ~(1 << UInt64(path.slots[step]))
      if masks[node].any != 0 { return }
      releaseNode(node)
    }
    invariant(book.bestLevel == 0, "a book without levels has no best level")
    book.root = 0
  }

  /// Marks a level that has its first live order; it may become the best level.
  @inline(__always) mutating func becameLive(_ level: LevelRow, in book: BookRow) {
    let (key, node) = (level.key, level.node)
    let live = masks[node].live
    masks[node].live = live | 1 &<< UInt64(key & 63)
    if live == 0 { becameLive(above: key, in: book.value) }
    if key < book.bestKey {
      book.bestKey = key
      book.bestLevel = level.number
    }
  }

  /// Marks the path to `key` as live, from the root to the node before the last.
  private func becameLive(above key: UInt32, in book: BookSide) {
    var node = book.root
    var shift = (book.depth - 1) * 6
    while shift > 0 {
      let slot = (key >> shift) & 63
      invariant(masks[node].any & (1 << UInt64(slot)) != 0, "a live child exists")
      masks[node].live |= 1 << UInt64(slot)
      node = child(node, slot)
      shift -= 6
    }
    invariant(masks[node].live != 0, "the last node of the path is live")
  }

  /// Marks a level that has lost its last live order; when it was the best level, the next live one
  /// replaces it.
  @inline(__always) mutating func becameWaiting(_ level: LevelRow, in book: BookRow) {
    let (key, node) = (level.key, level.node)
    let live = masks[node].live & ~(1 &<< UInt64(key & 63))
    masks[node].live = live
    if live == 0 { becameWaiting(above: key, in: book.value) }
    if level.number != book.bestLevel { return }
    // The best level was the lowest live bit of its node, so the next lowest bit is the next best
    // level.
    let best =
      live != 0
      ? child(node, UInt32(truncatingIfNeeded: live.trailingZeroBitCount))
      : first(in: book.value, live: true)
    book.bestLevel = best
    book.bestKey = best == 0 ? Ladder.none : levels[best].key
    invariant(book.bestKey > key, "the next best price is worse")
  }

  /// Clears the live bits of the path to `key`, from the node before the last upwards, until a node
  /// has another live child.
  private func becameWaiting(above key: UInt32, in book: BookSide) {
    let path = Path(to: key, in: book, of: self)
    invariant(
      masks[path.nodes[Int(book.depth) - 1]].live == 0,
      "the last node of the path has no live order")
    for step in stride(from: Int(book.depth) - 2, through: 0, by: -1) {
      masks[path.nodes[step]].live &= ~(1 << UInt64(path.slots[step]))
      if masks[path.nodes[step]].live != 0 { return }
    }
  }

  @inline(__always) private func mask(_ node: UInt32, live: Bool) -> UInt64 {
    live ? masks[node].live : masks[node].any
  }

  /// The best level: with live orders only, or of all levels; 0 when there is none.
  func first(in book: BookSide, live: Bool) -> UInt32 {
    if book.root == 0 || mask(book.root, live: live) == 0 { return 0 }
    return descend(book.root, steps: book.depth, live: live)
  }

  private func descend(_ start: UInt32, steps: UInt32, live: Bool) -> UInt32 {
    var node = start
    for _ in 0..<steps {
      invariant(mask(node, live: live) != 0, "a node on the path has a marked child")
      node = child(node, UInt32(mask(node, live: live).trailingZeroBitCount))
    }
    invariant(node != 0, "a path leads to a level")
    return node
  }

  /// The next level after `level`: with live orders only, or of all levels; 0 when there is none.
  /// - Precondition: `level` exists.
  func next(after level: UInt32, in book: BookSide, live: Bool) -> UInt32 {
    let path = Path(to: levels[level].key, in: book, of: self)
    invariant(
      path.nodes[Int(book.depth) - 1] == levels[level].node, "the path to a level ends in its node")
    for step in stride(from: Int(book.depth) - 1, through: 0, by: -1) {
      let node = path.nodes[step]
      let slot = UInt64(path.slots[step])
      let later = mask(node, live: live) & ~(UInt64.max >> (63 - slot))
      if later != 0 {
        let below = child(node, UInt32(later.trailingZeroBitCount))
        return descend(below, steps: book.depth - UInt32(step) - 1, live: live)
      }
    }
    return 0
  }

  /// The nodes on the path from the root to a key, and the slot of the next child in each.
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
      // Node 0 has no children, so one check at the end covers the whole path.
      invariant(node != 0, "a path leads to a level")
    }
  }

  // MARK: Looking ahead (LookAhead/LookAhead.swift)

  /// The level of a key, if an order rests there; otherwise any level or 0. For prefetching only:
  /// it follows the path without checking that it exists. A stale child may be a node, whose number
  /// can be above the number of levels, so the result is limited to the table.
  @inline(__always) func probable(_ key: UInt32, in book: BookRow) -> LevelRow {
    var node = book.value.node(key &>> 6)
    if node == 0 {
      node = book.root
      var step = book.depth  // 0 when the instrument does not exist.
      while step > 1 {
        step &-= 1
        node = child(node, key &>> (step &* 6) & 63)
      }
    }
    return levels.row(min(child(node, key & 63), levelCapacity))
  }

  /// The addresses of the first occupancy masks and the first child on the path to a key, from the
  /// cached node or else from the root. For prefetching only.
  @inline(__always) func start(_ key: UInt32, in book: BookRow) -> (
    occupancy: UnsafePointer<LadderMasks>, child: UnsafePointer<UInt32>
  ) {
    let known = book.value.node(key &>> 6)
    let node = known == 0 ? book.root : known
    let shift = known == 0 ? (book.depth &- 1) &* 6 : 0
    return (
      UnsafePointer(masks.address(of: node)),
      UnsafePointer(children.address(of: node &* 64 &+ (key &>> shift & 63)))
    )
  }

  /// The next address on the path to a key: its level when the node is cached, else the child in
  /// the second node. For prefetching only.
  @inline(__always) func following(_ key: UInt32, in book: BookRow) -> UnsafeRawPointer {
    let known = book.value.node(key &>> 6)
    if known != 0 {
      return UnsafeRawPointer(levels.address(of: min(child(known, key & 63), levelCapacity)))
    }
    let shift = (book.depth &- 1) &* 6
    let node = child(book.root, key &>> shift & 63)
    return UnsafeRawPointer(children.address(of: node &* 64 &+ (key & 63)))
  }

  /// The address of the occupancy masks of a level's node. For prefetching only.
  @inline(__always) func occupancy(ofNodeOf level: UInt32) -> UnsafePointer<LadderMasks> {
    UnsafePointer(masks.address(of: levels[level].node))
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
    invariant(node != 0 && node <= nodeCapacity, "the node is within the table")
    masks[node] = LadderMasks(any: 0, live: 0)
    return node
  }

  private mutating func releaseNode(_ node: UInt32) {
    invariant(masks[node].any == 0 && masks[node].live == 0, "a released node is empty")
    invariant(node != 0 && node <= usedNodes, "the node is within the table")
    children[node * 64] = freeNode
    freeNode = node
  }

  @inline(__always) private mutating func takeLevel(_ key: UInt32, _ book: UInt32, _ node: UInt32)
    -> LevelRow
  {
    let number: UInt32
    if freeLevel != 0 {
      number = freeLevel
      freeLevel = levels[number].liveHead
      invariant(levels[number].count == 0, "a free level has no orders")
    } else {
      // No invariant reads this row: reading memory before its first write would prevent huge
      // pages.
      precondition(!isFull, "the caller checks isFull first")
      usedLevels &+= 1
      number = usedLevels
    }
    levelCount &+= 1
    let level = levels.row(number)
    level.address.initialize(to: Level(key: key, book: book, number: number, node: node))
    return level
  }

  @inline(__always) private mutating func releaseLevel(_ level: LevelRow) {
    invariant(levelCount > 0 && level.number <= usedLevels, "the level is within the table")
    level.liveHead = freeLevel
    freeLevel = level.number
    levelCount &-= 1
  }
}

// MARK: - Its image (Inspection/Image.swift)

extension Ladder {
  private struct Counters: BitwiseCopyable {
    var usedLevels, usedNodes, freeLevel, freeNode, levelCount: UInt32
  }

  /// Adds the row types of the ladder's image.
  static func add(to layout: inout StateLayout) {
    layout.add(Counters.self)
    layout.add(LadderMasks.self)
    layout.add(Level.self)
  }

  func write(to sink: any StateSink) {
    invariant(
      levelCount <= usedLevels && usedLevels <= levelCapacity && usedNodes <= nodeCapacity,
      "levels and nodes are within their tables")
    sink.put(
      Counters(
        usedLevels: usedLevels, usedNodes: usedNodes, freeLevel: freeLevel, freeNode: freeNode,
        levelCount: levelCount))
    masks.write(to: sink, used: Int(usedNodes) + 1)
    children.write(to: sink, used: (Int(usedNodes) + 1) * 64)
    levels.write(to: sink, used: Int(usedLevels) + 1)
  }

  mutating func read(from source: any StateSource) {
    let counters = source.get(Counters.self)
    (usedLevels, usedNodes) = (counters.usedLevels, counters.usedNodes)
    (freeLevel, freeNode) = (counters.freeLevel, counters.freeNode)
    levelCount = counters.levelCount
    masks.read(from: source)
    children.read(from: source)
    levels.read(from: source)
  }
}
