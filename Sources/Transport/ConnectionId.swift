/// Identifies an accepted connection: `generation << 32 | slot`. Slots are reused but ids are not,
/// so a late reply to a closed connection is dropped instead of reaching another client.
public struct ConnectionId: Hashable, Sendable, BitwiseCopyable {
  /// `generation << 32 | slot`; 0 is null.
  public let rawValue: UInt64

  /// The connection with the given raw value.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The id of `slot` in its `generation`-th use, counted from 1.
  @inlinable init(slot: Int, generation: UInt32) {
    rawValue = UInt64(generation) << 32 | UInt64(slot)
  }

  /// Index of the slot, for tables parallel to the transport's: 0 ..< maximum number of
  /// connections.
  @inlinable public var slot: Int { Int(rawValue & 0xFFFF_FFFF) }

  /// Stands for the absence of a connection.
  public static let null = ConnectionId(rawValue: 0)
}
