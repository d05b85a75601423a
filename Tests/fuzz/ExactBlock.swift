/// A heap block of exactly so many bytes: the address sanitizer sees every step beyond it.
struct ExactBlock: ~Copyable {
  let memory: UnsafeMutableRawBufferPointer

  /// A block of bytes that nobody has written.
  init(_ count: Int) { memory = .allocate(byteCount: count, alignment: 1) }

  /// A copy.
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

/// Ends the process, which libFuzzer reports with the input.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}
