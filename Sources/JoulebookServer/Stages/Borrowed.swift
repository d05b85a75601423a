/// An unretained reference to an object that is known to outlive its user. It is used on every turn
/// or for every command, where reference counting would cost an atomic write.
struct Borrowed<Object: AnyObject> {
  private let object: Unmanaged<Object>

  /// - Parameter object: Another owner keeps it alive for as long as this reference is used.
  init(_ object: Object) { self.object = .passUnretained(object) }

  /// Calls `body` with the object.
  @inline(__always) func callAsFunction<Answer>(_ body: (Object) -> Answer) -> Answer {
    object._withUnsafeGuaranteedRef(body)
  }
}
