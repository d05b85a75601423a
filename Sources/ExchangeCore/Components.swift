// The state, part by part. Each part has its tables and counters to itself, is declared where the rules that
// write it stand, and says of itself what an image holds, what the hash of the state folds and what the walk of the
// invariants checks. THE list below is the only place that names them all.

import MarketModel

/// A part of the exchange's state. Owned by the exchange's thread.
///
/// What is asked of a part between two commands is static and gets the whole exchange: the words of an order name its
/// owner, which is another part's. None of it is on an order's way.
protocol StateComponent: ~Copyable {
  /// An empty part.
  init(capacity: Capacity)
  /// Adds the rows and counters that its image holds.
  static func add(to layout: inout StateLayout)
  /// Writes it, as much as is in use.
  static func write(_ exchange: borrowing Exchange, to sink: any StateSink)
  /// Reads what `write` wrote into an empty part.
  static func read(_ exchange: inout Exchange, from source: any StateSource)
  /// Folds what it means, not how it is stored. Linear in what exists.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash)
  /// Adds a sentence for everything that does not hold. Linear, of covers quadratic, in what exists.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String])
}

extension StateComponent where Self: ~Copyable {
  /// Nothing of it is in the hash: it follows from other parts.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {}
  /// Nothing is stated of it beyond what rules state on the way.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {}
}

extension Exchange {
  /// THE list: every part, in the order of the image and of the hash. (The hash is part of old journals: what comes is
  /// appended.) Not an array, which would be allocated: a checkpoint is a command like any other.
  @inline(__always) static func forEachComponent(
    _ body: (any (StateComponent & ~Copyable).Type) -> Void
  ) {
    body(Progress.self)
    body(Reference.self)
    body(Accounts.self)
    body(Meters.self)
    body(Products.self)
    body(Books.self)
    body(Currencies.self)
    body(Balances.self)
    body(OrderPool.self)
    body(Touched.self)
    body(Schedule.self)
  }
}

/// How far the exchange has come.
struct Progress: ~Copyable, StateComponent {
  /// Time of the command being applied, ns since 1970.
  var now: UInt64 = 0
  /// The hash of all events.
  var history = EventHash()
  /// Trades ever.
  var trades: UInt64 = 0
  /// Entries, and replaces that lost their place, ever.
  var arrivals: UInt64 = 0
  /// Last batch that the ledger confirmed, and the last command that it covers.
  var settledBatch: UInt64 = 0
  var settledSequence: UInt64 = 0
  /// The version of the rules in force (`SetRules`).
  var rules = RulesVersion.first
  /// The last command applied.
  var lastSequence = SequenceNumber.none

  init(capacity: Capacity) {}
}

extension Progress {
  struct Image: BitwiseCopyable {
    var trades, arrivals, settledBatch, settledSequence: UInt64
    var rules, now, lastSequence, eventHash: UInt64
  }

  static func add(to layout: inout StateLayout) { layout.add(Image.self) }

  static func write(_ exchange: borrowing Exchange, to sink: any StateSink) {
    sink.put(
      Image(
        trades: exchange.progress.trades, arrivals: exchange.progress.arrivals,
        settledBatch: exchange.progress.settledBatch,
        settledSequence: exchange.progress.settledSequence,
        rules: UInt64(exchange.progress.rules), now: exchange.progress.now,
        lastSequence: exchange.progress.lastSequence.rawValue,
        eventHash: exchange.progress.history.value))
  }

  static func read(_ exchange: inout Exchange, from source: any StateSource) {
    exchange.progress.read(source.get(Image.self))
  }

  mutating func read(_ image: Image) {
    (trades, arrivals) = (image.trades, image.arrivals)
    (settledBatch, settledSequence) = (image.settledBatch, image.settledSequence)
    (rules, now) = (UInt32(truncatingIfNeeded: image.rules), image.now)
    lastSequence = SequenceNumber(image.lastSequence)
    history = EventHash(value: image.eventHash)
  }

  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {
    hash.fold(exchange.progress.trades)
    hash.fold(exchange.progress.arrivals)
    hash.fold(exchange.progress.settledBatch)
    hash.fold(exchange.progress.settledSequence)
    // Before version 2 a hash said nothing of rules and of what is counted for them: old checkpoints agree.
    if exchange.rules > RulesVersion.first { hash.fold(exchange.rules) }
  }
}
