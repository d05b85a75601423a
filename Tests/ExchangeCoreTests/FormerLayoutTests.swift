import MarketModel
import Testing

@testable import ExchangeCore

/// The layouts before versions 6 and 7 of the rules: the same without what these versions added.
@Suite("Images from before versions 6 and 7 of the rules")
struct FormerLayoutTests {
  /// Whether the layout before a version of the rules lacks the component.
  private static func isMissing(
    _ component: any (StateComponent & ~Copyable).Type, before version: UInt32
  ) -> Bool {
    FormerImage.isOfRules8(component) || (version == 6 && FormerImage.isOfRules6(component))
  }

  private static func index(before version: UInt32) -> Int {
    version == 6 ? FormerImage.beforeRules6 : FormerImage.beforeRules8
  }

  @Test(
    "The fingerprint is that of the layout without the parts that the version added.",
    arguments: [6, 7] as [UInt32])
  func fingerprint(version: UInt32) {
    var layout = StateLayout(version: Exchange.imageVersion)
    layout.add(FormerImage.WithReferences.Image.self)
    Exchange.forEachComponent {
      if !Self.isMissing($0, before: version) { $0.add(to: &layout) }
    }
    #expect(
      layout.fingerprint == FormerImage.fingerprints[Self.index(before: version)],
      "0x\(String(layout.fingerprint, radix: 16))")
  }

  @Test(
    "Such an image gives the same exchange as its commands, also after further commands.",
    arguments: [6, 7] as [UInt32])
  func goesOn(version: UInt32) throws {
    for seed in UInt64(1)...12 {
      var random = RandomMarket(seed: seed)
      var capacity = random.capacity
      (capacity.readings, capacity.tariffHistory, capacity.quarantine) = (8_192, 64, 64)
      var market = Market(capacity: capacity)
      var steps =
        [Step(.control(.setRules(SetRules(version: version - 1))), by: 0)] + random.world()
      var count = 0
      while count < 2_000 {
        if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
        if count == 1_000 {
          let bytes = former(market.exchange, before: version)
          guard let read = Exchange(capacity: capacity, reading: bytes) else {
            Issue.record("seed \(seed): refused: \(bytes.rejected ?? "")")
            return
          }
          #expect(bytes.isAtEnd)
          #expect(read.stateHash() == market.exchange.stateHash())
          market.exchange = read
        }
        if (1...1_000).contains(count) { steps[count] = known(steps[count], before: version) }
        let outcome = market.apply(steps[count], deep: count % 64 == 0)
        try #require(
          outcome.differences.isEmpty, "seed \(seed), step \(count): \(outcome.differences)")
        count += 1
        if count == 1_100 {
          steps.insert(Step(.control(.setRules(SetRules(version: version))), by: 0), at: count)
        }
      }
      #expect(market.exchange.rules >= version)
    }
  }

  /// The step, or a tick where a program before the version of the rules did not know the command.
  private func known(_ step: Step, before version: UInt32) -> Step {
    switch step.body {
    case .control(.setRules),
      .reference(.setMeterPlace), .cash(.compensate), .metering:
      return Step(.control(.tick))
    case .reference(.setParameter(let new)):
      let isNew =
        new.parameter.isOfTakenReadings || new.parameter == .unsettledLimit
        || (version == 6 && new.parameter.isOfReadings)
      return isNew ? Step(.control(.tick)) : step
    case .reference(.registerMeter(var meter)):
      (meter.attestation, meter.technology) = (.device, .unknown)
      var same = step
      same.body = .reference(.registerMeter(meter))
      return same
    default: return step
    }
  }

  /// The image as a program before the version wrote it.
  private func former(_ exchange: borrowing Exchange, before version: UInt32) -> StateBytes {
    let bytes = StateBytes()
    bytes.put(FormerImage.fingerprints[Self.index(before: version)])
    bytes.put(FormerImage.WithReferences.Image(exchange.capacity))
    Exchange.forEachComponent {
      if !Self.isMissing($0, before: version) { $0.write(exchange, to: bytes) }
    }
    bytes.put(Exchange.imageEnd)
    return bytes
  }
}
