// Nearly valid frames. A fuzzer that had to find lengths, headers and signatures itself would rarely
// reach the code after their checks.
//
//     [ how ] [ template's number ] [ fields, as many bytes as the template's block has ]
//       bit 0   seqNo is the next one        bit 1   signed, with the present time; of a template without
//                                                    a signature: as the first version of the schema wrote it
//       bit 2   in the name of session 2             bits 4-5  connection; its session is one more
//       bits 6-7  what else an instruction can be (the targets)

import MarketModel
import Wire

/// Parses an input as instructions.
struct InputReader {
  private var rest: UnsafeRawBufferPointer

  init(_ input: UnsafeRawBufferPointer) { rest = input }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 {
    guard let first = rest.first else { return 0 }
    rest = UnsafeRawBufferPointer(rebasing: rest[1...])
    return first
  }

  /// The next `count` bytes; fewer at the end of the input.
  mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
    let taken = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    rest = UnsafeRawBufferPointer(rebasing: rest[taken.count...])
    return taken
  }
}

/// A frame of a client that is built from an input.
struct FrameScript: ~Copyable {
  let how: UInt8
  let template: Template
  let block: ExactBlock

  /// - Returns: `nil` when clients do not send this template.
  init?(_ how: UInt8, from input: inout InputReader) {
    guard let template = Template(rawValue: UInt16(input.byte())), template.isFromClient else {
      return nil
    }
    let length = how & 2 == 0 ? template.blockLength : template.leastBlockLength
    let frame = ExactBlock((Frame.headerLength + length + 7) & ~7)
    frame.set(UInt16(frame.bytes.count), at: 0)
    frame.set(Frame.encodingType, at: 2)
    frame.set(UInt16(length), at: 4)
    frame.set(template.rawValue, at: 6)
    frame.set(WireSchema.id, at: 8)
    frame.set(WireSchema.version, at: 10)
    let rest = UnsafeMutableRawBufferPointer(rebasing: frame.memory[Frame.headerLength...])
    let fields = input.bytes(length)
    rest.copyMemory(from: fields)
    UnsafeMutableRawBufferPointer(rebasing: rest[fields.count...])
      .initializeMemory(as: UInt8.self, repeating: 0)
    self.how = how
    self.template = template
    block = frame
  }

  /// Whether the frame gets the next sequence number.
  var isInSequence: Bool { how & 1 != 0 }
  /// Whether the frame gets a valid signature.
  var isSigned: Bool { how & 2 != 0 }
  /// The connection, 0 to 3, normally of session `lane + 1`.
  var lane: Int { Int(how >> 4 & 3) }
  /// Whether the frame names session 2 on any connection.
  var isForTheOther: Bool { how & 4 != 0 }
}
