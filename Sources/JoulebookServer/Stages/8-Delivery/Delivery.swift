// Stage 8: durable events go to the gateways.
//
//     outbox ─▶ event ─▶ DurableView (reference data, report numbers, market data), once for all
//                             └─▶ binary gateway ─▶ other gateways ─▶ clients
//
// Recovery replays the journal through this stage too, so that after a start the gateways know as
// much as if they had never stopped. Settlement does not read here: it follows the journal on disk.

import GatewayBinary
import GatewayKit
import MarketModel
import Transport

/// Distributes durable events to all gateways. Owned by the I/O thread.
final class Delivery {
  /// State that all gateways share.
  let view: DurableView
  /// The gateway that every server has; it is called directly, without dynamic dispatch.
  let binary: BinaryGateway
  /// The additional gateways; the first has number 1.
  let others: [any Gateway & ConnectionHandler]
  private let hasOthers: Bool
  private var isBetweenCommands = true

  /// - Parameter others: The additional gateways in the order of their numbers.
  init(_ view: DurableView, _ binary: BinaryGateway, _ others: [any Gateway & ConnectionHandler]) {
    (self.view, self.binary, self.others) = (view, binary, others)
    hasOthers = !others.isEmpty
  }

  /// Prefetches the memory that an event will change.
  @inline(__always) func anticipate(_ event: UnsafePointer<Event>) { view.anticipate(event) }

  /// Delivers an event of the command `sequence`. The pointer is valid during the call. The events
  /// of a command come consecutively, in order, and are followed by `endCommand`.
  @inline(__always)
  func deliver(_ event: UnsafePointer<Event>, of sequence: SequenceNumber, _ time: Timestamp) {
    if isBetweenCommands {
      isBetweenCommands = false
      binary.begin(sequence)
      if hasOthers { forOthers { $0.begin(sequence) } }
    }
    let reports = view.take(event, at: time)
    binary.deliver(event, reports, time)
    if hasOthers { forOthers { $0.deliver(event, reports, time) } }
  }

  /// Ends the current command, whose time is `time`.
  @inline(__always) func endCommand(_ time: Timestamp) {
    isBetweenCommands = true
    let messages = view.endCommand(at: time)
    if messages.count > 0 { binary.endCommand(messages, time) }
    if hasOthers { forOthers { $0.endCommand(messages, time) } }
  }

  /// Reports that every command up to `sequence` is durable and all its events were delivered.
  func delivered(through sequence: SequenceNumber) {
    binary.delivered(through: sequence)
    if hasOthers { forOthers { $0.delivered(through: sequence) } }
  }

  /// Takes the work of commands that took long from the budgets of their senders.
  func charge(_ commands: [(session: SessionId, units: Int64)]) {
    for command in commands { binary.charge(command.session, command.units) }
  }

  /// Passes the result of a signature check to the gateway that received the reading.
  func checked(_ reading: SignedReading, isValid: Bool) -> Bool {
    gateway(reading.gateway).checked(reading, isValid: isValid)
  }

  /// Passes the answer of a retransmission query to the gateway that asked.
  func retransmit(_ query: RetransmitQuery, _ reports: [PastReport]?) {
    gateway(query.gateway).retransmit(query, reports)
  }

  /// Passes the answer of a request for trades to the gateway that asked.
  func trades(_ request: TradesRequest, _ answer: TradesAnswer) {
    gateway(request.gateway).trades(request, answer)
  }

  /// Activity counters, summed over all gateways.
  var counts: GatewayCounts { all.reduce(into: GatewayCounts()) { $0 += $1.counts } }
  /// Number of clients whose sockets are not read now (backpressure).
  var pausedCount: Int { all.reduce(0) { $0 + $1.pausedCount } }
  /// Number of established sessions.
  var connectionCount: Int { all.reduce(0) { $0 + $1.connectionCount } }
  /// Whether any connection is open.
  var hasConnections: Bool { all.contains { $0.hasConnections } }

  /// Calls `body` for every gateway, for work that is not per command.
  func forEach(_ body: (any Gateway) -> Void) {
    body(binary)
    if hasOthers { forOthers(body) }
  }

  private var all: [any Gateway] { [binary] + others }

  private func gateway(_ number: GatewayNumber) -> any Gateway {
    number == .first ? binary : others[Int(number.rawValue) - 1]
  }

  @inline(never) private func forOthers(_ body: (any Gateway) -> Void) {
    for gateway in others { body(gateway) }
  }
}
