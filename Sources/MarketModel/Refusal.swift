/// Why something is refused: a code, and the limit that was broken. Rules of the exchange return it, the
/// gateway sends it as a Rejected, a Terminate or the reject of a handshake.
@frozen public struct Refusal: Error, Equatable, Sendable, BitwiseCopyable {
  /// Why.
  public var code: RejectCode
  /// The limit that was broken, in the unit that the code's description names; 0 where there is none.
  public var limit: Int64

  /// A refusal, without a limit unless one is given.
  @inlinable public init(_ code: RejectCode, limit: Int64 = 0) {
    (self.code, self.limit) = (code, limit)
  }

  /// A refusal with a limit of any width, as the exchange's tables have them. What is above `Int64.max`
  /// keeps its low 64 bits.
  @inlinable @inline(__always)
  public init(_ code: RejectCode, _ limit: some FixedWidthInteger) {
    self.init(code, limit: Int64(truncatingIfNeeded: limit))
  }
}
