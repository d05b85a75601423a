import MarketModel

/// The market id and the nonces of a run, from its seed. Their numbers are not those from which the
/// run draws its steps. Owned by the thread of the run.
final class NonceSource: @unchecked Sendable {
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: ~seed) }

  /// The id of the market of the run with this seed.
  static func market(seed: UInt64) -> MarketId {
    var random = SeededRandom(seed: seed ^ 0x4D41_524B_4554)  // "MARKET"
    return MarketId(random.next(), random.next())
  }

  /// The nonce of the next connection.
  func next() -> Nonce { Nonce(random.next(), random.next(), random.next(), random.next()) }
}
