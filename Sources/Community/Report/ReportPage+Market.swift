import MarketModel

// The sections on prices, order book and waiting orders.
extension ReportPage {
  var priceSection: String {
    """
    <section id="price">
    <h2>Price</h2>
    <p>\(tradesWords) The band is \
    the spread between the best executable bid and the best executable ask. A dot is the average \
    price of the trades in \(intervalWords).</p>
    \(Legends.price(result.charts))
    \(Legends.spread(result.charts))
    </section>
    """
  }

  /// Where the prices of the trades lie, as they are.
  private var tradesWords: String {
    let (low, high) = (setting.terms.feedIn, setting.terms.retail)
    let prices = result.samples.compactMap(\.averagePrice)
    guard !prices.isEmpty else { return "Nothing was traded." }
    let isInside = prices.allSatisfy { Double(low.ticks) <= $0 && $0 <= Double(high.ticks) }
    let tariff = "what the surrounding grid pays (feed-in) and what it charges (retail)."
    return isInside
      ? "All average prices of the trades lie between \(tariff)"
      : "Not all average prices of the trades lie between \(tariff)"
  }

  var bookSection: String {
    guard let book = result.deepestOverlap else {
      return """
        <section id="book"><h2>The book did not overlap</h2>
        <p>The lowest published ask was never below the highest published bid.</p></section>
        """
    }
    return """
      <section id="book">
      <h2>The book overlaps</h2>
      <p>\(Format.moment(book.time)): the published bids and asks overlap by \
      <b>\(Format.energy(book.overlap))</b>. Asks were entered before the energy was produced, \
      and bids above the storage cap of their owner. They rest in the book and wait. Only the part \
      that energy or headroom covers is live. \(displayedPrices(book))\(liveGap(book))</p>
      \(Legends.depth("Depth by price, \(Format.moment(book.time))", BookChart.draw(
        book, shown: [setting.terms.feedIn, setting.terms.retail], unit: .cents), overlaps: true))
      </section>
      """
  }

  /// The buying and the selling price, as far as there are.
  private func displayedPrices(_ book: DemoResult.BookPicture) -> String {
    guard let ask = book.publishedAsk, let bid = book.publishedBid else { return "" }
    return """
      The buying price, that of the lowest displayed ask, is \(Format.price(ask, places: 2)); the \
      selling price, that of the highest displayed bid, \(Format.price(bid, places: 2)). 
      """
  }

  private func liveGap(_ book: DemoResult.BookPicture) -> String {
    switch (book.liveBid, book.liveAsk) {
    case (let bid?, let ask?):
      """
      The live book does not overlap: the live bid is \(Format.price(bid, places: 2)), the live ask \
      \(Format.price(ask, places: 2)).
      """
    case (let bid?, nil): "The live bid is \(Format.price(bid, places: 2)); no ask is live."
    case (nil, let ask?): "The live ask is \(Format.price(ask, places: 2)); no bid is live."
    case (nil, nil): "No order is live."
    }
  }

  var waitingSection: String {
    let energy = result.samples.map(\.awaitingEnergy).max() ?? 0
    let headroom = result.samples.map(\.awaitingHeadroom).max() ?? 0
    let overlapping = result.samples.count { $0.overlap > 0 }
    return """
      <section id="waiting">
      <h2>Waiting orders</h2>
      <p>At most \(Format.energy(energy)) of asks waited for energy and \(Format.energy(headroom)) of \
      bids for headroom. The published book overlapped at \(Format.count(overlapping)) of \
      \(Format.count(result.samples.count)) sampled times. Orders gained or lost cover \
      \(Format.count(result.run.restatements)) times.</p>
      \(Legends.waiting(result.charts))
      </section>
      """
  }

  /// The length of an interval, such as "one hour".
  var intervalWords: String {
    setting.intervalSeconds == 900
      ? "one quarter of an hour"
      : setting.intervalSeconds == 3_600 ? "one hour" : "\(setting.intervalSeconds) s"
  }
}
