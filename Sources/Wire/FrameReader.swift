// Splits a stream of bytes into frames and makes the checks common to all messages, in the order of
// the table in Frame.swift. The values of fields are checked by the gateway.

import MarketModel

/// Reads frames from the front of a buffer.
public struct FrameReader: Sendable {
  /// The direction of the stream.
  public enum Sender: Sendable {
    case client
    case server
  }

  /// What is at the front of a buffer.
  public enum Result {
    /// A complete frame; the next one starts after `frame.length` bytes.
    case frame(Frame, Template)
    /// An incomplete frame, of at least this many bytes in total.
    case incomplete(needed: Int)
    /// Not a frame of this protocol. Answer with Terminate and this code, then close.
    case malformed(RejectCode, limit: Int64)
  }

  private let sender: Sender
  private let maximumLength: Int

  /// A reader of frames that `sender` sends.
  public init(from sender: Sender) {
    self.sender = sender
    maximumLength = sender == .client ? Frame.maximumClientLength : Frame.maximumServerLength
  }

  /// Examines the front of `buffer`.
  public func next(in buffer: UnsafeRawBufferPointer) -> Result {
    guard let start = buffer.baseAddress, buffer.count >= 4 else { return .incomplete(needed: 4) }
    let length = Int(start.little(0, as: UInt16.self))
    guard length >= Frame.minimumLength, length <= maximumLength, length % 8 == 0 else {
      return .malformed(.badFrameLength, limit: Int64(maximumLength))
    }
    guard start.little(2, as: UInt16.self) == Frame.encodingType else {
      return .malformed(.badEncodingType, limit: Int64(Frame.encodingType))
    }
    guard buffer.count >= length else { return .incomplete(needed: length) }
    return check(Frame(start: start, length: length))
  }

  private func check(_ frame: Frame) -> Result {
    guard frame.schemaId == WireSchema.id else {
      return .malformed(.badSchema, limit: Int64(WireSchema.id))
    }
    guard let template = frame.template,
      sender == .client ? template.isFromClient : template.isFromServer
    else { return .malformed(.unknownTemplate, limit: Int64(frame.templateId)) }
    let entryLength = template.entryLength
    guard frame.blockLength >= template.leastBlockLength else {
      return .malformed(.badBlockLength, limit: Int64(template.leastBlockLength))
    }
    guard template.hasWholeFields(frame.blockLength),
      entryLength == 0 ? frame.blockFits : frame.hasGroup(minimumEntryLength: entryLength)
    else { return .malformed(.badBlockLength, limit: Int64(template.blockLength)) }
    return .frame(frame, template)
  }
}
