// Definitions with existing and unknown numbers, so that their rejects occur.

import MarketModel

extension RandomMarket {
  /// Registrations with existing and unknown participants and with numbers in and out of range.
  mutating func strangeSession() -> Step {
    Step(
      .reference(
        .registerSession(
          RegisterSession(
            session: SessionId(6 + dice(14)), participant: ParticipantId(dice(7)),
            roles: Roles(rawValue: UInt8(dice(18))), publicKey: PublicKey(0, 0, 0, 0)))))
  }

  mutating func strangeAccount() -> Step {
    if chance(1, of: 3) {
      let participant = ParticipantId(dice(7))
      return Step(
        .reference(.createParticipant(CreateParticipant(participant: participant, name: .empty))))
    }
    let account = AccountId(accounts + 5 + dice(20))
    return Step(
      .reference(
        .createAccount(CreateAccount(account: account, participant: ParticipantId(dice(6))))))
  }

  mutating func strangeMeter() -> Step {
    if chance(1, of: 2) {
      // Mostly a meter as it is, with another capacity.
      let account = account()
      return Step(
        .reference(
          .registerMeter(
            RegisterMeter(
              meter: MeterId(account.rawValue), account: account,
              area: AreaId(chance(1, of: 4) ? 2 : 1), publicKey: PublicKey(0, 0, 0, 0),
              capacity: chance(1, of: 4) ? 0 : power()))))
    }
    return Step(
      .reference(
        .registerMeter(
          RegisterMeter(
            meter: MeterId(20 + dice(20)), account: AccountId(dice(accounts + 1)),
            area: AreaId(UInt16(dice(4))), publicKey: PublicKey(0, 0, 0, 0),
            capacity: Int64(dice(4)) - 1))))
  }
}
