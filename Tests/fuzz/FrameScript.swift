// Frames that are nearly right: a fuzzer that had to find lengths, headers and signatures by itself
// would seldom see what lies behind them.
//
//     [ how ] [ template's number ] [ fields, as many bytes as the template's block has ]
//       bit 0   seqNo is the next one        bit 1   signed, with the present time
//       bit 2   in the name of session 2             bits 4-5  connection; its session is one more
//       bits 6-7  what else an instruction can be (the targets)

import Crypto
import MarketModel
import Wire

/// Reads an input as instructions.
struct InputReader {
  private var rest: UnsafeRawBufferPointer.SubSequence

  init(_ input: UnsafeRawBufferPointer) { rest = input[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  /// The next `count` bytes, as many as there are.
  mutating func bytes(_ count: Int) -> [UInt8] {
    let taken = rest.prefix(count)
    rest = rest.dropFirst(taken.count)
    return Array(taken)
  }
}

/// A client's frame made from an input.
struct FrameScript {
  let how: UInt8
  let template: Template
  var bytes: [UInt8]

  /// - Returns: `nil` when no client sends the template named.
  init?(_ how: UInt8, from input: inout InputReader) {
    guard let template = Template(rawValue: UInt16(input.byte())), template.isFromClient else {
      return nil
    }
    (self.how, self.template) = (how, template)
    let block = template.blockLength
    let length = (Frame.headerLength + block + 7) & ~7
    bytes = Array(repeating: 0, count: length)
    bytes.withUnsafeMutableBytes { raw in
      raw.storeBytes(of: UInt16(length).littleEndian, toByteOffset: 0, as: UInt16.self)
      raw.storeBytes(of: Frame.encodingType.littleEndian, toByteOffset: 2, as: UInt16.self)
      raw.storeBytes(of: UInt16(block).littleEndian, toByteOffset: 4, as: UInt16.self)
      raw.storeBytes(of: template.rawValue.littleEndian, toByteOffset: 6, as: UInt16.self)
      raw.storeBytes(of: WireSchema.id.littleEndian, toByteOffset: 8, as: UInt16.self)
      raw.storeBytes(of: WireSchema.version.littleEndian, toByteOffset: 10, as: UInt16.self)
    }
    let fields = input.bytes(block)
    bytes.replaceSubrange(Frame.headerLength..<Frame.headerLength + fields.count, with: fields)
  }

  /// Whether the sequence number is to be the next one.
  var isInSequence: Bool { how & 1 != 0 }
  /// Whether it is to be signed.
  var isSigned: Bool { how & 2 != 0 }
  /// Which connection or session, 0 to 3.
  /// The connection, 0 to 3; usually that of session `lane + 1`.
  var lane: Int { Int(how >> 4 & 3) }
  /// Whether it is to be in the name of session 2, whatever the connection.
  var isForTheOther: Bool { how & 4 != 0 }

  /// Overwrites the integer at `offset`.
  mutating func set<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    bytes.withUnsafeMutableBytes {
      $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
  }

  /// Signs it for `purpose`, the signature at its end.
  mutating func sign(
    _ purpose: SigningPurpose, _ key: Curve25519.Signing.PrivateKey, at offset: Int
  ) {
    let message = bytes.withUnsafeBytes { raw -> [UInt8] in
      guard let start = raw.baseAddress else { return [] }
      return purpose.message(of: Frame(start: start, length: raw.count))
    }
    do {
      let signature = try key.signature(for: message)
      bytes.replaceSubrange(offset..<offset + 64, with: signature)
    } catch {
      fatalError("the library cannot sign: \(error)")
    }
  }
}
