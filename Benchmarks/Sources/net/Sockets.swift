// Plain sockets on loopback for the reference measurements.

import CNet
import Glibc

/// A connected pair of TCP sockets on loopback.
func connectedPair() -> (client: Int32, server: Int32) {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  let result = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
      Glibc.bind(listener, address, length) | Glibc.listen(listener, 1)
        | getsockname(listener, address, &length) | Glibc.connect(client, address, length)
    }
  }
  precondition(result == 0, "no sockets on loopback (errno \(errno))")
  let server = accept(listener, nil, nil)
  close(listener)
  for descriptor in [client, server] { setNoDelay(descriptor) }
  return (client, server)
}

func setNoDelay(_ descriptor: Int32) {
  var on: Int32 = 1
  setsockopt(
    descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
}

func setNonBlocking(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

/// Monotonic time in nanoseconds.
func now() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Runs `body` on a thread that can be joined.
final class Worker: @unchecked Sendable {
  private var thread = pthread_t()
  private let body: () -> Void

  init(_ body: @escaping () -> Void) {
    self.body = body
    pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Worker>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
  }

  func join() { pthread_join(thread, nil) }
}
