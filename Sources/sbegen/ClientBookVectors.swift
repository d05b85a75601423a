// A subscription to the levels of an area as frames, with the book after each: what the clients' books
// of levels are tested with.

/// Writes `clients/book.txt`: a frame a line, and what a book of area 1 has after it.
struct ClientBookVectors {
  private let schema: Schema
  private var lines: [String] = []

  /// The file: frame, first missing number (0: none), best live bid and ask of instrument 1.
  static func text(_ schema: Schema) -> String {
    var vectors = ClientBookVectors(schema: schema)
    vectors.writeSnapshot()
    vectors.writeUpdates()
    return vectors.lines.joined(separator: "\n") + "\n"
  }

  private init(schema: Schema) { self.schema = schema }

  private mutating func writeSnapshot() {
    let levels = [
      level("buy", 11_000, live: 2_000), level("buy", 10_900, live: 5_000),
      level("sell", 12_500, live: 1_000), level("sell", 13_000, live: 3_000),
    ]
    add("LevelSnapshot", [:], "missing 0 bid 2000 at 11000 ask 1000 at 12500", levels)
    // Without a number: corrects the snapshot in progress.
    add(
      "LevelUpdate", level("sell", 12_500, live: 500),
      "missing 0 bid 2000 at 11000 ask 500 at 12500")
    add(
      "SnapshotEnd", ["seqNo": .unsigned(10)], "missing 0 bid 2000 at 11000 ask 500 at 12500")
  }

  private mutating func writeUpdates() {
    update(
      11, level("sell", 12_500, live: 0, orders: 0), "missing 0 bid 2000 at 11000 ask 3000 at 13000"
    )
    add("MarketTrade", ["seqNo": .unsigned(12)], "missing 0 bid 2000 at 11000 ask 3000 at 13000")
    // Number 13 is missing: 14 is not applied until it comes again.
    update(14, level("buy", 11_000, live: 0), "missing 13 bid 2000 at 11000 ask 3000 at 13000")
    update(13, level("sell", 12_000, live: 700), "missing 0 bid 2000 at 11000 ask 700 at 12000")
    // A level that only waits is none that can trade.
    update(14, level("buy", 11_000, live: 0), "missing 0 bid 5000 at 10900 ask 700 at 12000")
    update(14, level("buy", 11_900, live: 100), "missing 0 bid 5000 at 10900 ask 700 at 12000")
    var other = level("sell", 100, live: 100)
    other["area"] = .unsigned(2)
    update(1_000, other, "missing 0 bid 5000 at 10900 ask 700 at 12000")
    add("StateChange", ["seqNo": .unsigned(15)], "missing 0 bid 5000 at 10900 ask 700 at 12000")
    update(16, level("buy", 11_500, live: 100), "missing 0 bid 100 at 11500 ask 700 at 12000")
  }

  /// The fields of a level.
  private func level(
    _ side: String, _ price: Int64, live: Int64, orders: UInt64 = 1
  ) -> [String: SampleValue] {
    [
      "side": .unsigned(side == "buy" ? 0 : 1), "price": .mantissa(price),
      "total": .signed(live + 100), "live": .signed(live), "orderCount": .unsigned(orders),
    ]
  }

  private mutating func update(
    _ number: UInt64, _ level: [String: SampleValue], _ expected: String
  ) {
    add("LevelUpdate", level.merging(["seqNo": .unsigned(number)]) { $1 }, expected)
  }

  /// Adds a message about area 1 and instrument 1; fields that are not given are null or 0.
  private mutating func add(
    _ name: String, _ fields: [String: SampleValue], _ expected: String,
    _ entries: [[String: SampleValue]] = []
  ) {
    guard let message = schema.messages.first(where: { $0.name == name }) else { return }
    let place: [String: SampleValue] = ["area": .unsigned(1), "instrument": .unsigned(1)]
    let all = place.merging(fields) { $1 }
    let vector = GoldenVector(
      message: message, variant: "book",
      values: message.fields.map { all[$0.name] ?? .left($0.type) },
      entries: entries.map { entry in
        (message.group?.fields ?? []).map { entry[$0.name] ?? .left($0.type) }
      })
    lines.append("\(GoldenVector.hex(vector.frame(of: schema))) \(expected)")
  }
}
