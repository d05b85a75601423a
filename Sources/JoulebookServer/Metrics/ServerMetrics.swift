// How the server is, for those who look after it: taken by the I/O thread four times a second, read by
// whoever asks.
//
//     I/O thread ─▶ ServerMetrics ─▶ HealthServer (GET /health, /ready)
//                     └─────▶ swift-metrics ─▶ MetricsPage (GET /metrics), or another backend

import GatewayKit
import Journaling
import MarketModel
import Metrics
import Synchronization
import Transport

/// The last sample of a server's state. Any thread.
final class ServerMetrics: Sendable {
  /// What one look found.
  struct Sample: Sendable {
    /// The exchange's own counts.
    var status = ServerStatus()
    /// The gateways' counts since the start.
    var gateways = GatewayCounts()
    /// What sessions were told off for.
    var notices = NoticeCounts()
    /// The network's counts since the start.
    var network = Transport.Counts()
    /// Bytes that wait to be sent.
    var sending = 0
    /// Clients that are not read, since the intake is full.
    var paused = 0
    /// Commands on their way to the exchange's thread; none where it is the loop's.
    var toExchange = 0
    /// Events on their way back.
    var fromExchange = 0
    /// Commands that wait for the sequencer.
    var ingress = 0
    /// Events that wait for the disk.
    var outbox = 0
    /// What the journal's disk has room for.
    var headroom = DiskHeadroom.ample
    /// Why the journal's next segment cannot be made just now; `nil`: it can.
    var obstacle: JournalError?
    /// Readings whose signatures are being checked.
    var readings = 0
    /// Retransmissions that wait for a replay of the journal.
    var retransmissions = 0
    /// Retransmissions that could not be read from the journal.
    var retransmissionFailures: UInt64 = 0
    /// Whether settlement has stopped; nothing to settle counts as going on.
    var settlementHasStopped = false
    /// Whether settlement waits for a ledger that does not answer.
    var settlementIsWaiting = false
    /// Bytes of the log beside the ledger.
    var ledgerLogBytes: UInt64 = 0
    /// The last command in a snapshot.
    var snapshot = SequenceNumber.none
    /// Snapshots that could not be made.
    var snapshotFailures: UInt64 = 0
    /// Commands of the journal that were refused: the exchange goes on without them.
    var refused = 0
    /// Lines of the log that begin with ALARM, since the start began.
    var alarms: UInt64 = 0
    /// Since when the oldest command that is not durable has waited at least, ns of the steady clock; `nil`:
    /// all are.
    var undurableSince: UInt64?
    /// Whether commands are taken in: not while it drains.
    var isServing = true
    /// When it was taken; ns of the steady clock.
    var taken: UInt64 = 0

    /// How long the oldest command that is not durable had waited at `steady`, ns of the steady clock; 0: all
    /// are.
    func durabilityWait(at steady: UInt64) -> UInt64 {
      undurableSince.map { steady > $0 ? steady - $0 : 0 } ?? 0
    }
  }

  private let last = Mutex(Sample())
  private let instruments = Instruments()

  /// The last sample.
  var sample: Sample { last.withLock { $0 } }

  /// Takes a new sample. The I/O thread.
  func record(_ sample: Sample) {
    let before = last.withLock { last in
      defer { last = sample }
      return last
    }
    instruments.record(sample, since: before)
  }
}

/// The numbers as swift-metrics has them; without a backend they go nowhere.
private struct Instruments: Sendable {
  private let gauges: [(Gauge, @Sendable (ServerMetrics.Sample) -> Int64)]
  private let counters: [(Counter, @Sendable (ServerMetrics.Sample) -> Int64)]

  /// A number's name, and where it is in a sample.
  private typealias Row = (String, @Sendable (ServerMetrics.Sample) -> Int64)

  private static func row(
    _ name: String, _ value: @escaping @Sendable (ServerMetrics.Sample) -> Int64
  ) -> Row {
    (name, value)
  }

