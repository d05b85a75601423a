// Signatures of readings are checked beside the I/O thread, by one thread that sleeps while there are none:
//
//     I/O thread  ──readings──▶  checks one after the other
//                 ◀──verdicts──  wakes the loop
//
// The readings under way are bounded, so the way back has always room.

import GatewayBinary
import GatewayKit
import MarketModel
import Rings
import Synchronization

/// Checks readings for the gateway. Owned by the I/O thread, but for `run`.
final class SignatureVerifier: Service, @unchecked Sendable {
  /// Readings that may be under way.
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
  /// Readings that went in and whose verdicts were not taken.
  private var underWay = 0

  let name = "signatures"

  /// - Parameters:
  ///   - configuration: Of the gateway: how signatures are checked.
  ///   - wake: Wakes the loop.
  init(_ configuration: BinaryGateway.Configuration, wake: @escaping @Sendable () -> Void) {
    (self.configuration, self.wake) = (configuration, wake)
    entrance = readings.claimProducer()
    exit = verdicts.claimConsumer()
  }

  /// Readings that are being checked, or whose verdicts wait for the gateway.
  var count: Int { underWay }

  /// Takes a reading in.
  func check(_ reading: SignedReading) -> ReadingCheck {
    guard underWay < Self.capacity, entrance.push(reading) else { return .full }
    underWay += 1
    return .elsewhere
  }

  /// Tells the gateways what was found, as far as they take it.
  func deliver(to delivery: Delivery) {
    while exit.available() > 0 {
      let verdict = exit[0]
      guard delivery.checked(verdict.reading, isValid: verdict.isValid) else { return }
      exit.advance(by: 1)
      underWay -= 1
    }
  }

  /// Ends the thread; what it has not checked is dropped. Once.
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
