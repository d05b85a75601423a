/// A few connection slots in plain memory: looking through them counts no references. Its owner ends it.
struct SlotList: BitwiseCopyable {
  private var memory: UnsafeMutablePointer<Int32>?
  /// How many there are.
  private(set) var count = 0
  private var capacity = 0

  /// No slots.
  init() {}

  /// Gives the memory back.
  func end() { memory?.deallocate() }

  /// A slot, in the order in which they came.
  subscript(place: Int) -> Int {
    guard let memory, place < count else { preconditionFailure("the caller looks at `count`") }
    return Int(memory[place])
  }

  /// One more.
  mutating func append(_ slot: Int) {
    if count == capacity { grow() }
    guard let memory else { preconditionFailure("it has grown") }
    memory[count] = Int32(slot)
    count += 1
  }

  /// One less; those behind it move up.
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
