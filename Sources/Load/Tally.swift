import Histogram

/// What a load has counted so far. Owned by the load's thread.
struct Tally {
  /// Messages sent.
  var sent: UInt64 = 0
  /// Messages answered.
  var answered: UInt64 = 0
  /// Messages answered with a reject, those that came too late for their order excepted.
  var rejected: UInt64 = 0
  /// Cancels and replaces whose order had traded or gone before.
  var late: UInt64 = 0
  /// Trade reports; each trade has two.
  var trades: UInt64 = 0
  /// Wh traded, once for each report.
  var volume: Int64 = 0
  /// Messages from the server, all kinds.
  var reports: UInt64 = 0
  /// The code of the last reject.
  var lastReject: UInt16 = 0
  /// ns from when a message was due to its answer.
  var latency = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
  /// Whether answers count into `latency`.
  var isMeasuring = false
  /// Messages due before it are not measured.
  var measuresFrom: UInt64 = 0
  /// Messages measured.
  var measured: UInt64 = 0

  /// A message that was due at `due` was answered at `now`.
  @inline(__always) mutating func answer(due: UInt64, now: UInt64) {
    answered += 1
    guard isMeasuring, due >= measuresFrom else { return }
    measured += 1
    latency.record(min(now - min(now, due), 60_000_000_000))
  }
}
