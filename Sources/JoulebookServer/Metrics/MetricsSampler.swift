import GatewayKit
import Journaling
import MarketModel
import Transport

/// Collects a sample of the server's state. Owned by the I/O thread.
final class MetricsSampler {
  /// Receives the samples.
  let metrics = ServerMetrics()
  private let alarms: AlarmCount
  private let time: any TimeSource
  private var durability = DurabilityWait()

  /// - Parameters:
  ///   - alarms: Counts the alarms in the log.
  ///   - time: Source of steady time.
  init(alarms: AlarmCount, time: any TimeSource) { (self.alarms, self.time) = (alarms, time) }

  /// Takes a sample.
  func sample(
    _ stages: Stages, _ port: ServerPort, _ delivery: Delivery, _ network: any Network
  ) {
    var sample = ServerMetrics.Sample()
    stages.ask { $0.record(into: &sample) }
    sample.gateways = delivery.counts
    sample.paused = delivery.pausedCount
    sample.status.fill(delivery.view.reference.counts, connections: delivery.connectionCount)
    sample.notices = port.notices
    (sample.network, sample.sending) = (network.counts, network.waiting)
    sample.sendMemory = network.queueMemory
    (sample.toExchange, sample.fromExchange) = stages.thread?({ $0.waiting }) ?? (0, 0)
    sample.readings = stages.verifier?.count ?? 0
    (sample.retransmissions, sample.retransmissionFailures) =
      stages.retransmission.map { ($0.waiting, $0.failures) } ?? (0, 0)
    sample.settlementHasStopped = stages.settlement?.hasStopped ?? false
    sample.settlementIsWaiting = stages.settlement?.isWaiting ?? false
    sample.ledgerLogBytes = stages.settlement?.ledgerLogBytes ?? 0
    sample.snapshot = stages.snapshots?.lastSequence ?? .none
    sample.snapshotFailures = stages.snapshots?.failures ?? 0
    sample.isServing = port.isServing
    sample.alarms = alarms.value
    sample.taken = time.steady
    sample.undurableSince = durability.observe(
      last: sample.status.lastSequence, durable: sample.status.durableSequence, at: sample.taken)
    metrics.record(sample)
  }
}
