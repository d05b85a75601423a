/// One accepted connection: `generation << 32 | slot`. A slot is reused, its id never is, so a late
/// reply to a closed connection finds nothing instead of another client.
public struct ConnectionId: Hashable, Sendable, BitwiseCopyable {
  /// `generation << 32 | slot`; 0 is null.
  public let rawValue: UInt64

  /// The connection with that number.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The id of `slot` at its `generation`-th use, counted from 1.
  @inlinable init(slot: Int, generation: UInt32) {
    rawValue = UInt64(generation) << 32 | UInt64(slot)
  }

  /// Index into tables kept beside the transport's: 0 ..< the accept limit.
  @inlinable public var slot: Int { Int(rawValue & 0xFFFF_FFFF) }

  /// No connection.
  public static let null = ConnectionId(rawValue: 0)
}
