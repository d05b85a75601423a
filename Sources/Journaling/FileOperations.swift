import Glibc

/// The two calls whose failure ends a server, exchangeable so that tests can make each of them fail.
/// Everything else goes to the operating system directly.
public struct FileOperations: Sendable {
  /// `pwrite(descriptor, bytes, count, offset)`: bytes written, or -1 with `errno` set.
  package var write: @Sendable (Int32, UnsafeRawPointer, Int, Int) -> Int
  /// `fdatasync(descriptor)`: 0, or -1 with `errno` set.
  package var sync: @Sendable (Int32) -> Int32

  /// The operating system's.
  public static let system = FileOperations(
    write: { pwrite($0, $1, $2, off_t($3)) },
    sync: { fdatasync($0) })
}
