import Histogram

/// Counters and latencies of a running load. Owned by the load's thread.
struct Tally {
  /// Number of messages sent.
  var sent: UInt64 = 0
  /// Number of messages answered.
  var answered: UInt64 = 0
  /// Number of messages rejected, without those counted in `late`.
  var rejected: UInt64 = 0
  /// Number of cancels and replaces that arrived after their order had left the book.
  var late: UInt64 = 0
  /// Number of trade reports; each trade has two.
  var trades: UInt64 = 0
  /// Sum of the quantities (Wh) of all trade reports.
  var volume: Int64 = 0
  /// Number of messages of all kinds from the server.
  var reports: UInt64 = 0
  /// Code of the last reject.
  var lastReject: UInt16 = 0
  /// Latencies in ns, from the time when a message was due to its answer, at most 60 s.
  var latency = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
  /// Whether answers are recorded in `latency`.
  var isMeasuring = false
  /// Monotonic time in ns; messages that were due earlier are not measured.
  var measuresFrom: UInt64 = 0
  /// Number of messages recorded in `latency`.
  var measured: UInt64 = 0

  /// Counts an answer at `now` to a message that was due at `due`, both in monotonic ns.
  @inline(__always) mutating func answer(due: UInt64, now: UInt64) {
    answered += 1
    guard isMeasuring, due >= measuresFrom else { return }
    measured += 1
    latency.record(min(now - min(now, due), 60_000_000_000))
  }
}
