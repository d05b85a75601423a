// The exchange's own commands: time, settlement confirmations, checkpoints.

import MarketModel

extension Exchange {
  /// Time passed: what was due has expired before. Nothing else today.
  mutating func tick<Sink: EventSink & ~Copyable>(_ request: Request, _ sink: inout Sink) {
    if let refusal = permission(request, .administration) {
      return reject(refusal, request, &sink)
    }
    drain(&sink)
    acknowledge(request, &sink)
  }

  mutating func confirm<Sink: EventSink & ~Copyable>(
    _ confirmation: SettlementConfirmed, _ request: Request, _ sink: inout Sink
  ) {
    guard request.isExchange else { return reject(Refusal(.notPermitted), request, &sink) }
    if confirmation.batch <= settledBatch { return }
    settledBatch = confirmation.batch
    settledSequence = confirmation.lastSequence.rawValue
    emit(.settlementConfirmed(confirmation), &sink)
  }

  /// Compares a journaled checkpoint with this run's history.
  mutating func compare<Sink: EventSink & ~Copyable>(
    _ checkpoint: Checkpoint, _ request: Request, _ sink: inout Sink
  ) {
    guard request.isExchange else { return reject(Refusal(.notPermitted), request, &sink) }
    let agrees =
      checkpoint.eventHash == eventHash
      && (checkpoint.stateHash == 0 || checkpoint.stateHash == stateHash())
    if agrees { return }
    emit(
      .alarm(
        Alarm(kind: .checkpointMismatch, value: Int64(bitPattern: checkpoint.eventHash))), &sink)
  }
}
