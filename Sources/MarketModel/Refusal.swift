/// The reason for a reject: a code, the limit that was exceeded, and the field whose value is not
/// allowed. Rules of the exchange return it; the gateway sends it in a Rejected or Terminate message or as the reject of a handshake.
@frozen public struct Refusal: Error, Equatable, Sendable, BitwiseCopyable {
  /// The reject code.
  public var code: RejectCode
  /// The limit that was exceeded, in the unit that the code's description names; 0 when there is
  /// none.
  public var limit: Int64
  /// The field, where the code alone does not say which.
  public var field: RejectField

  /// A refusal with that code; `limit` 0 means that there is none.
  @inlinable public init(
    _ code: RejectCode, limit: Int64 = 0, field: RejectField = RejectField.none
  ) {
    (self.code, self.limit, self.field) = (code, limit, field)
  }

  /// A refusal whose limit is an integer of any width. Of a limit above `Int64.max` the low 64 bits
  /// remain.
  @inlinable @inline(__always)
  public init(
    _ code: RejectCode, _ limit: some FixedWidthInteger, _ field: RejectField = RejectField.none
  ) {
    self.init(code, limit: Int64(truncatingIfNeeded: limit), field: field)
  }
}
