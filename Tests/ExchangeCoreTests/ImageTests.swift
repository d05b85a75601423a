import MarketModel
import Testing

@testable import ExchangeCore

/// Bytes in memory, as a snapshot would hold them.
final class StateBytes: StateSink, StateSource {
  var bytes: [UInt8] = []
  private(set) var rejected: String?
  private var offset = 0

  var isWhole: Bool { rejected == nil }

  func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }

  func read(into target: UnsafeMutableRawBufferPointer) {
    if isWhole, offset + target.count > bytes.count { reject("it ends") }
    guard isWhole else {
      target.initializeMemory(as: UInt8.self, repeating: 0)
      return
    }
    bytes.withUnsafeBytes {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + target.count]))
    }
    offset += target.count
  }

  func reject(_ what: String) { rejected = rejected ?? what }

  /// Nothing is left.
  var isAtEnd: Bool { offset == bytes.count }
}

@Suite("The exchange as bytes")
struct ImageTests {
  /// Writes an exchange and reads it again.
  private func again(_ exchange: borrowing Exchange) -> Exchange {
    let bytes = StateBytes()
    exchange.write(to: bytes)
    guard let read = Exchange(capacity: exchange.capacity, reading: bytes) else {
      Issue.record("refused: \(bytes.rejected ?? "")")
      return Exchange(capacity: exchange.capacity)
    }
    #expect(bytes.isAtEnd && bytes.rejected == nil)
    return read
  }

  private func isRefused(_ bytes: StateBytes, _ capacity: Capacity) -> Bool {
    if Exchange(capacity: capacity, reading: bytes) == nil { true } else { false }
  }

