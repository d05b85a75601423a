import MarketModel
import Testing

@Suite("Reference data")
struct ReferenceDataTests {
  private static func noted(_ changes: [RegisterMeter]) -> ReferenceData {
    var known = ReferenceData()
    for change in changes { known.note(.reference(.meterRegistered(change))) }
    return known
  }

  @Test("A meter that was ended without a key has none from then on; before, the former one.")
  func endedMeter() {
    let (meter, key, end) = (MeterId(7), PublicKey(1, 2, 3, 4), Timestamp(nanoseconds: 1_000))
    let first = RegisterMeter(meter: meter, account: AccountId(1), area: AreaId(1), publicKey: key)
    let ended = RegisterMeter(
      meter: meter, account: .null, area: AreaId(0), publicKey: PublicKey(0, 0, 0, 0), from: end)
    let known = Self.noted([first, ended])
    #expect(known.key(of: meter, at: Timestamp(nanoseconds: 999)) == key)
    #expect(known.key(of: meter, at: end) == nil)
    #expect(known.key(of: MeterId(8), at: end) == nil)
  }
}
