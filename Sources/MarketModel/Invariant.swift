// Invariants: conditions that follow from this code alone, whatever participants send and disks do.
// (An error of a participant gives a reject, a failure of the environment is thrown, and an error
// of a caller violates a precondition.) They stay in release builds: a process that ends restarts
// from its journal, whereas one that continues with a wrong state publishes wrong results.

/// Ends the process with `meaning` and the source location when `condition` is false.
///
/// A build with `-Xswiftc -DWITHOUT_INVARIANTS` evaluates no invariant; it exists to measure their
/// cost.
/// - Parameters:
///   - condition: Must be cheap: constant time, without system calls. On the path of an order, use
///     values that are already in registers, combine checks as `a | b >= 0`, and avoid `||` whose
///     result depends on the order's side, since that branch is mispredicted. Do not read a row
///     before its first write, because that prevents huge pages.
///   - meaning: The condition as a statement.
///   - file: Where it is checked.
///   - line: Its line there.
@inlinable @inline(__always)
public func invariant(
  _ condition: @autoclosure () -> Bool, _ meaning: StaticString, file: StaticString = #fileID,
  line: UInt = #line
) {
  #if !WITHOUT_INVARIANTS
    if !condition() { invariantFailed(meaning, file, line) }
  #endif
}

/// Ends the process. A separate function keeps the code around an invariant small.
@usableFromInline @inline(never)
func invariantFailed(_ meaning: StaticString, _ file: StaticString, _ line: UInt) -> Never {
  fatalError("invariant violated: \(meaning)", file: file, line: line)
}
