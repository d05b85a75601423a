import CEpoll
import Glibc

/// Waits for many sockets with epoll, level-triggered. Owned by one thread.
struct Poller: ~Copyable {
  private static let most = 256
  private let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
  private let events: UnsafeMutablePointer<epoll_event>

  init() { events = .allocate(capacity: Self.most) }

  deinit {
    close(descriptor)
    events.deallocate()
  }

  /// Watches a socket for input.
  /// - Parameters:
  ///   - index: Reported by `wait` when the socket is ready.
  ///   - forSending: Whether to report also when the socket is writable.
  ///   - isKnown: Whether the socket is watched already.
  func watch(_ socket: Int32, _ index: Int, forSending: Bool = false, isKnown: Bool = false) {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue | (forSending ? EPOLLOUT.rawValue : 0)
    event.data.u64 = UInt64(index)
    _ = epoll_ctl(descriptor, isKnown ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event)
  }

  /// Waits until at least one socket is ready or the time is up.
  /// - Parameters:
  ///   - nanoseconds: Longest wait in ns; 0 returns at once.
  ///   - body: Called with the index of each ready socket, at most 256 per call.
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
