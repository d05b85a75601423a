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
}
