import CEpoll
import Glibc

/// Waits for many sockets at once: epoll, level-triggered. Owned by one thread.
struct Poller: ~Copyable {
  private static let most = 256
  private let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
  private let events: UnsafeMutablePointer<epoll_event>

  init() { events = .allocate(capacity: Self.most) }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  /// Watches a socket for input, and for room to send where asked; it is reported as `index`.
  /// - Parameter isKnown: Whether it was added before.
  func watch(_ socket: Int32, _ index: Int, forSending: Bool = false, isKnown: Bool = false) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | (forSending ? EPOLLOUT.rawValue : 0)
    event.data.u64 = UInt64(index)
    _ = epoll_ctl(descriptor, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event)
  }

  /// Waits until sockets are ready, and names some of them.
  /// - Parameters:
  ///   - nanoseconds: Longest wait; 0: none.
  ///   - body: Gets the index of a socket that is ready.
  func wait<Failure: Error>(
    nanoseconds: UInt64, _ body: (Int) throws(Failure) -> Void
  ) throws(Failure) {
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    let count =
      nanoseconds == 0
      ? epoll_wait(descriptor, events, Int32(Self.most), 0)
      : epoll_pwait2(descriptor, events, Int32(Self.most), &time, nil)
    if count <= 0 { return }
    for index in 0..<Int(count) { try body(Int(events[index].data.u64)) }
  }
}
