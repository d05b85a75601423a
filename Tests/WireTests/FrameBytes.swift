// Frames as byte arrays, for comparison.

import Testing
import Wire

extension [UInt8] {
  /// The bytes of a hexadecimal text; empty if it is invalid.
  init(hex text: String) {
    let digits = text.compactMap(\.hexDigitValue)
    self = stride(from: 0, to: digits.count - 1, by: 2).map {
      UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
  }

  /// What `encode` writes into `frameLength` bytes that are not zero before, so that a byte that is
  /// not written is detected.
  init(frameLength: Int, encode: (UnsafeMutableRawPointer) throws -> Void) rethrows {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: frameLength, alignment: 1)
    defer { memory.deallocate() }
    memory.initializeMemory(as: UInt8.self, repeating: 0xA5)
    if let start = memory.baseAddress { try encode(start) }
    self = Array(memory)
  }

  /// In lower-case hex.
  var hex: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// Calls `body` with the frame that a reader finds, which must be of `template`.
  func withFrame(_ template: Template, _ body: (Frame) throws -> Void) throws {
    try withUnsafeBytes { buffer in
      let sender: FrameReader.Sender = template.isFromClient ? .client : .server
      switch FrameReader(from: sender).next(in: buffer) {
      case .frame(let frame, let found):
        #expect(found == template)
        #expect(frame.length == count)
        try body(frame)
      case .incomplete(let needed): Issue.record("incomplete: \(needed) of \(count) bytes")
      case .malformed(let code, let limit): Issue.record("malformed: \(code), limit \(limit)")
      }
    }
  }
}
