/// The reason for a reject: a code, the limit that was exceeded, and the field whose value is not
/// allowed. Rules of the exchange return it; the gateway sends it in a Rejected or Terminate message
/// or as the reject of a handshake.
@frozen public struct Refusal: Error, Equatable, Sendable, BitwiseCopyable {
  /// The limit that was exceeded, in the unit that the code's description names; 0 when there is
  /// none.
  public var limit: Int64
  /// The code in the low 16 bits, the field above it: one register on the path of an order that
  /// nothing refuses.
  @usableFromInline var codeAndField: UInt32

  /// A refusal with that code; `limit` 0 means that there is none.
  @inlinable @inline(__always) public init(
    _ code: RejectCode, limit: Int64 = 0, field: RejectField = RejectField.none
  ) {
    self.limit = limit
    codeAndField = UInt32(code.rawValue) | UInt32(field.rawValue) &<< 16
  }

  /// The reject code.
  @inlinable public var code: RejectCode {
    RejectCode(rawValue: UInt16(truncatingIfNeeded: codeAndField))
  }

  /// The field, where the code alone does not say which.
  @inlinable public var field: RejectField {
    RejectField(rawValue: UInt8(truncatingIfNeeded: codeAndField &>> 16)) ?? .none
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
