// Listing an instrument (section 11, "Definitions") with the two empty sides of its book.

import MarketModel

extension Exchange {
  mutating func createInstrument(_ new: CreateInstrument, _ request: Request) {
    if let refusal = permission(request, .administration) ?? validate(new) {
      return reject(refusal, request)
    }
    let number = new.instrument.rawValue
    let depth = ladderDepth(Instrument(new))
    invariant(depth >= 1 && depth <= 4, "a ladder has a depth of 1 to 4")
    invariant(number <= capacity.instruments, "the instrument is within the table")
    products.instruments[number] = Instrument(new)
    products.list(number)
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
}
