// The price levels of one side of one instrument, best price first, in chunks:
//
//     chunk 0: ranks from -      chunk 1: ranks from 40      chunk 2: ranks from 97
//     [ 3 | 7 | 12 | 31 ]        [ 40 | 41 | 80 ]            [ 97 | 98 | ... ]
//     2 of them live             0 live                      5 live
//
// A price's rank grows from the best price to the worst. Finding a level is a binary search for its
// chunk and one inside it; inserting moves at most one chunk. The best live level is in the first
// chunk with live levels.

import MarketModel

/// Price levels in the order of a depth display. Owned by one thread. Allocates when it grows.
struct SortedLevels {
  /// Maximum number of levels in a chunk.
  private static let mostInChunk = 128

  private struct Chunk {
    /// Lowest rank that belongs to the chunk; the first chunk also has lower ones.
    var first: Int64
    var levels: [FeedLevel]
    /// Number of levels with live quantity.
    var live: Int

    init(first: Int64, _ levels: [FeedLevel]) {
      (self.first, self.levels) = (first, levels)
      live = levels.count { $0.isLive }
    }
  }

  private var chunks: [Chunk] = []
  private let side: Side
  /// Number of levels.
  private(set) var count = 0

  /// No levels, of this side.
  init(_ side: Side) { self.side = side }

  /// The best level; `nil` if there is none.
  var best: FeedLevel? { chunks.first?.levels.first }

  /// The best level with live quantity; `nil` if there is none. Linear in the number of chunks.
  var bestLive: FeedLevel? {
    for index in chunks.indices where chunks[index].live > 0 {
      return chunks[index].levels.first { $0.isLive }
    }
    return nil
  }

  /// The level at a price; `nil` if there is none.
  func level(at price: Price) -> FeedLevel? {
    let rank = rank(of: price)
    guard let chunk = chunk(of: rank) else { return nil }
    let place = place(of: rank, in: chunk)
    guard place < chunks[chunk].levels.count, chunks[chunk].levels[place].price == price else {
      return nil
    }
    return chunks[chunk].levels[place]
  }

  /// Appends the next levels behind a price, or the first ones, until `target` has `most`.
  func appendNext(behind price: Price?, to target: inout [FeedLevel], most: Int) {
    var (chunk, place) = (0, 0)
    if let price {
      let rank = rank(of: price)
      guard let found = self.chunk(of: rank) else { return }
      (chunk, place) = (found, self.place(of: rank, in: found))
      if place < chunks[chunk].levels.count, chunks[chunk].levels[place].price == price {
        place += 1
      }
    }
    while target.count < most, chunk < chunks.count {
      let part = chunks[chunk].levels[place...].prefix(most - target.count)
      target += part
      (chunk, place) = (chunk + 1, 0)
    }
  }

  /// Applies a change of an order to its level.
  /// - Returns: the level after it.
  mutating func apply(_ change: LevelChange) -> FeedLevel {
    let rank = rank(of: change.price)
    guard let chunk = chunk(of: rank) else {
      let level = FeedLevel(emptyAt: change.price, side).after(change)
      chunks.append(Chunk(first: rank, [level]))
      count += 1
      return level
    }
    let place = place(of: rank, in: chunk)
    guard place < chunks[chunk].levels.count, chunks[chunk].levels[place].price == change.price
    else { return insert(FeedLevel(emptyAt: change.price, side).after(change), chunk, place) }
    let before = chunks[chunk].levels[place]
    let level = before.after(change)
    chunks[chunk].live += (level.isLive ? 1 : 0) - (before.isLive ? 1 : 0)
    if level.orders == 0 {
      remove(chunk, place)
    } else {
      chunks[chunk].levels[place] = level
    }
    return level
  }

  private mutating func insert(_ level: FeedLevel, _ chunk: Int, _ place: Int) -> FeedLevel {
    assert(level.orders > 0)
    chunks[chunk].levels.insert(level, at: place)
    if level.isLive { chunks[chunk].live += 1 }
    count += 1
    if chunks[chunk].levels.count > Self.mostInChunk { split(chunk) }
    return level
  }

  private mutating func split(_ chunk: Int) {
    let levels = chunks[chunk].levels
    let half = levels.count / 2
    let first = rank(of: levels[half].price)
    chunks[chunk] = Chunk(first: chunks[chunk].first, Array(levels[..<half]))
    chunks.insert(Chunk(first: first, Array(levels[half...])), at: chunk + 1)
  }

  /// Removes a level; a chunk that has become small is joined with the next.
  private mutating func remove(_ chunk: Int, _ place: Int) {
    chunks[chunk].levels.remove(at: place)
    count -= 1
    let left = chunks[chunk].levels.count
    if left == 0 {
      chunks.remove(at: chunk)
    } else if left < Self.mostInChunk / 4, chunk + 1 < chunks.count,
      left + chunks[chunk + 1].levels.count <= Self.mostInChunk / 2
    {
      let next = chunks.remove(at: chunk + 1)
      chunks[chunk].levels += next.levels
      chunks[chunk].live += next.live
    }
  }

  /// Grows from the best price of the side to the worst.
  private func rank(of price: Price) -> Int64 { side == .buy ? ~price.ticks : price.ticks }

  /// The chunk to which a rank belongs; `nil` if there is none.
  private func chunk(of rank: Int64) -> Int? {
    if chunks.isEmpty { return nil }
    var (low, high) = (0, chunks.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if chunks[middle].first <= rank { low = middle } else { high = middle }
    }
    return low
  }

  /// The place of a rank in a chunk: that of its level, or of the first one behind it.
  private func place(of rank: Int64, in chunk: Int) -> Int {
    var (low, high) = (0, chunks[chunk].levels.count)
    while low < high {
      let middle = (low + high) / 2
      if self.rank(of: chunks[chunk].levels[middle].price) < rank {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }
}
