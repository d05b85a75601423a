import CLibuv
import Synchronization

/// Wakes a transport's loop from any thread, for example when the journal has made a batch durable.
/// Several wakes before the next turn are merged into one `woken()`.
public final class WakeHandle: Sendable {
  /// `nil` after the loop has ended. The lock makes a wake that races with the end of the loop
  /// harmless.
  private let handle: Mutex<Address?>

  private struct Address: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<uv_async_t>
  }

  init(_ pointer: UnsafeMutablePointer<uv_async_t>) {
    handle = Mutex(Address(pointer: pointer))
  }

  /// Makes the loop call `woken()` soon. Any thread; has no effect after the transport has ended.
  public func wake() {
    handle.withLock { address in
      if let address { uv_async_send(address.pointer) }
    }
  }

  /// Called by the loop's thread before it closes the handle.
  func disconnect() {
    handle.withLock { $0 = nil }
  }
}
