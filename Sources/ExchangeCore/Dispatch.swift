// From a command to its rule. Every rule has the name of its command.

import MarketModel

extension Exchange {
  /// The rarer commands: one line for each family, whose folder has the rest.
  mutating func dispatch(_ request: Request, _ body: Command.Body) {
    switch body {
    case .enter, .replace, .cancel: assertionFailure("read in place")
    case .meterReading(let reading): meterReading(reading, request)
    case .order(let command): apply(command, request)
    case .cash(let command): apply(command, request)
    case .reference(let command): apply(command, request)
    case .session(let command): apply(command, request)
    case .control(let command): apply(command, request)
    }
  }

  private mutating func apply(_ command: OrderCommand, _ request: Request) {
    switch command {
    case .massCancel(let filter): massCancel(filter, request)
    case .setAgent(let agent): setAgent(agent, request)
    }
  }

  private mutating func apply(_ command: CashCommand, _ request: Request) {
    switch command {
    case .deposit(let movement): deposit(movement, request)
    case .withdraw(let movement): withdraw(movement, request)
    case .transfer(let transfer): self.transfer(transfer, request)
    }
  }

  private mutating func apply(_ command: ReferenceCommand, _ request: Request) {
    switch command {
    case .createParticipant(let participant): createParticipant(participant, request)
    case .registerSession(let session): registerSession(session, request)
    case .createAccount(let account): createAccount(account, request)
    case .setCap(let cap): setCap(cap, request)
    case .createArea(let area): createArea(area, request)
    case .setTariff(let tariff): setTariff(tariff, request)
    case .createInstrument(let instrument): createInstrument(instrument, request)
    case .setInstrumentState(let state): setInstrumentState(state, request)
    case .registerMeter(let meter): registerMeter(meter, request)
    }
  }

  private mutating func apply(_ command: SessionCommand, _ request: Request) {
    switch command {
    case .beginSession(let session): beginSession(session, request)
    case .endSession(let session): endSession(session, request)
    }
  }

  private mutating func apply(_ command: ControlCommand, _ request: Request) {
    switch command {
    case .tick: tick(request)
    case .settlementConfirmed(let confirmation): settlementConfirmed(confirmation, request)
    case .checkpoint(let checkpoint): self.checkpoint(checkpoint, request)
    case .setRules(let rules): setRules(rules, request)
    }
  }

}
