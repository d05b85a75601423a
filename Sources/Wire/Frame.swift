// A frame: one SBE message on the stream. All integers are little-endian.
//
//     offset size field           check on reading                               reject code
//          0    2 frame length    24 ... maximum, a multiple of 8                2001
//          2    2 encoding type   0xEB50 (SBE 1.0, little-endian)                2002
//          4    2 block length    >= that of the template's first version,       2005
//                                 whole fields, and within the frame
//          6    2 template id     one that this direction sends                  2003
//          8    2 schema id       that of the schema                             2004
//         10    2 version         any: fields are only ever appended
//         12    - block, then at most one group: entry length u16, count u16, entries

import MarketModel

/// A frame in a buffer owned by the caller; it must not outlive the buffer.
public struct Frame: BitwiseCopyable {
  /// Address of the first byte.
  public let start: UnsafeRawPointer
  /// Length of the whole frame, in bytes.
  public let length: Int

  /// Encoding type of every frame: SBE 1.0, little-endian.
  @inlinable public static var encodingType: UInt16 { 0xEB50 }
  /// Number of bytes before the block.
  @inlinable public static var headerLength: Int { 12 }
  /// Length of the shortest frame, in bytes.
  @inlinable public static var minimumLength: Int { 24 }
  /// Length of the longest frame that a client may send, in bytes.
  @inlinable public static var maximumClientLength: Int { 512 }
  /// Length of the longest frame that the server sends, in bytes.
  @inlinable public static var maximumServerLength: Int { 4096 }

  /// The frame of `length` bytes at `start`.
  /// - Precondition: a reader has checked it, or an encoder has just written it.
  @inlinable public init(start: UnsafeRawPointer, length: Int) {
    (self.start, self.length) = (start, length)
  }

  /// The frame that an encoder has just written, with the length in its header.
  @inlinable public init(finished start: UnsafeRawPointer) {
    self.init(start: start, length: Int(start.little(0, as: UInt16.self)))
  }

  /// Length of the block according to the sender, in bytes.
  @inlinable public var blockLength: Int { Int(start.little(4, as: UInt16.self)) }
  /// Template id of the message.
  @inlinable public var templateId: UInt16 { start.little(6, as: UInt16.self) }
  /// Schema id of the message.
  @inlinable public var schemaId: UInt16 { start.little(8, as: UInt16.self) }
  /// The sender's version of the schema.
  @inlinable public var version: UInt16 { start.little(10, as: UInt16.self) }
  /// The template; `nil` if this version of the schema does not contain it.
  @inlinable public var template: Template? { Template(rawValue: templateId) }

  /// The first eight bytes of the block, which contain the sequence number of every sequenced
  /// message.
  /// - Precondition: the template is not a session message.
  @inlinable public var sequenceNumber: UInt64 { start.little(12, as: UInt64.self) }

  /// The bytes of the frame.
  @inlinable public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: length)
  }

  /// Whether the block lies within the frame.
  @inlinable public var blockFits: Bool { Self.headerLength + blockLength <= length }

  /// Whether block and group lie within the frame and the entries are long enough.
  @inlinable public func hasGroup(minimumEntryLength: Int) -> Bool {
    let dimension = Self.headerLength + blockLength
    guard dimension + 4 <= length else { return false }
    let stride = Int(start.little(dimension, as: UInt16.self))
    let count = Int(start.little(dimension + 2, as: UInt16.self))
    return stride >= minimumEntryLength && dimension + 4 + stride * count <= length
  }

  /// Writes the 12 bytes before a block.
  @inlinable static func writeHeader(
    at start: UnsafeMutableRawPointer, length: Int, blockLength: UInt16, templateId: UInt16
  ) {
    start.setLittle(0, UInt16(length))
    start.setLittle(2, encodingType)
    start.setLittle(4, blockLength)
    start.setLittle(6, templateId)
    start.setLittle(8, WireSchema.id)
    start.setLittle(10, WireSchema.version)
  }
}
