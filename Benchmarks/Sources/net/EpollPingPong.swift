// The lower bound of a round trip: two threads on one connection send 64 bytes and answer with 80 (an order and
// its acceptance), with only epoll, read and write on both sides.

import CNet
import Glibc
import Histogram

enum EpollPingPong {
  private static let (request, reply) = (64, 80)

  /// Measures round trips for `milliseconds`, with both sides polling or both sleeping.
  static func run(spinning: Bool, milliseconds: UInt64) -> Histogram<UInt32> {
    let pair = connectedPair()
    setNonBlocking(pair.client)
    setNonBlocking(pair.server)
    let worker = Worker { answer(pair.server, spinning) }
    let end = now() + milliseconds * 1_000_000
    let warm = now() + milliseconds * 100_000
    var latency = Histogram<UInt32>(highestTrackableValue: 60_000_000_000)
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 64)
    buffer.initializeMemory(as: UInt8.self, repeating: 7, count: 128)
    let poller = watch(pair.client)
    while true {
      let start = now()
      if start >= end { break }
      _ = write(pair.client, buffer, request)
      guard receive(poller, pair.client, buffer, reply, spinning) else { break }
      if start >= warm { latency.record(now() - start) }
    }
    shutdown(pair.client, Int32(SHUT_RDWR))
    worker.join()
    for descriptor in [pair.client, pair.server, poller] { close(descriptor) }
    return latency
  }

  private static func answer(_ socket: Int32, _ spinning: Bool) {
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 64)
    defer { buffer.deallocate() }
    buffer.initializeMemory(as: UInt8.self, repeating: 7, count: 128)
    let poller = watch(socket)
    while receive(poller, socket, buffer, request, spinning) { _ = write(socket, buffer, reply) }
    close(poller)
  }

  private static func watch(_ socket: Int32) -> Int32 {
    let poller = epoll_create1(0)
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event)
    return poller
  }

  /// - Returns: `false` when the other side has closed the connection.
  private static func receive(
    _ poller: Int32, _ socket: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int,
    _ spinning: Bool
  ) -> Bool {
    var event = epoll_event()
    var got = 0
    while got < count {
      while epoll_wait(poller, &event, 1, spinning ? 0 : -1) == 0 {}
      let read = Glibc.read(socket, buffer + got, 128)
      if read > 0 { got += read } else if read == 0 || errno != EAGAIN { return false }
    }
    return true
  }
}
