// The exchange's own commands: time, settlement confirmations, checkpoints.

import MarketModel

extension Exchange {
  /// Time passed: what was due has expired before. Nothing else today.
  mutating func tick(_ request: Request) {
    if let refusal = permission(request, .administration) {
      return reject(refusal, request)
    }
    invariant(expiries.count == 0 || expiries.firstTime > now, "what is due has expired")
    drain()
    acknowledge(request)
  }

  mutating func confirm(
    _ confirmation: SettlementConfirmed, _ request: Request
  ) {
    if let refusal = permission(request, []) { return reject(refusal, request) }
    if confirmation.batch <= settledBatch { return }
    invariant(request.isExchange, "only settlement confirms")
    settledBatch = confirmation.batch
    settledSequence = confirmation.lastSequence.rawValue
    emit(.control(.settlementConfirmed(confirmation)))
  }

  /// Compares a journaled checkpoint with this run's history.
  mutating func compare(
    _ checkpoint: Checkpoint, _ request: Request
  ) {
    if let refusal = permission(request, []) { return reject(refusal, request) }
    invariant(request.isExchange, "only the exchange compares itself")
    let agrees =
      checkpoint.eventHash == eventHash
      && (checkpoint.stateHash == 0 || checkpoint.stateHash == stateHash())
    if agrees { return }
    emit(
      .control(
        .alarm(
          Alarm(kind: .checkpointMismatch, value: Int64(bitPattern: checkpoint.eventHash)))))
  }
}
