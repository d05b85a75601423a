// Verifies the signatures of meter readings on one thread, which sleeps while there are none:
//
//     I/O thread  ──readings──▶  verifies one after the other
//                 ◀──verdicts──  wakes the loop
//
// The number of readings in flight is bounded by the capacity of the second ring, so a verdict
// always fits.

import GatewayBinary
import GatewayKit
import MarketModel
import Rings
import Synchronization

/// Verifies meter readings for the gateways. Used by the I/O thread, except `run`.
final class SignatureVerifier: Service, @unchecked Sendable {
  /// Maximum number of readings in flight.
  private static let capacity = 1 << 10

  private struct Verdict: BitwiseCopyable {
    var reading: SignedReading
    var isValid: Bool
  }

  private let readings = SingleProducerRing<SignedReading>(capacity: capacity)
  private let verdicts = SingleProducerRing<Verdict>(capacity: capacity, waiting: .yield)
  private var entrance: SingleProducerRing<SignedReading>.Producer
  private var exit: SingleProducerRing<Verdict>.Consumer
  private let configuration: BinaryGateway.Configuration
  private let wake: @Sendable () -> Void
  private let isEnding = Atomic<Bool>(false)
  /// Readings submitted whose verdicts were not yet taken.
  private var underWay = 0

  let name = "signatures"

  /// - Parameters:
  ///   - configuration: Configuration of the gateway, which contains the verification function.
  ///   - wake: Wakes the event loop.
  init(_ configuration: BinaryGateway.Configuration, wake: @escaping @Sendable () -> Void) {
    (self.configuration, self.wake) = (configuration, wake)
    entrance = readings.claimProducer()
    exit = verdicts.claimConsumer()
  }

  /// Number of readings being verified or whose verdicts wait for a gateway.
  var count: Int { underWay }

  /// Submits a reading for verification, if there is capacity.
  func check(_ reading: SignedReading) -> ReadingCheck {
    guard underWay < Self.capacity, entrance.push(reading) else { return .full }
    underWay += 1
    return .elsewhere
  }

  /// Passes verdicts to the gateways, until one has no capacity for it.
  func deliver(to delivery: Delivery) {
    while exit.available() > 0 {
      let verdict = exit[0]
      guard delivery.checked(verdict.reading, isValid: verdict.isValid) else { return }
      exit.advance(by: 1)
      underWay -= 1
    }
  }

  /// Ends the thread; unverified readings are dropped. Called once.
  func end() {
    isEnding.store(true, ordering: .relaxed)
    readings.close()
  }

  func run() {
    let checker = ReadingChecker(configuration)
    var readings = readings.claimConsumer()
    var verdicts = verdicts.claimProducer()
    while readings.wait() > 0 {
      while let reading = readings.pop() {
        if isEnding.load(ordering: .relaxed) { return }
        let hasRoom = verdicts.push(Verdict(reading: reading, isValid: checker.isValid(reading)))
        assert(hasRoom, "no more are under way than fit")
        wake()
      }
    }
  }
}
