// What the readings of an area follow, as a market file says it.

import MarketModel

/// The parameters of an area's readings (market rules 7); `nil`: whatever it is.
public struct AreaTerms: Sendable, Equatable {
  /// The longest interval whose reading uses its own production first, s; 0 ... 3,600.
  public var ownUse: UInt16?
  /// Whether readings trade with other accounts before they trade with the grid.
  public var isLocalFirst: Bool?
  /// How long after its beginning an interval can be read and corrected, s; 3,600 ... 34,560,000.
  public var readingWindow: UInt32?
  /// The worst quality of a reading whose production counts.
  public var mintedQuality: ReadingQuality?

  /// Whatever they are.
  public init() {}

  /// All of an area.
  public init(_ readings: AreaReadings) {
    (ownUse, isLocalFirst) = (readings.ownUse, readings.isLocalFirst)
    (readingWindow, mintedQuality) = (readings.readingWindow, readings.mintedQuality)
  }

  /// The fields of those that are given.
  var fields: [MarketDefinition.Field] {
    typealias Field = MarketDefinition.Field
    var fields: [Field] = []
    if let ownUse { fields.append(Field("own-use", "\(ownUse)")) }
    if let isLocalFirst { fields.append(Field("local-first", isLocalFirst ? "on" : "off")) }
    if let readingWindow { fields.append(Field("reading-window", "\(readingWindow)")) }
    if let mintedQuality { fields.append(Field("minted-quality", "\(mintedQuality)")) }
    return fields
  }

  /// The parameters that are given, with their values.
  var parameters: [(Parameter, Int64)] {
    var all: [(Parameter, Int64)] = []
    if let ownUse { all.append((.ownUse, Int64(ownUse))) }
    if let isLocalFirst { all.append((.localFirst, isLocalFirst ? 1 : 0)) }
    if let readingWindow { all.append((.readingWindow, Int64(readingWindow))) }
    if let mintedQuality { all.append((.mintedQuality, Int64(mintedQuality.rawValue))) }
    return all
  }
}