  init() {
    gauges = Self.levels.map { (Gauge(label: "joulebook_" + $0.0), $0.1) }
    counters = Self.counts.map { (Counter(label: "joulebook_" + $0.0 + "_total"), $0.1) }
  }

  func record(_ sample: ServerMetrics.Sample, since before: ServerMetrics.Sample) {
    for (gauge, value) in gauges { gauge.record(value(sample)) }
    for (counter, value) in counters {
      let grown = value(sample) - value(before)
      if grown > 0 { counter.increment(by: grown) }
    }
  }

  /// Queues, gates and how far each is.
  private static let levels: [Row] = [
    row("ingress_commands") { Int64($0.ingress) },
    row("outbox_events") { Int64($0.outbox) },
    row("durability_lag_commands") { lag($0.status.lastSequence, $0.status.durableSequence) },
    row("durability_wait_nanoseconds") { Int64(clamping: $0.durabilityWait(at: $0.taken)) },
    row("settlement_lag_commands") { lag($0.status.lastSequence, $0.status.settledSequence) },
    row("snapshot_lag_commands") { lag($0.status.lastSequence, $0.snapshot) },
    row("pipeline_commands") { Int64($0.toExchange) },
    row("pipeline_events") { Int64($0.fromExchange) },
    row("send_queue_bytes") { Int64($0.sending) },
    row("readers_paused") { Int64($0.paused) },
    row("readings_under_way") { Int64($0.readings) },
    row("retransmissions_waiting") { Int64($0.retransmissions) },
    row("settlement_stopped") { $0.settlementHasStopped ? 1 : 0 },
    row("settlement_waiting") { $0.settlementIsWaiting ? 1 : 0 },
    row("ledger_log_bytes") { Int64(clamping: $0.ledgerLogBytes) },
    row("intake") { $0.headroom == .ample ? 2 : $0.headroom == .low ? 1 : 0 },
    row("segment_waiting") { $0.obstacle.map { $0.isFull ? 1 : 2 } ?? 0 },
    row("refused_commands") { Int64($0.refused) },
    row("connections") { Int64($0.status.connectionCount) },
    row("open_orders") { Int64($0.status.openOrderCount) },
    row("last_sequence") { Int64(clamping: $0.status.lastSequence.rawValue) },
    row("durable_sequence") { Int64(clamping: $0.status.durableSequence.rawValue) },
    row("settled_batch") { Int64(clamping: $0.status.settledBatch) },
  ]

  /// What happened, and what went wrong.
  private static let counts: [Row] = [
    row("commands") { Int64($0.gateways.commands) },
    row("trades") { Int64(clamping: $0.status.tradeCount) },
    row("reports") { Int64($0.gateways.reports) },
    row("reports_retransmitted") { Int64($0.gateways.retransmitted) },
    row("market_data_messages") { Int64($0.gateways.marketData) },
    row("sessions_established") { Int64($0.gateways.sessions) },
    row("sessions_terminated") { Int64($0.gateways.terminations) },
    row("connections_accepted") { Int64($0.network.accepted) },
    row("connections_refused") { Int64($0.network.refused) },
    row("connections_lost") { Int64($0.gateways.lost) },
    row("received_bytes") { Int64($0.network.bytesIn) },
    row("sent_bytes") { Int64($0.network.bytesOut) },
    row("slow_readers") { Int64($0.notices.slowReaders) },
    row("keys_locked") { Int64($0.notices.keysLocked) },
    row("sessions_throttled") { Int64($0.notices.throttled) },
    row("gateway_rejects") { Int64($0.gateways.rejects) },
    row("reader_pauses") { Int64($0.gateways.pauses) },
    row("retransmission_failures") { Int64(clamping: $0.retransmissionFailures) },
    row("snapshot_failures") { Int64(clamping: $0.snapshotFailures) },
    row("alarms") { Int64(clamping: $0.alarms) },
  ]

  private static func lag(_ last: SequenceNumber, _ other: SequenceNumber) -> Int64 {
    Int64(clamping: last.rawValue - min(last.rawValue, other.rawValue))
  }
}
