/// A heap block of exactly the bytes' size: the address sanitizer sees every step beyond it.
struct ExactCopy: ~Copyable {
  let bytes: UnsafeRawBufferPointer
  private let memory: UnsafeMutableRawBufferPointer

  init(_ source: some Collection<UInt8>) {
    memory = .allocate(byteCount: source.count, alignment: 1)
    memory.copyBytes(from: source)
    bytes = UnsafeRawBufferPointer(memory)
  }

  deinit { memory.deallocate() }
}

/// Ends the process, which libFuzzer reports with the input.
func require(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}
