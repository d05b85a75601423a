import MarketModel
import Testing

@Suite("Reference data")
struct ReferenceDataTests {
  private static func noted(_ changes: [RegisterMeter]) -> ReferenceData {
    var known = ReferenceData()
    for change in changes { known.note(.meterRegistered(change), at: Timestamp(nanoseconds: 0)) }
    return known
  }

  @Test("A meter is what it was until an announced change; a second one supersedes the first.")
  func announcedChange() {
    let meter = MeterId(7)
    let (first, second, third) = (
      PublicKey(1, 0, 0, 0), PublicKey(2, 0, 0, 0), PublicKey(3, 0, 0, 0)
    )
    func change(_ account: UInt32, _ key: PublicKey, from: UInt64) -> ReferenceEvent {
      .meterRegistered(
        RegisterMeter(
          meter: meter, account: AccountId(account), area: AreaId(1), publicKey: key,
          from: Timestamp(nanoseconds: from)))
    }
    var known = ReferenceData()
    func keys(_ known: borrowing ReferenceData, _ times: [UInt64]) -> [PublicKey?] {
      var found: [PublicKey?] = []
      for time in times { found.append(known.key(of: meter, at: Timestamp(nanoseconds: time))) }
      return found
    }
    known.note(change(10, first, from: 0), at: Timestamp(nanoseconds: 1))
    known.note(change(11, second, from: 100), at: Timestamp(nanoseconds: 10))
    #expect(keys(known, [99, 100]) == [first, second])
    known.note(change(12, third, from: 200), at: Timestamp(nanoseconds: 20))
    #expect(keys(known, [199, 200]) == [first, third])
    #expect(known.meter(meter, at: Timestamp(nanoseconds: 199))?.account == AccountId(10))
    known.note(change(10, first, from: 30), at: Timestamp(nanoseconds: 30))
    #expect(keys(known, [29, 200]) == [first, first])
    #expect(known.meter(meter, at: Timestamp(nanoseconds: 200))?.account == AccountId(10))
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
