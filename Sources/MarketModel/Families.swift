// The families of commands and events: what is not frequent enough to be a case of its own. A reader that a
// family does not concern passes over all of it, and a new member concerns nobody else.

// MARK: Commands

/// What concerns several orders, or the orders that the engine makes.
public enum OrderCommand: Sendable, BitwiseCopyable {
  case massCancel(MassCancel)
  case setAgent(SetAgent)
}

/// What moves cash, or energy without a meter.
public enum CashCommand: Sendable, BitwiseCopyable {
  case deposit(CashMovement)
  case withdraw(CashMovement)
  case transfer(Transfer)
}

/// What defines who and what there is.
public enum ReferenceCommand: Sendable, BitwiseCopyable {
  case createParticipant(CreateParticipant)
  case registerSession(RegisterSession)
  case createAccount(CreateAccount)
  case setCap(SetCap)
  case createArea(CreateArea)
  case setTariff(SetTariff)
  case createInstrument(CreateInstrument)
  case setInstrumentState(SetInstrumentState)
  case registerMeter(RegisterMeter)
}

/// What the gateway says of sessions.
public enum SessionCommand: Sendable, BitwiseCopyable {
  case beginSession(BeginSession)
  case endSession(EndSession)
}

/// Time, settlement, checkpoints and the rules themselves.
public enum ControlCommand: Sendable, BitwiseCopyable {
  case tick
  case settlementConfirmed(SettlementConfirmed)
  case checkpoint(Checkpoint)
  case setRules(SetRules)
}

// MARK: - Events

/// What happened to several orders, to an instruction, or to what the market sees of an order.
public enum OrderEvent: Sendable, BitwiseCopyable, Equatable {
  case massCanceled(MassCanceled)
  case agentSet(SetAgentDone)
  case displayed(OrderDisplayed)
}

/// Cash, or energy without a meter, that moved.
public enum CashEvent: Sendable, BitwiseCopyable, Equatable {
  case deposited(CashMoved)
  case withdrawn(CashMoved)
  case transferred(Transferred)
}

/// Who and what there is from now on.
public enum ReferenceEvent: Sendable, BitwiseCopyable, Equatable {
  case participantCreated(CreateParticipant)
  case sessionRegistered(RegisterSession)
  case accountCreated(CreateAccount)
  case capSet(SetCap)
  case areaCreated(AreaState)
  case tariffSet(SetTariff)
  case instrumentCreated(CreateInstrument)
  case instrumentStateChanged(SetInstrumentState)
  case meterRegistered(RegisterMeter)
}

/// Sessions that came and went.
public enum SessionEvent: Sendable, BitwiseCopyable, Equatable {
  case sessionBegan(BeginSession)
  case sessionEnded(SessionEnded)
}

/// Answers to operators, progress of settlement, and what an operator must know.
public enum ControlEvent: Sendable, BitwiseCopyable, Equatable {
  case acknowledged(Acknowledged)
  case settlementConfirmed(SettlementConfirmed)
  case alarm(Alarm)
  case rulesSet(SetRules)
}
