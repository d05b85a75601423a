// Stage 3: commands on their way to the sequencer.
//
//     gateway ─ take ─▶ [ block, at most 64 ] ─▶ applied together
//         └ when it is full ─▶ [ ring ] ─▲
//     settlement ─ push ───────────▲
//
// A command enters the block if the block has space and the ring is empty, otherwise the ring; an
// empty block is refilled from the ring. So commands keep their order. If the ring is full too, the
// gateway stops reading its sockets (backpressure).

import MarketModel
import Rings

/// Accepted commands that are not yet applied. Owned by the thread that applies them; other threads
/// push into `ring`.
struct Intake: ~Copyable {
  /// Maximum number of commands in a block; the exchange prefetches for a whole block.
  static let blockLength = 64

  /// Bounded overflow queue, and the entrance for other threads.
  let ring: ManyProducerRing<Command>
  private let block = UnsafeMutablePointer<Command>.allocate(capacity: blockLength)
  /// Number of commands in the block; all of them are older than those in the ring.
  private var count = 0
  private var entrance: ManyProducerRing<Command>.Producer
  private var overflow: ManyProducerRing<Command>.Consumer

  /// Creates an empty intake.
  /// - Parameter capacity: Capacity of the ring in commands; a power of two.
  init(capacity: Int) {
    // No thread blocks on the ring: a producer wakes the thread that owns the intake.
    ring = ManyProducerRing(capacity: capacity, waiting: .yield)
    entrance = ring.makeProducer()
    overflow = ring.claimConsumer()
  }

  deinit { block.deallocate() }

  /// Whether no command is queued.
  var isEmpty: Bool {
    mutating get { count == 0 && overflow.available() == 0 }
  }

  /// Whether the block is empty; the ring may not be.
  var isBlockEmpty: Bool { count == 0 }

  /// Whether the block is full until it is applied.
  var isBlockFull: Bool { count == Self.blockLength }

  /// Number of commands in the ring.
  var waiting: Int {
    mutating get { overflow.available() }
  }

  /// Accepts a command, after all accepted before it.
  /// - Returns: `false` if block and ring are full; the command was not accepted.
  mutating func take(_ command: Command) -> Bool {
    guard count < Self.blockLength, overflow.available() == 0 else { return entrance.push(command) }
    (block + count).initialize(to: command)
    count += 1
    return true
  }

  /// The oldest commands, in place, so that they can be stamped; valid until `removeBlock`. An
  /// empty block is first refilled from the ring.
  mutating func nextBlock() -> UnsafeMutableBufferPointer<Command> {
    if count == 0 {
      while count < Self.blockLength, let command = overflow.pop() {
        (block + count).initialize(to: command)
        count += 1
      }
    }
    return UnsafeMutableBufferPointer(start: block, count: count)
  }

  /// Empties the block after its commands were applied.
  mutating func removeBlock() { count = 0 }
}
