// What is known of a meter whose change was announced, and announced again for another moment.

import MarketModel
import Testing

@Suite("Announced changes of meters")
struct AnnouncedMeterTests {
  private func meter(_ key: UInt64, from: UInt64) -> ReferenceEvent {
    .meterRegistered(
      RegisterMeter(
        meter: MeterId(1), account: AccountId(1), area: AreaId(1),
        publicKey: PublicKey(key, 0, 0, 0), capacity: 7_000,
        from: Timestamp(nanoseconds: from)))
  }

  @Test("A change that is announced again for a later moment leaves the meter as it is until then.")
  func announcedAgain() {
    var reference = ReferenceData()
    func key(_ time: UInt64) -> PublicKey? {
      reference.key(of: MeterId(1), at: Timestamp(nanoseconds: time))
    }
    reference.note(meter(1, from: 0), at: Timestamp(nanoseconds: 5))
    reference.note(meter(2, from: 100), at: Timestamp(nanoseconds: 10))
    #expect(key(99) == PublicKey(1, 0, 0, 0))
    #expect(key(100) == PublicKey(2, 0, 0, 0))
    reference.note(meter(2, from: 200), at: Timestamp(nanoseconds: 20))
    #expect(key(100) == PublicKey(1, 0, 0, 0))
    #expect(key(199) == PublicKey(1, 0, 0, 0))
    #expect(key(200) == PublicKey(2, 0, 0, 0))
  }

  @Test(
    "All keys of the longest window are known; what a new change supersedes is not, nor what is older."
  )
  func formerKeys() {
    var reference = ReferenceData()
    func keys(_ times: [UInt64]) -> [UInt64?] {
      times.map { reference.key(of: MeterId(1), at: Timestamp(nanoseconds: $0))?.word0 }
    }
    reference.note(meter(1, from: 0), at: Timestamp(nanoseconds: 5))
    for number in UInt64(2)...5 {
      reference.note(
        meter(number, from: number * 100), at: Timestamp(nanoseconds: number * 100 + 5))
    }
    #expect(keys([0, 199, 200, 399, 400, 500, 900]) == [1, 1, 2, 3, 4, 5, 5])
    // A change from 350 on takes the place of those at 400 and 500: what held before 400 holds before it.
    reference.note(meter(6, from: 350), at: Timestamp(nanoseconds: 600))
    #expect(keys([199, 299, 300, 349, 350, 900]) == [1, 2, 3, 3, 6, 6])
    // 400 days later the old ones are of no use.
    let (day, late) = (UInt64(86_400_000_000_000), UInt64(401) * 86_400_000_000_000)
    reference.note(meter(7, from: late), at: Timestamp(nanoseconds: late))
    #expect(keys([199, late - day, late]) == [6, 6, 7])
  }

  @Test("Who owned a meter may ask about it, and its site is known.")
  func owners() throws {
    var reference = ReferenceData()
    for account in UInt32(1)...3 {
      reference.note(
        .accountCreated(
          CreateAccount(account: AccountId(account), participant: ParticipantId(account + 10))),
        at: Timestamp(nanoseconds: 1))
    }
    for (account, moment) in [(UInt32(1), UInt64(0)), (2, 100), (0, 200)] {
      reference.note(
        .meterRegistered(
          RegisterMeter(
            meter: MeterId(1), account: AccountId(account), area: AreaId(1),
            publicKey: PublicKey(UInt64(account), 0, 0, 0), from: Timestamp(nanoseconds: moment),
            attestation: .meteringOperator, technology: .wind)),
        at: Timestamp(nanoseconds: moment))
    }
    let place = try #require(Label("Hill"))
    reference.note(
      .meterPlaceSet(SetMeterPlace(meter: MeterId(1), place: place)),
      at: Timestamp(nanoseconds: 300))
    #expect(
      (11...14).map { reference.isMeter(MeterId(1), of: ParticipantId($0)) } == [
        true, true, false, false,
      ])
    let terms = reference.terms(of: MeterId(1), at: Timestamp(nanoseconds: 50))
    #expect(terms.attestation == .meteringOperator && terms.technology == .wind)
    #expect(terms.place == place)
    #expect(reference.attestation(of: MeterId(1)) == .meteringOperator)
    #expect(reference.attestation(of: MeterId(2)) == .device)
  }
}
