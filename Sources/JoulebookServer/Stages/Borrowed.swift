/// A reference that is used without being counted: what it refers to outlives whoever has it. For what is called in
/// every turn or for every command, where a count is an atomic write.
struct Borrowed<Object: AnyObject> {
  private let object: Unmanaged<Object>

  /// - Parameter object: Is kept by somebody else as long as this is used.
  init(_ object: Object) { self.object = .passUnretained(object) }

  /// Uses it.
  @inline(__always) func callAsFunction<Answer>(_ body: (Object) -> Answer) -> Answer {
    object._withUnsafeGuaranteedRef(body)
  }
}
