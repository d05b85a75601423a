// What a participant does wrong is a reject, what the world does wrong is thrown, what a caller does wrong is
// a precondition. This is for the rest: we are wrong. What is stated here follows from our own code alone,
// whatever participants send and disks do. It stays in release builds: a process that ends is started again
// from its journal; one that goes on with a wrong state is believed.

/// States what must hold here. When it does not, the process ends and says where.
///
/// Nothing is evaluated in a build with `-Xswiftc -DWITHOUT_INVARIANTS`, which exists to measure what the
/// statements cost.
/// - Parameter condition: Cheap: constant, without a call to the system. On an order's way: of values that
///   are at hand, with one sign for several (`a | b >= 0`) and no `||` that the order's side decides, for
///   that is a branch guessed wrong; and never of a row before its first write, for memory that is read
///   first does not come in huge pages.
@inlinable @inline(__always)
public func invariant(
  _ condition: @autoclosure () -> Bool, _ meaning: StaticString, file: StaticString = #fileID,
  line: UInt = #line
) {
  #if !WITHOUT_INVARIANTS
    if !condition() { invariantFailed(meaning, file, line) }
  #endif
}

/// Apart, so that what is stated costs its comparison and no more room in the code around it.
@usableFromInline @inline(never)
func invariantFailed(_ meaning: StaticString, _ file: StaticString, _ line: UInt) -> Never {
  fatalError("invariant violated: \(meaning)", file: file, line: line)
}
