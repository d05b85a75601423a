// The exchange's own commands: time, settlement confirmations, checkpoints, versions of the rules.

import MarketModel

extension Exchange {
  /// Advances time. Due entries of the schedule have already been applied (Orders/Expiry.swift).
  mutating func tick(_ request: Request) {
    if let refusal = permission(request, .administration) {
      return reject(refusal, request)
    }
    invariant(schedule.due(progress.now) == nil, "every due entry was applied")
    drain()
    acknowledge(request)
  }

  mutating func settlementConfirmed(_ confirmation: SettlementConfirmed, _ request: Request) {
    if let refusal = permission(request, []) { return reject(refusal, request) }
    if confirmation.batch <= progress.settledBatch { return }
    invariant(request.isExchange, "only settlement confirms batches")
    progress.settledBatch = confirmation.batch
    progress.settledSequence = confirmation.lastSequence.rawValue
    if unsettled.isCounting {
      unsettled.confirm(through: progress.settledSequence, areas: capacity.areas)
    }
    emit(.control(.settlementConfirmed(confirmation)))
  }

  /// Compares the hashes of a journaled checkpoint with those of this run; raises an alarm when
  /// they differ.
  mutating func checkpoint(_ checkpoint: Checkpoint, _ request: Request) {
    if let refusal = permission(request, []) { return reject(refusal, request) }
    invariant(request.isExchange, "only the exchange sends checkpoints")
    let agrees =
      checkpoint.eventHash == eventHash
      && (checkpoint.stateHash == 0 || checkpoint.stateHash == stateHash())
    if agrees { return }
    emit(
      .control(
        .alarm(
          Alarm(kind: .checkpointMismatch, value: Int64(bitPattern: checkpoint.eventHash)))))
  }

  // MARK: Versions of the rules

  mutating func setRules(_ new: SetRules, _ request: Request) {
    if let refusal = validate(new, request) { return reject(refusal, request) }
    // Version 1 ignores debts, and images written by older programs lack them. Counting them here
    // makes the state independent of how it was restored.
    if rules < 2 { countDebts() }
    if rules < 3, new.version >= 3 { reassignLevels() }
    if let refusal = validateBounds() { return reject(refusal, request) }
    invariant(new.version > rules, "the version of the rules only rises")
    let before = rules
    progress.rules = new.version
    if before < 8, new.version >= 8 {
      beginTariffs()
      boundSettledReadings()
    }
    emit(.control(.rulesSet(new)))
    acknowledge(request)
  }

  private func validate(_ new: SetRules, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    if new.version > RulesVersion.newest {
      return Refusal(.outOfRange, RulesVersion.newest, .version)
    }
    if new.version == rules { return Refusal(.alreadyExists) }
    return new.version < rules ? Refusal(.badDefinition, rules, .version) : nil
  }

  /// Refuses unless every currency is within the bounds of version 2.
  private func validateBounds() -> Refusal? {
    for holding in stride(from: 1, through: balances.holdingCount, by: 1)
    where !isWithinBounds(balances.holdings[holding].currency) {
      return Refusal(.balanceLimit, Limit.cash)
    }
    return nil
  }
}
