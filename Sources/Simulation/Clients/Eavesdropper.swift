// Somebody without a key who hears everything that clients send, and sends their log-ons again on
// connections of its own: at once, later, and after the server has started again.

import MarketModel
import Wire

/// Tries recorded log-ons. None may be accepted. Owned by the thread of the run.
final class Eavesdropper {
  /// Most log-ons that are kept.
  private static let most = 8

  /// Number of recorded log-ons that the server has refused.
  private(set) var refusals = 0
  /// The first violation by the server.
  private(set) var fault: String?
  private var recorded: [[UInt8]] = []
  private var link: SimulatedNetwork.Link?
  private var received: [UInt8] = []

  /// Hears bytes that a client has sent; keeps them if they are a Negotiate or an Establish.
  func hear(_ bytes: [UInt8]) {
    let templates = [NegotiateEncoder.templateId, EstablishEncoder.templateId]
    guard bytes.count > 8, templates.contains(UInt16(bytes[6]) | UInt16(bytes[7]) << 8) else {
      return
    }
    recorded.append(bytes)
    if recorded.count > Self.most { recorded.removeFirst() }
  }

  /// Reads the answer to the last attempt; if there is none under way, makes another.
  func takeTurn(_ network: SimulatedNetwork, _ random: inout SeededRandom) {
    if let link, !link.isCut, link.serverIsOpen || !link.toClient.isEmpty {
      received += network.receive(on: link, limit: .max)
      while let length = takeFrame() { received.removeFirst(length) }
      return
    }
    link?.clientIsOpen = false
    received.removeAll()
    link = nil
    guard let frame = recorded.randomElement(using: &random), let opened = network.connect() else {
      return
    }
    link = opened
    network.send(frame, on: opened, isHeard: false)
  }

  /// - Returns: the length of the next frame; `nil` when none is complete.
  private func takeFrame() -> Int? {
    received.withUnsafeBytes { buffer in
      guard case .frame(let frame, let template) = FrameReader(from: .server).next(in: buffer)
      else { return nil }
      switch template {
      case .challenge, .terminate: break
      case .negotiationReject: judge(NegotiationRejectDecoder(frame)?.code)
      case .establishmentReject: judge(EstablishmentRejectDecoder(frame)?.code)
      default: fault = "a recorded log-on was answered with template \(frame.templateId)"
      }
      return frame.length
    }
  }

  private func judge(_ code: RejectCode?) {
    refusals += 1
    if code != .badSignature {
      fault = "a recorded log-on was refused with code \(code?.rawValue ?? 0)"
    }
  }
}
