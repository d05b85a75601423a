// The components of the exchange's state. A component owns its tables and counters and is declared
// in the folder of the rules that write it. It implements its own image, state hash and invariant
// checks. `forEachComponent` is the only list of all components.

import MarketModel

/// A component of the exchange's state. Owned by the exchange's thread.
///
/// The requirements are static and take the whole exchange, because a component may need rows of
/// another one: the hash of an order includes its owner, for example. They run between two commands
/// and never on the path of an order.
protocol StateComponent: ~Copyable {
  /// An empty component.
  init(capacity: Capacity)
  /// Adds the types of the rows and counters that the component's image contains.
  static func add(to layout: inout StateLayout)
  /// Writes the rows in use.
  static func write(_ exchange: borrowing Exchange, to sink: any StateSink)
  /// Reads what `write` wrote; the component is empty before.
  static func read(_ exchange: inout Exchange, from source: any StateSource)
  /// Folds the component's meaning, which is independent of slots and links, into the state hash.
  /// Linear in the number of rows in use.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash)
  /// Appends a sentence for each violated invariant. Linear in the number of rows in use.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String])
}

extension StateComponent where Self: ~Copyable {
  /// Folds nothing: the component's content follows from other components.
  static func fold(_ exchange: borrowing Exchange, into hash: inout WordHash) {}
  /// Checks nothing beyond the invariants that the rules check while they run.
  static func check(_ exchange: borrowing Exchange, _ violations: inout [String]) {}
}

extension Exchange {
  /// Calls `body` with every component, in the order of the image and of the state hash. Old
  /// journals contain state hashes, so a new component goes to the end. An array would be
  /// allocated, which a checkpoint, a command like any other, must not do.
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
    body(Shares.self)
    body(OwnerBlocks.self)
    body(KeptFees.self)
    body(PendingParameters.self)
    body(AreaCosts.self)
    body(MeterChanges.self)
    body(CashReferences.self)
    body(Notes.self)
    body(Restrictions.self)
    body(SpentPower.self)
    body(AccountTerms.self)
    body(ReadersBefore.self)
    body(AreaUses.self)
    body(LossRests.self)
    body(TariffHistory.self)
    body(KeptReadings.self)
    body(FormerHolders.self)
    body(Quarantine.self)
    body(MeterSites.self)
    body(Unsettled.self)
    body(Compensations.self)
  }
}

/// The exchange's clock, counters and hashes.
struct Progress: ~Copyable, StateComponent {
  /// Time of the command being applied, ns since 1970.
  var now: UInt64 = 0
  /// The rolling hash over all events.
  var history = EventHash()
  /// Number of trades since the start.
  var trades: UInt64 = 0
  /// Number of orders entered and of replaces that lost their time priority, since the start.
  var arrivals: UInt64 = 0
  /// The last batch that the ledger confirmed, and the last command in that batch.
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
    // Hashes of version 1 exclude the version and the sums that version 2 added, so that
    // checkpoints of old journals still match.
    if exchange.rules > RulesVersion.first { hash.fold(exchange.rules) }
  }
}
