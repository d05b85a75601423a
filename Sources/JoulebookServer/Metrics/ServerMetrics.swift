// The state of a server for monitoring. The I/O thread takes a sample four times a second.
//
//     I/O thread ─▶ ServerMetrics ─▶ HealthServer (GET /health, /ready)
//                     └─────▶ swift-metrics ─▶ MetricsPage (GET /metrics), or another backend

import ExchangeCore
import GatewayKit
import Journaling
import MarketModel
import Metrics
import Synchronization
import Transport

/// The most recent sample of a server's state. Any thread.
final class ServerMetrics: Sendable {
  /// The state of a server at one moment.
  struct Sample: Sendable {
    /// Counts of the exchange.
    var status = ServerStatus()
    /// Counts of the gateways since the start.
    var gateways = GatewayCounts()
    /// Counts of misbehaving sessions since the start.
    var notices = NoticeCounts()
    /// Counts of the network since the start.
    var network = Transport.Counts()
    /// Bytes queued for sending to clients.
    var sending = 0
    /// Bytes of memory that the send queues take, with what is kept for later.
    var sendMemory = 0
    /// Number of clients that are not read because the intake is full.
    var paused = 0
    /// Commands in the ring to the matching thread; 0 in the inline assembly.
    var toExchange = 0
    /// Events in the ring from the matching thread; 0 in the inline assembly.
    var fromExchange = 0
    /// Commands waiting for the sequencer.
    var ingress = 0
    /// Events in the outbox.
    var outbox = 0
    /// Headroom of the journal's disk.
    var headroom = DiskHeadroom.ample
    /// The reason why the journal's next segment cannot be prepared; `nil` if there is none.
    var obstacle: JournalError?
    /// Readings whose signatures are being verified.
    var readings = 0
    /// Retransmission queries waiting for a replay of the journal.
    var retransmissions = 0
    /// Retransmission queries that could not be answered from the journal.
    var retransmissionFailures: UInt64 = 0
    /// Whether settlement has stopped; `false` if no journal is kept.
    var settlementHasStopped = false
    /// Whether settlement waits for a ledger that does not respond.
    var settlementIsWaiting = false
    /// Size of the ledger's write-ahead log, in bytes.
    var ledgerLogBytes: UInt64 = 0
    /// The areas above their limit of what is not settled, and what the fullest area has of its own.
    var unsettled = UnsettledUse()
    /// The last command in the newest snapshot.
    var snapshot = SequenceNumber.none
    /// Number of failed snapshots.
    var snapshotFailures: UInt64 = 0
    /// Number of commands in the journal that were refused and not applied.
    var refused = 0
    /// Number of log lines that begin with ALARM, including those of the start.
    var alarms: UInt64 = 0
    /// Lower bound of the time since which the oldest undurable command waits, ns of the steady
    /// clock; `nil` if all are durable.
    var undurableSince: UInt64?
    /// Whether commands are accepted; `false` once the shutdown has begun.
    var isServing = true
    /// Time of the sample; ns of the steady clock.
    var taken: UInt64 = 0

    /// How long the oldest undurable command had waited at time `steady`, ns; 0 if all are durable.
    func durabilityWait(at steady: UInt64) -> UInt64 {
      undurableSince.map { steady > $0 ? steady - $0 : 0 } ?? 0
    }
  }

  private let last = Mutex(Sample())
  private let instruments = Instruments()

  /// The most recent sample.
  var sample: Sample { last.withLock { $0 } }

  /// Publishes a new sample. Called by the I/O thread.
  func record(_ sample: Sample) {
    let before = last.withLock { last in
      defer { last = sample }
      return last
    }
    instruments.record(sample, since: before)
  }
}

/// The metrics, registered with swift-metrics.
private struct Instruments: Sendable {
  private let gauges: [(Gauge, @Sendable (ServerMetrics.Sample) -> Int64)]
  private let counters: [(Counter, @Sendable (ServerMetrics.Sample) -> Int64)]

  /// Name of a metric and its value in a sample.
  private typealias Row = (String, @Sendable (ServerMetrics.Sample) -> Int64)

