import MarketModel
import Testing

@Suite("Seeded random numbers")
struct SeededRandomTests {
  @Test("The numbers are those of SplitMix64.")
  func numbers() {
    var random = SeededRandom(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    #expect(random.next() == 0x06C4_5D18_8009_454F)
  }

  @Test("Streams of a seed differ from one another, and each is the same again.")
  func streams() {
    var (first, again) = (SeededRandom(seed: 7, stream: 1), SeededRandom(seed: 7, stream: 1))
    var second = SeededRandom(seed: 7, stream: 2)
    for _ in 0..<100 {
      let number = first.next()
      #expect(number == again.next() && number != second.next())
    }
  }
}
