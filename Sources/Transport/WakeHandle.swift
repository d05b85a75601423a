import CLibuv
import Synchronization

/// Wakes a transport's loop from any thread: the journal when a batch is durable, the settler when it
/// has a command. Many wakes before the loop's turn become one `woken()`.
public final class WakeHandle: Sendable {
  /// Null once the loop is gone. The lock makes a wake that races with the end of the loop harmless.
  private let handle: Mutex<Address?>

  private struct Address: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<uv_async_t>
  }

  init(_ pointer: UnsafeMutablePointer<uv_async_t>) {
    handle = Mutex(Address(pointer: pointer))
  }

  /// Makes the loop call `woken()` soon. Any thread; does nothing once the transport is gone.
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
