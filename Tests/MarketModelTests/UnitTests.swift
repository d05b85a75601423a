import MarketModel
import Testing

@Suite("Units and identifiers")
struct UnitTests {
  @Test("Energy costs price times quantity exactly, negative prices too.")
  func exactCost() {
    #expect(Energy(wattHours: 3_000).cost(at: Price(ticks: 10_000)) == Money(units: 30_000_000))
    #expect(Energy(wattHours: 7).cost(at: Price(ticks: -3)) == Money(units: -21))
  }

  @Test("A cost that leaves the money type is nil.")
  func costOverflow() {
    #expect(Energy(wattHours: .max).cost(at: Price(ticks: 2)) == nil)
    #expect(Energy(wattHours: 1 << 32).cost(at: Price(ticks: 1 << 31)) == nil)
    #expect(Energy(wattHours: 1 << 31).cost(at: Price(ticks: 1 << 31)) != nil)
  }

  @Test("A rate rounds up as 128-bit arithmetic does.")
  func roundedUp() {
    let amounts: [Int64] = [
      0, 1, -1, 999_999, 1_000_000, 1_000_001, 1 << 44, -(1 << 50), 1 << 62, .max, -.max,
    ]
    for parts: UInt32 in [0, 1, 3, 2_500, 333_333, 500_000] {
      for amount in amounts {
        let product = Int128(amount.magnitude) * Int128(parts)
        let expected = (product + 999_999) / 1_000_000
        let actual = Rate(partsPerMillion: parts).roundedUp(of: amount)
        #expect(actual == Int64(expected), "\(parts) ppm of \(amount)")
      }
    }
  }

  @Test("A rate of the lowest number, which has no magnitude, is nil.")
  func roundedUpOfMinimum() {
    #expect(Rate(partsPerMillion: 1).roundedUp(of: .min) == nil)
  }

  @Test("A label keeps up to 16 printable ASCII characters.")
  func labels() {
    #expect(Label("10YCH-SWISSGRIDZ")?.text == "10YCH-SWISSGRIDZ")
    #expect(Label("")?.text == "")
    #expect(Label("seventeen letters") == nil)
    #expect(Label("Zürich") == nil)
  }

  @Test("A public key is its 32 bytes.")
  func publicKeys() {
    let bytes = (0..<32).map { UInt8($0 * 7 % 251) }
    #expect(PublicKey(bytes: bytes)?.bytes == bytes)
    #expect(PublicKey(bytes: bytes.dropLast()) == nil)
    #expect(PublicKey(bytes: bytes + [1]) == nil)
  }

  @Test("An order id carries slot and generation.")
  func orderIds() {
    let id = OrderId(slot: 7, generation: 3)
    #expect(id.slot == 7 && id.generation == 3 && id.rawValue == 3 << 32 | 7)
  }

  @Test("House accounts differ from participants' accounts and from each other.")
  func houseAccounts() {
    var seen: Set<AccountId> = []
    for area in [UInt16(1), 2, .max] {
      for role in HouseRole.allCases {
        let account = AccountId.house(AreaId(area), role)
        #expect(account.isHouse && seen.insert(account).inserted)
      }
    }
    #expect(!AccountId(1).isHouse)
    #expect(seen.insert(.outside(.eur)).inserted)
  }
}
