// The hash of the whole state. A clean shutdown journals it and a replay compares it. It depends on
// the meaning of the state and not on its storage: lists count by their order, not by their links.

import MarketModel

extension Exchange {
  /// Rolling hash over all events so far. Constant time.
  public var eventHash: UInt64 { progress.history.value }

  /// Hash of the whole state. Linear in the number of rows in use.
  ///
  /// Exchanges with equal state hashes give equal events for equal commands. Not cryptographic.
  public func stateHash() -> UInt64 {
    var hash = WordHash()
    Exchange.forEachComponent { $0.fold(self, into: &hash) }
    return hash.value
  }
}
