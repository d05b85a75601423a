import MarketModel
import Testing

@Suite("Public keys")
struct PublicKeyTests {
  /// The encodings of points of small order, as little-endian bytes in hexadecimal, with and without
  /// the sign bit: those of order 1, 2, 4 and 8, also with ordinates not reduced by p.
  private static let weak = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ]

  private func key(_ hex: String) throws -> PublicKey {
    let bytes = stride(from: 0, to: hex.count, by: 2).map { offset in
      let start = hex.index(hex.startIndex, offsetBy: offset)
      return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16) ?? 0
    }
    return try #require(PublicKey(bytes: bytes))
  }

  @Test("Each encoding of a point of small order is known as such.", arguments: weak)
  func weakKeys(hex: String) throws { #expect(try key(hex).isOfSmallOrder) }

  @Test(
    "Other keys are not.",
    arguments: [
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "0200000000000000000000000000000000000000000000000000000000000000",
      "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
  func otherKeys(hex: String) throws { #expect(try !key(hex).isOfSmallOrder) }
}
