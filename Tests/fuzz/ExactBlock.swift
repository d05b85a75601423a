/// A heap block of an exact length, so that the address sanitizer detects every access beyond it.
struct ExactBlock: ~Copyable {
  let memory: UnsafeMutableRawBufferPointer

  /// A block of uninitialised bytes.
  init(_ count: Int) { memory = .allocate(byteCount: count, alignment: 1) }

  /// A copy of bytes.
  init(_ source: UnsafeRawBufferPointer) {
    self.init(source.count)
    memory.copyMemory(from: source)
  }

  deinit { memory.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

  /// Overwrites the integer at `offset`.
  func set<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    memory.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }
}

/// Ends the process if a condition does not hold; libFuzzer then reports the input.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}
