import MarketModel

/// Measures how long commands wait for the journal's disk by periodic observation. The resolution
/// is the interval of the observations; no timestamp per command is needed.
struct DurabilityWait {
  /// The last command at some observation, and the time of it.
  private var mark: (last: SequenceNumber, since: UInt64)?

  /// Makes an observation.
  /// - Parameter steady: Present time, ns of the steady clock.
  /// - Returns: a lower bound of the time since which the oldest undurable command waits; `nil`
  ///   if all are durable.
  mutating func observe(last: SequenceNumber, durable: SequenceNumber, at steady: UInt64) -> UInt64?
  {
    guard durable < last else {
      mark = nil
      return nil
    }
    // Once the marked command is durable, only later commands can be waiting.
    if mark.map({ durable >= $0.last }) ?? true { mark = (last, steady) }
    return mark?.since
  }
}
