// Stage 3: commands on their way to the sequencer.
//
//     gateway ─ take ─▶ [ block, at most 64 ] ─▶ applied together
//         └ when it is full ─▶ [ ring ] ─▲
//     settlement ─ push ───────────▲
//
// A command goes into the block while that is not full and nothing waits in the ring; otherwise into the ring, from
// which an empty block is filled. So no command overtakes another. When the ring is full too, the gateway stops
// reading its sockets.

import MarketModel
import Rings

/// Commands that were taken and not applied yet. Owned by the thread that applies them; other threads push
/// into `ring`.
struct Intake: ~Copyable {
  /// The most commands of a block, which the exchange is shown together.
  static let blockLength = 64

  /// The bounded overflow, and the way in for other threads.
  let ring: ManyProducerRing<Command>
  private let block = UnsafeMutablePointer<Command>.allocate(capacity: blockLength)
  /// Commands in the block, all older than those in the ring.
  private var count = 0
  private var entrance: ManyProducerRing<Command>.Producer
  private var overflow: ManyProducerRing<Command>.Consumer

  /// An empty intake.
  /// - Parameter capacity: Commands that fit the ring; a power of two.
  init(capacity: Int) {
    // Nobody waits for the ring itself: whoever pushes wakes the thread that has the intake.
    ring = ManyProducerRing(capacity: capacity, waiting: .yield)
    entrance = ring.makeProducer()
    overflow = ring.claimConsumer()
  }

  deinit { block.deallocate() }

  /// Whether no command waits.
  var isEmpty: Bool {
    mutating get { count == 0 && overflow.available() == 0 }
  }

  /// Whether the block holds no command; the ring may.
  var isBlockEmpty: Bool { count == 0 }

  /// Whether the block takes no further command until it is applied.
  var isBlockFull: Bool { count == Self.blockLength }

  /// Commands that wait in the ring.
  var waiting: Int {
    mutating get { overflow.available() }
  }

  /// Takes a command, behind all that were taken before.
  /// - Returns: `false` when block and ring are full; nothing was taken.
  mutating func take(_ command: Command) -> Bool {
    guard count < Self.blockLength, overflow.available() == 0 else { return entrance.push(command) }
    (block + count).initialize(to: command)
    count += 1
    return true
  }

  /// The next commands, the oldest first, where they may be stamped: valid until `removeBlock`. An empty block
  /// is filled from the ring before.
  mutating func nextBlock() -> UnsafeMutableBufferPointer<Command> {
    if count == 0 {
      while count < Self.blockLength, let command = overflow.pop() {
        (block + count).initialize(to: command)
        count += 1
      }
    }
    return UnsafeMutableBufferPointer(start: block, count: count)
  }

  /// The block was applied.
  mutating func removeBlock() { count = 0 }
}
