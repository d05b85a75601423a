// The hash of the whole state: what a clean shutdown writes and a replay compares. It depends on what
// the state means, not on how it is stored: links count by the order they give.

import MarketModel

extension Exchange {
  /// Rolling hash over all events so far. Constant time.
  public var eventHash: UInt64 { progress.history.value }

  /// Hash of the whole state. Walks everything that exists: linear in its size.
  ///
  /// Two exchanges with the same hash behave the same from here on. Not cryptographic.
  public func stateHash() -> UInt64 {
    var hash = WordHash()
    Exchange.forEachComponent { $0.fold(self, into: &hash) }
    return hash.value
  }
}
