import MarketModel
import Testing

@testable import ExchangeCore

/// The layout before version 6 of the rules: the same without what that version added.
@Suite("Images from before version 6 of the rules")
struct FormerLayoutTests {
  @Test("The fingerprint is that of the layout without the parts that version 6 added.")
  func fingerprint() {
    var layout = StateLayout(version: Exchange.imageVersion)
    layout.add(Capacity.Image.self)
    Exchange.forEachComponent { if !FormerImage.isOfRules6($0) { $0.add(to: &layout) } }
    #expect(
      layout.fingerprint == FormerImage.fingerprints[FormerImage.beforeRules6],
      "0x\(String(layout.fingerprint, radix: 16))")
  }

  @Test("Such an image gives the same exchange as its commands, also after further commands.")
  func goesOn() throws {
    for seed in UInt64(1)...12 {
      var random = RandomMarket(seed: seed)
      var market = Market(capacity: random.capacity)
      var steps = [Step(.control(.setRules(SetRules(version: 5))), by: 0)] + random.world()
      var count = 0
      while count < 2_000 {
        if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
        if count == 1_000, market.exchange.rules < 6 {
          let bytes = former(market.exchange)
          guard let read = Exchange(capacity: random.capacity, reading: bytes) else {
            Issue.record("seed \(seed): refused: \(bytes.rejected ?? "")")
            return
          }
          #expect(bytes.isAtEnd)
          #expect(read.stateHash() == market.exchange.stateHash())
          market.exchange = read
        }
        if (1...1_000).contains(count), isOfVersion6(steps[count].body) {
          steps[count] = Step(.control(.tick))
        }
        let outcome = market.apply(steps[count], deep: count % 64 == 0)
        try #require(
          outcome.differences.isEmpty, "seed \(seed), step \(count): \(outcome.differences)")
        count += 1
        if count == 1_100 {
          steps.insert(Step(.control(.setRules(SetRules(version: 6))), by: 0), at: count)
        }
      }
      #expect(market.exchange.rules == 6)
    }
  }

  /// Whether a program before version 6 of the rules did not know the command.
  private func isOfVersion6(_ body: Command.Body) -> Bool {
    switch body {
    case .control(.setRules): true
    case .reference(.setParameter(let new)): new.parameter.isOfReadings
    default: false
    }
  }

  /// The image as a program before version 6 wrote it.
  private func former(_ exchange: borrowing Exchange) -> StateBytes {
    let bytes = StateBytes()
    bytes.put(FormerImage.fingerprints[FormerImage.beforeRules6])
    bytes.put(exchange.capacity.image)
    Exchange.forEachComponent {
      if !FormerImage.isOfRules6($0) { $0.write(exchange, to: bytes) }
    }
    bytes.put(Exchange.imageEnd)
    return bytes
  }
}
