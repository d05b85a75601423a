// Stage 8: what is durable goes to those who wait for it.
//
//     outbox ─▶ event ─▶ DurableView (who is who, numbers of reports, market data), once for all gateways
//                             └─▶ binary gateway ─▶ other gateways ─▶ clients
//
// A start replays its journal through the same stage: gateways know then what they would know had they run all the
// time. Settlement does not read here: it follows the journal on disk.

import GatewayBinary
import GatewayKit
import MarketModel
import Transport

/// Hands durable events to all gateways. Owned by the I/O thread.
final class Delivery {
  /// What all gateways know.
  let view: DurableView
  /// The one that every server has: called directly.
  let binary: BinaryGateway
  /// Those beside it, by their numbers from 1.
  let others: [any Gateway & ConnectionHandler]
  private let hasOthers: Bool
  private var isBetweenCommands = true

  /// - Parameter others: In the order of their numbers.
  init(_ view: DurableView, _ binary: BinaryGateway, _ others: [any Gateway & ConnectionHandler]) {
    (self.view, self.binary, self.others) = (view, binary, others)
    hasOthers = !others.isEmpty
  }

  /// Asks for the memory that an event will change.
  @inline(__always) func anticipate(_ event: UnsafePointer<Event>) { view.anticipate(event) }

  /// Takes an event of the command `sequence`; it stays where it is meanwhile. The events of a command come together,
  /// in order, and are followed by `endCommand`.
  @inline(__always)
  func deliver(_ event: UnsafePointer<Event>, of sequence: SequenceNumber, _ time: Timestamp) {
    if isBetweenCommands {
      isBetweenCommands = false
      binary.begin(sequence)
      if hasOthers { tellOthers { $0.begin(sequence) } }
    }
    let reports = view.take(event, at: time)
    binary.deliver(event, reports, time)
    if hasOthers { tellOthers { $0.deliver(event, reports, time) } }
  }

  /// The command in hand, of `time`, is complete.
  @inline(__always) func endCommand(_ time: Timestamp) {
    isBetweenCommands = true
    let messages = view.endCommand(at: time)
    if messages.count > 0 { binary.endCommand(messages, time) }
    if hasOthers { tellOthers { $0.endCommand(messages, time) } }
  }

  /// Every command up to `sequence` is durable, and all its events were delivered.
  func delivered(through sequence: SequenceNumber) {
    binary.delivered(through: sequence)
    if hasOthers { tellOthers { $0.delivered(through: sequence) } }
  }

  /// A verdict for the gateway by which the reading came.
  func checked(_ reading: SignedReading, isValid: Bool) -> Bool {
    gateway(reading.gateway).checked(reading, isValid: isValid)
  }

  /// The answer to a query, for the gateway that asked.
  func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?) {
    gateway(query.gateway).retransmit(query, reports)
  }

  /// What all gateways have done, added up.
  var counts: GatewayCounts { all.reduce(into: GatewayCounts()) { $0 += $1.counts } }
  /// Clients that are not read now.
  var pausedCount: Int { all.reduce(0) { $0 + $1.pausedCount } }
  /// Established sessions.
  var connectionCount: Int { all.reduce(0) { $0 + $1.connectionCount } }
  /// Whether a connection is open.
  var hasConnections: Bool { all.contains { $0.hasConnections } }

  /// Calls every gateway, for what is done now and then.
  func forEach(_ body: (any Gateway) -> Void) {
    body(binary)
    if hasOthers { tellOthers(body) }
  }

  private var all: [any Gateway] { [binary] + others }

  private func gateway(_ number: GatewayNumber) -> any Gateway {
    number == .first ? binary : others[Int(number.rawValue) - 1]
  }

  @inline(never) private func tellOthers(_ body: (any Gateway) -> Void) {
    for gateway in others { body(gateway) }
  }
}
