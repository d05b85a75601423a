/// A short list of connection slots in plain memory; iterating it counts no references. The owner
/// calls `end`.
struct SlotList: BitwiseCopyable {
  private var memory: UnsafeMutablePointer<Int32>?
  /// Number of slots.
  private(set) var count = 0
  private var capacity = 0

  /// Creates an empty list.
  init() {}

  /// Frees the memory.
  func end() { memory?.deallocate() }

  /// The slot at a position.
  subscript(place: Int) -> Int {
    guard let memory, place < count else { preconditionFailure("the caller looks at `count`") }
    return Int(memory[place])
  }

  /// Appends a slot.
  mutating func append(_ slot: Int) {
    if count == capacity { grow() }
    guard let memory else { preconditionFailure("it has grown") }
    memory[count] = Int32(slot)
    count += 1
  }

  /// Removes a slot; those after it move up.
  mutating func remove(_ slot: Int) {
    let slots = UnsafeMutableBufferPointer(start: memory, count: count)
    guard let place = slots.firstIndex(of: Int32(slot)) else { return }
    for later in (place + 1)..<count { slots[later - 1] = slots[later] }
    count -= 1
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Int32>.allocate(capacity: max(4, capacity * 2))
    if let memory { larger.moveInitialize(from: memory, count: count) }
    memory?.deallocate()
    (memory, capacity) = (larger, max(4, capacity * 2))
  }
}
