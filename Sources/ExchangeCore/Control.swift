// The exchange's own commands: time, settlement confirmations, checkpoints, versions of the rules.

import MarketModel

extension Exchange {
  /// Time passed: what was due has expired before. Nothing else today.
  mutating func tick(_ request: Request) {
    if let refusal = permission(request, .administration) {
      return reject(refusal, request)
    }
    invariant(schedule.due(progress.now) == nil, "what is due has expired")
    drain()
    acknowledge(request)
  }

  mutating func settlementConfirmed(_ confirmation: SettlementConfirmed, _ request: Request) {
    if let refusal = permission(request, []) { return reject(refusal, request) }
    if confirmation.batch <= progress.settledBatch { return }
    invariant(request.isExchange, "only settlement confirms")
    progress.settledBatch = confirmation.batch
    progress.settledSequence = confirmation.lastSequence.rawValue
    emit(.control(.settlementConfirmed(confirmation)))
  }

  /// Compares a journaled checkpoint with this run's history.
  mutating func checkpoint(_ checkpoint: Checkpoint, _ request: Request) {
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

  // MARK: Versions of the rules

  mutating func setRules(_ new: SetRules, _ request: Request) {
    if let refusal = validate(new, request) { return reject(refusal, request) }
    // Version 1 decides nothing by debts, and an image of a program that knew no other does not hold them: from here
    // on they must be the same after either.
    if rules < 2 { countDebts() }
    if let refusal = validateBounds() { return reject(refusal, request) }
    invariant(new.version > rules, "the rules only go upwards")
    progress.rules = new.version
    emit(.control(.rulesSet(new)))
    acknowledge(request)
  }

  private func validate(_ new: SetRules, _ request: Request) -> Refusal? {
    if let refusal = permission(request, .administration) { return refusal }
    if new.version > RulesVersion.newest { return Refusal(.outOfRange, RulesVersion.newest) }
    if new.version == rules { return Refusal(.alreadyExists) }
    return new.version < rules ? Refusal(.badDefinition, rules) : nil
  }

  /// Whether every currency is within the bounds of the newer rules.
  private func validateBounds() -> Refusal? {
    for holding in stride(from: 1, through: balances.holdingCount, by: 1)
    where !isWithinBounds(balances.holdings[holding].currency) {
      return Refusal(.balanceLimit, Limit.cash)
    }
    return nil
  }
}
