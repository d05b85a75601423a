import MarketModel

/// The published orders of one instrument, summed by price, as the events of a journal tell them.
struct OpenBook {
  private var levels: [Price: DemoResult.BookPicture.Level] = [:]
  private var image: DemoResult.BookPicture?

  /// Adds an order's quantities, or removes them with `sign` -1. Constant time.
  mutating func add(_ order: OpenOrder, sign: Int64 = 1) {
    var level = levels[order.price] ?? DemoResult.BookPicture.Level(price: order.price)
    let (live, waiting) = (sign * order.covered, sign * (order.leaves - order.covered))
    switch order.side {
    case .buy:
      level.liveBids += live
      level.waitingBids += waiting
    case .sell:
      level.liveAsks += live
      level.waitingAsks += waiting
    }
    let isEmpty =
      level.liveBids == 0 && level.waitingBids == 0 && level.liveAsks == 0
      && level.waitingAsks == 0
    levels[order.price] = isEmpty ? nil : level
    image = nil
  }

  /// The book at `time`. Linear in the number of prices after a change, else constant time.
  mutating func picture(at time: Timestamp) -> DemoResult.BookPicture {
    var picture =
      image
      ?? DemoResult.BookPicture(time: time, levels: levels.values.sorted { $0.price < $1.price })
    picture.time = time
    image = picture
    return picture
  }

  /// Enters the book into a sample.
  mutating func enter(_ sample: inout DemoResult.MarketSample) {
    sample.enter(picture(at: sample.time))
  }
}

/// An open order; quantities in Wh.
struct OpenOrder {
  var instrument: InstrumentId
  var side: Side
  var price: Price
  var leaves: Int64
  var covered: Int64

  /// The order that is in `state`; `nil` when it has ended.
  init?(_ state: OrderState) {
    guard state.leaves > .zero else { return nil }
    (instrument, side, price) = (state.instrument, state.side, state.price)
    (leaves, covered) = (state.leaves.wattHours, state.covered.wattHours)
  }
}

extension DemoResult.MarketSample {
  /// Takes the state of the market from a book.
  mutating func enter(_ picture: DemoResult.BookPicture) {
    (publishedBid, publishedAsk) = (picture.publishedBid, picture.publishedAsk)
    (liveBid, liveAsk) = (picture.liveBid, picture.liveAsk)
    (liveBids, liveAsks, awaitingHeadroom, awaitingEnergy) = (0, 0, 0, 0)
    for level in picture.levels {
      liveBids += level.liveBids
      liveAsks += level.liveAsks
      awaitingHeadroom += level.waitingBids
      awaitingEnergy += level.waitingAsks
    }
    overlap = picture.overlap
  }
}