  @Test(
    "An exchange restored from an image at any point of a random history continues identically.")
  func goesOn() throws {
    for seed in UInt64(1)...40 {
      var random = RandomMarket(seed: seed)
      // Compared with the model after every command, and at the end with one that was left alone.
      var market = Market(capacity: random.capacity)
      var plain = Market(capacity: random.capacity)
      var steps = random.world()
      var count = 0
      while count < 3_000 {
        if count >= steps.count { steps.append(random.step(open: market.openLabels)) }
        if random.dice(150) == 0 {
          let (before, event) = (market.exchange.stateHash(), market.exchange.eventHash)
          market.exchange = again(market.exchange)
          #expect(market.exchange.stateHash() == before, "seed \(seed), step \(count)")
          #expect(market.exchange.eventHash == event, "seed \(seed), step \(count)")
        }
        let outcome = market.apply(steps[count], deep: count % 64 == 0)
        _ = plain.apply(steps[count], deep: false)
        try #require(
          outcome.differences.isEmpty, "seed \(seed), step \(count): \(outcome.differences)")
        count += 1
      }
      #expect(market.exchange.eventHash == plain.exchange.eventHash, "seed \(seed)")
      #expect(market.exchange.stateHash() == plain.exchange.stateHash(), "seed \(seed)")
    }
  }

  /// The image without what the layouts before this one lacked: the bounds of accounts in the
  /// capacity, and the power in the rows of meters, which had 56 bytes.
  private func former(_ image: [UInt8], fingerprint: UInt64) -> [UInt8] {
    func word(_ offset: Int) -> Int {
      Int(image.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) })
    }
    var former = withUnsafeBytes(of: fingerprint.littleEndian) { Array($0) } + image[8..<48]
    var offset = 56 + MemoryLayout<Progress.Image>.size
    for stride in [
      MemoryLayout<Participant>.stride, MemoryLayout<Session>.stride, MemoryLayout<Account>.stride,
    ] {
      offset += 8 + word(offset) * stride
    }
    former += image[56..<offset + 8]
    let meters = word(offset)
    offset += 8
    for _ in 0..<meters {
      former += image[offset..<offset + 56]
      offset += 64
    }
    return former + image[offset...]
  }

  private func writeAdditionsOfRules7(_ exchange: borrowing Exchange, to bytes: StateBytes) {
    Exchange.forEachComponent {
      if FormerImage.isOfRules8($0) { $0.write(exchange, to: bytes) }
    }
  }

  /// The image in the layout without the parts that version 4 of the rules added.
  private func withoutAdditions(_ exchange: borrowing Exchange, _ image: [UInt8]) -> [UInt8] {
    let additions = StateBytes()
    KeptFees.write(exchange, to: additions)
    PendingParameters.write(exchange, to: additions)
    AreaCosts.write(exchange, to: additions)
    MeterChanges.write(exchange, to: additions)
    CashReferences.write(exchange, to: additions)
    Notes.write(exchange, to: additions)
    Restrictions.write(exchange, to: additions)
    SpentPower.write(exchange, to: additions)
    AccountTerms.write(exchange, to: additions)
    ReadersBefore.write(exchange, to: additions)
    AreaUses.write(exchange, to: additions)
    LossRests.write(exchange, to: additions)
    writeAdditionsOfRules7(exchange, to: additions)
    // The capacity had no number of references, and nothing that came later.
    return image[..<56] + image[72...].dropLast(8 + additions.bytes.count) + image.suffix(8)
  }

  @Test(
    "An image of the layout without rated powers is read, whichever names its rows have.",
    arguments: [0xD5D0_2F15_171E_6AEB, 0x479F_D4CF_F819_2713] as [UInt64])
  func readsFormerLayout(fingerprint: UInt64) throws {
    try read { exchange, image in
      former(withoutAdditions(exchange, image), fingerprint: fingerprint)
    }
  }

  @Test("An image of the layout before version 4 of the rules is read.")
  func readsPreviousLayout() throws {
    try read { exchange, image in
      withUnsafeBytes(of: UInt64(0x203D_38A6_D449_F829).littleEndian) { Array($0) }
        + withoutAdditions(exchange, image)[8...]
    }
  }

  @Test("An image of the layout before version 5 of the rules is read.")
  func readsLayoutBeforeRules5() throws {
    var layout = StateLayout(version: 2)
    layout.add(FormerImage.WithReferences.Image.self)
    Exchange.forEachComponent {
      if !FormerImage.isOfRules5($0), !FormerImage.isOfRules6($0), !FormerImage.isOfRules8($0) {
        $0.add(to: &layout)
      }
    }
    #expect(FormerImage.fingerprints[FormerImage.beforeRules5] == layout.fingerprint)
    try read { exchange, image in
      let additions = StateBytes()
      SpentPower.write(exchange, to: additions)
      AccountTerms.write(exchange, to: additions)
      ReadersBefore.write(exchange, to: additions)
      AreaUses.write(exchange, to: additions)
      LossRests.write(exchange, to: additions)
      writeAdditionsOfRules7(exchange, to: additions)
      // The capacity had nothing of version 8.
      return withUnsafeBytes(of: layout.fingerprint.littleEndian) { Array($0) }
        + image[8..<60] + image[72...].dropLast(8 + additions.bytes.count) + image.suffix(8)
    }
  }

  /// Reads the image of a market of version 3, as `change` returns it.
  private func read(_ change: (borrowing Exchange, [UInt8]) -> [UInt8]) throws {
    var random = RandomMarket(seed: 1)
    var market = Market(capacity: random.capacity)
    for step in random.world() {
      var step = step
      if case .reference(.registerMeter(var meter)) = step.body {
        (meter.capacity, meter.ownReadings) = (0, false)
        step.body = .reference(.registerMeter(meter))
      }
      if case .reference(.registerSession(var session)) = step.body {
        session.selfTrade = .account
        step.body = .reference(.registerSession(session))
      }
      if case .control(.setRules) = step.body {
        step.body = .control(.setRules(SetRules(version: 3)))
      }
      _ = market.apply(step, deep: false)
    }
    let image = StateBytes()
    market.exchange.write(to: image)
    let bytes = StateBytes()
    bytes.bytes = change(market.exchange, image.bytes)
    guard let read = Exchange(capacity: random.capacity, reading: bytes) else {
      Issue.record("refused: \(bytes.rejected ?? "")")
      return
    }
    #expect(bytes.isAtEnd)
    #expect(read.stateHash() == market.exchange.stateHash())
  }

  @Test("An image cut anywhere, or of another capacity, is refused.")
  func refuses() throws {
    var random = RandomMarket(seed: 1)
    var market = Market(capacity: random.capacity)
    for step in random.world() { _ = market.apply(step, deep: false) }
    let whole = StateBytes()
    market.exchange.write(to: whole)
    for length in stride(from: 0, to: whole.bytes.count, by: max(1, whole.bytes.count / 400)) {
      let cut = StateBytes()
      cut.bytes = Array(whole.bytes[..<length])
      #expect(isRefused(cut, market.exchange.capacity), "\(length) bytes")
    }
    var other = market.exchange.capacity
    other.orders += 1
    #expect(isRefused(whole, other))
    #expect(whole.rejected == "written with another capacity")
    other = market.exchange.capacity
    other.accountOrders -= 1
    let again = StateBytes()
    again.bytes = whole.bytes
    #expect(isRefused(again, other))
  }
}
