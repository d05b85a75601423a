import MarketModel

/// How long commands wait for the journal's disk, seen from outside: looked at every now and then, it is known as
/// exactly as that, and no command carries a time for it.
struct DurabilityWait {
  /// The last command when it was looked, and when that was.
  private var mark: (last: SequenceNumber, since: UInt64)?

  /// Looks once more.
  /// - Parameter steady: Now, ns of the steady clock.
  /// - Returns: since when the oldest command that is not durable has waited at least; `nil`: all are durable.
  mutating func look(last: SequenceNumber, durable: SequenceNumber, at steady: UInt64) -> UInt64? {
    guard durable < last else {
      mark = nil
      return nil
    }
    // Behind the mark others wait, which came after it.
    if mark.map({ durable >= $0.last }) ?? true { mark = (last, steady) }
    return mark?.since
  }
}
