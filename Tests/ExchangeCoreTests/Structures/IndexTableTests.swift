import MarketModel
import Testing

@testable import ExchangeCore

@Suite("The index of rows by key")
struct IndexTableTests {
  @Test("After any inserts and removals exactly the present keys are found.")
  func randomHistories() {
    for seed in UInt64(1)...40 {
      var random = SeededRandom(seed: seed)
      let capacity = UInt32.random(in: 1...300, using: &random)
      var index = IndexTable(capacity: capacity)
      index.seed(with: seed % 2 == 0 ? 0 : random.next())
      struct Key: Hashable {
        let key: UInt64
        let owner: UInt32
      }
      var known: [Key: UInt32] = [:]
      // Few keys in two heaps of neighbours: probes that run into one another, and around the end.
      func key() -> Key {
        let near = UInt64.random(in: 0..<UInt64(capacity), using: &random)
        return Key(
          key: Bool.random(using: &random) ? near : near << 32 | 7,
          owner: UInt32.random(in: 0...1, using: &random))
      }
      for _ in 0..<5_000 {
        let key = key()
        if known[key] == nil, known.count < Int(capacity), Int.random(in: 0..<3, using: &random) > 0
        {
          let row = UInt32.random(in: 1...UInt32.max, using: &random)
          index.insert(key.key, of: key.owner, row)
          known[key] = row
        } else if Bool.random(using: &random) {
          index.remove(key.key, of: key.owner)
          known[key] = nil
        }
        #expect(index.find(key.key, of: key.owner) == known[key] ?? 0, "seed \(seed)")
      }
      #expect(index.count == UInt32(known.count), "seed \(seed)")
      for (key, row) in known { #expect(index.find(key.key, of: key.owner) == row, "seed \(seed)") }
    }
  }
}
