// The parameters of an area that its readings follow; beside the definition, which older records have.

/// How the readings of an area use energy before the grid does (market rules 7).
public struct AreaReadings: Sendable, Equatable, BitwiseCopyable {
  /// The first version of the market rules under which these parameters have an effect. They can be
  /// set before.
  public static let firstRules: UInt32 = 6
  /// The first version of the market rules under which window and minted quality have an effect.
  public static let firstRulesOfVersions: UInt32 = 8
  /// The windows that an area can have, s.
  public static let windows: ClosedRange<Int64> = 3_600...34_560_000

  /// The longest interval whose reading uses its own production first, s; 0 ... 3,600.
  public var ownUse: UInt16
  /// Whether readings trade with other accounts before they trade with the grid.
  public var isLocalFirst: Bool
  /// How long after its beginning an interval can be read and corrected, s.
  public var readingWindow: UInt32
  /// The worst quality of a reading whose production counts.
  public var mintedQuality: ReadingQuality

  /// The parameters of an area; by default those of an area that was created before version 6 of the
  /// market rules.
  @inlinable public init(
    ownUse: UInt16 = 900, isLocalFirst: Bool = false, readingWindow: UInt32 = 3_888_000,
    mintedQuality: ReadingQuality = .substituted
  ) {
    (self.ownUse, self.isLocalFirst) = (ownUse, isLocalFirst)
    (self.readingWindow, self.mintedQuality) = (readingWindow, mintedQuality)
  }

  /// Gives a parameter its new value; other parameters have no effect.
  mutating func set(_ change: SetParameter) {
    if change.parameter == .ownUse { ownUse = UInt16(clamping: change.value) }
    if change.parameter == .localFirst { isLocalFirst = change.value != 0 }
    if change.parameter == .readingWindow { readingWindow = UInt32(clamping: change.value) }
    if change.parameter == .mintedQuality {
      mintedQuality = ReadingQuality(rawValue: UInt8(clamping: change.value)) ?? .estimated
    }
  }
}
