// The first byte selects the sender; the rest is the stream:
//
//     [ 0 client | 1 server ] [ bytes ............... ]

import JoulebookClient
import Wire

/// Splits bytes into frames and reads all fields of all server frames, as a client does.
enum FrameTarget {
  static func run(_ input: UnsafeRawBufferPointer) {
    guard let sender = input.first else { return }
    let stream = ExactBlock(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
    read(stream.bytes, from: sender & 1 == 0 ? .client : .server)
  }

  private static func read(_ stream: UnsafeRawBufferPointer, from sender: FrameReader.Sender) {
    let reader = FrameReader(from: sender)
    var offset = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: stream[offset...])
      switch reader.next(in: rest) {
      case .incomplete(let needed):
        return require(needed > rest.count, "waits for bytes that are there")
      case .malformed(let code, _):
        return require((2000..<3000).contains(code.rawValue), "malformed with code \(code)")
      case .frame(let frame, let template):
        require(frame.length <= rest.count, "a frame beyond its buffer")
        if sender == .server { readFields(frame, template) }
        offset += frame.length
      }
    }
  }

  /// Reads all fields of a server's frame.
  static func readFields(_ frame: Frame, _ template: Template) {
    switch template {
    case .challenge: require(ChallengeDecoder(frame) != nil, "\(template)")
    case .negotiationResponse: require(NegotiationResponseDecoder(frame) != nil, "\(template)")
    case .negotiationReject: require(NegotiationRejectDecoder(frame) != nil, "\(template)")
    case .establishmentAck: require(EstablishmentAckDecoder(frame) != nil, "\(template)")
    case .establishmentReject: require(EstablishmentRejectDecoder(frame) != nil, "\(template)")
    case .retransmission: require(RetransmissionDecoder(frame) != nil, "\(template)")
    case .sequence: require(SequenceDecoder(frame) != nil, "\(template)")
    case .terminate: require(TerminateDecoder(frame) != nil, "\(template)")
    default:
      do throws(ClientError) {
        _ = try EventReader.read(frame, template, receivedAt: 0)
      } catch {
        guard case .protocolViolation = error else { fatalError("\(error)") }
      }
    }
  }
}
