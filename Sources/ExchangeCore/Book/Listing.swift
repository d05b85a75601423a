// Listing an instrument (section 11, "Definitions"): with it its two empty books.

import MarketModel

extension Exchange {
  mutating func createInstrument(_ new: CreateInstrument, _ request: Request) {
    if let refusal = permission(request, .administration) ?? validate(new) {
      return reject(refusal, request)
    }
    let number = new.instrument.rawValue
    let depth = ladderDepth(new)
    invariant(depth >= 1 && depth <= 4, "a ladder of one to four levels of nodes")
    invariant(number <= capacity.instruments, "an instrument of the table")
    products.instruments[number] = Instrument(new)
    invariant(
      books.sides[bookIndex(number, .buy)].root == 0
        && books.sides[bookIndex(number, .sell)].root == 0,
      "a new book is empty")
    invariant(
      UInt64(products.instruments[number].key(new.highestPrice.ticks, .sell)) < 1
        << UInt64(depth * 6),
      "every price of the band has a key")
    books.sides[bookIndex(number, .buy)] = BookSide(depth: depth)
    books.sides[bookIndex(number, .sell)] = BookSide(depth: depth)
    emit(.reference(.instrumentCreated(new)))
    acknowledge(request)
  }

  /// Levels of 64 that number the band's prices.
  private func ladderDepth(_ new: CreateInstrument) -> UInt32 {
    let highestKey = (new.highestPrice.ticks - new.lowestPrice.ticks) / new.tick.ticks
    invariant(highestKey >= 0 && highestKey < Limit.bandTicks, "a band that was checked")
    let bits = UInt32(Int64.bitWidth - max(highestKey, 1).leadingZeroBitCount)
    return (bits + 5) / 6
  }
}