  private static func row(
    _ name: String, _ value: @escaping @Sendable (ServerMetrics.Sample) -> Int64
  ) -> Row {
    (name, value)
  }

  init() {
    gauges = Self.levels.map { (Gauge(label: "joulebook_" + $0.0), $0.1) }
    counters = (Self.counts + Self.refusedLogOns).map {
      (Counter(label: "joulebook_" + $0.0 + "_total"), $0.1)
    }
  }

  func record(_ sample: ServerMetrics.Sample, since before: ServerMetrics.Sample) {
    for (gauge, value) in gauges { gauge.record(value(sample)) }
    for (counter, value) in counters {
      let grown = value(sample) - value(before)
      if grown > 0 { counter.increment(by: grown) }
    }
  }

  /// Gauges: queue lengths, states and positions.
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
    row("send_memory_bytes") { Int64($0.sendMemory) },
    row("readers_paused") { Int64($0.paused) },
    row("readings_under_way") { Int64($0.readings) },
    row("retransmissions_waiting") { Int64($0.retransmissions) },
    row("settlement_stopped") { $0.settlementHasStopped ? 1 : 0 },
    row("settlement_waiting") { $0.settlementIsWaiting ? 1 : 0 },
    row("ledger_log_bytes") { Int64(clamping: $0.ledgerLogBytes) },
    row("history_lag_transfers") {
      $0.status.historyLag == HistoryService.noLag ? 0 : Int64(clamping: $0.status.historyLag)
    },
    row("unsettled_areas_over") { Int64($0.unsettled.areasOver) },
    row("unsettled_permille") { $0.unsettled.permille },
    row("intake") { $0.headroom == .ample ? 2 : $0.headroom == .low ? 1 : 0 },
    row("segment_waiting") { $0.obstacle.map { $0.isFull ? 1 : 2 } ?? 0 },
    row("refused_commands") { Int64($0.refused) },
    row("connections") { Int64($0.status.connectionCount) },
    row("open_orders") { Int64($0.status.openOrderCount) },
    row("last_sequence") { Int64(clamping: $0.status.lastSequence.rawValue) },
    row("durable_sequence") { Int64(clamping: $0.status.durableSequence.rawValue) },
    row("settled_batch") { Int64(clamping: $0.status.settledBatch) },
  ]

  /// Counters of events and failures since the start.
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
    row("connections_refused_by_address") { Int64($0.network.refusedByAddress) },
    row("connections_replaced") { Int64($0.network.replaced) },
    row("handshakes_delayed") { Int64($0.network.handshakesDelayed) },
    row("connections_cut") { Int64($0.network.cut) },
    row("connections_lost") { Int64($0.gateways.lost) },
    row("received_bytes") { Int64($0.network.bytesIn) },
    row("sent_bytes") { Int64($0.network.bytesOut) },
    row("slow_readers") { Int64($0.notices.slowReaders) },
    row("sessions_throttled") { Int64($0.notices.throttled) },
    row("gateway_rejects") { Int64($0.gateways.rejects) },
    row("gateway_overworked") { Int64($0.gateways.overworked) },
    row("reader_pauses") { Int64($0.gateways.pauses) },
    row("retransmission_failures") { Int64(clamping: $0.retransmissionFailures) },
    row("snapshot_failures") { Int64(clamping: $0.snapshotFailures) },
    row("alarms") { Int64(clamping: $0.alarms) },
  ]

  /// Counters of refused log-ons, by reason.
  private static let refusedLogOns: [Row] = [
    ("unknown_session", LogOnFailure.unknownSession), ("bad_signature", .badSignature),
    ("old_version", .oldVersion), ("too_many", .tooMany), ("timestamp", .timestamp),
    ("no_place", .noPlace), ("not_admissible", .notAdmissible),
  ].map { name, failure in
    row("log_ons_refused_" + name) { Int64($0.notices.refusedLogOns[failure] ?? 0) }
  }

  private static func lag(_ last: SequenceNumber, _ other: SequenceNumber) -> Int64 {
    Int64(clamping: last.rawValue - min(last.rawValue, other.rawValue))
  }
}
