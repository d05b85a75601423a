// The upper bound of a libuv server: an echo server. Its client keeps a window of unanswered messages of 64 bytes
// on each of many connections, as `load` does with orders.

import CNet
import Glibc

final class UvEcho: @unchecked Sendable {
  private static let message = 64

  private let loop = UnsafeMutablePointer<uv_loop_t>.allocate(capacity: 1)
  private let buffer = UnsafeMutableRawPointer.allocate(byteCount: 256 << 10, alignment: 4_096)
  private let stop = UnsafeMutablePointer<uv_async_t>.allocate(capacity: 1)

  /// Echoed messages per second.
  static func run(connections: Int, outstanding: Int, milliseconds: UInt64) -> Double {
    let pairs = (0..<connections).map { _ in connectedPair() }
    let echo = UvEcho(pairs.map(\.server))
    let worker = Worker { echo.serve() }
    let clients = pairs.map(\.client)
    for client in clients { setNonBlocking(client) }
    let poller = epoll_create1(0)
    for (index, client) in clients.enumerated() {
      var event = epoll_event()
      event.events = EPOLLIN.rawValue
      event.data.u64 = UInt64(index)
      epoll_ctl(poller, EPOLL_CTL_ADD, client, &event)
    }
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 64)
    bytes.initializeMemory(as: UInt8.self, repeating: 7, count: 1 << 20)
    for client in clients { _ = write(client, bytes, outstanding * message) }
    let start = now()
    let end = start + milliseconds * 1_000_000
    var received = 0
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    while now() < end {
      let count = epoll_wait(poller, &events, 256, 100)
      for index in 0..<max(0, Int(count)) {
        let client = clients[Int(events[index].data.u64)]
        let read = Glibc.read(client, bytes, 1 << 20)
        if read <= 0 { continue }
        received += read
        _ = write(client, bytes, read)
      }
    }
    let rate = Double(received / message) * 1e9 / Double(now() - start)
    uv_async_send(echo.stop)
    worker.join()
    for client in clients { close(client) }
    close(poller)
    bytes.deallocate()
    return rate
  }

  private init(_ sockets: [Int32]) {
    uv_loop_init(loop)
    let context = Unmanaged.passUnretained(self).toOpaque()
    uv_async_init(loop, stop, { handle in uv_stop(handle?.pointee.loop) })
    for socket in sockets {
      let tcp = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
      uv_tcp_init(loop, tcp)
      uv_tcp_open(tcp, socket)
      tcp.pointee.data = context
      uv_read_start(
        Self.stream(tcp),
        { handle, _, buffer in
          guard let context = handle?.pointee.data else { return }
          let echo = Unmanaged<UvEcho>.fromOpaque(context).takeUnretainedValue()
          buffer?.pointee.base = echo.buffer.assumingMemoryBound(to: CChar.self)
          buffer?.pointee.len = 256 << 10
        },
        { stream, count, buffer in
          guard count > 0, let buffer else { return }
          var piece = uv_buf_init(buffer.pointee.base, UInt32(count))
          // The windows are much smaller than a socket's buffer, so each write is complete.
          uv_try_write(stream, &piece, 1)
        })
    }
  }

  private static func stream(
    _ tcp: UnsafeMutablePointer<uv_tcp_t>
  ) -> UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(tcp).assumingMemoryBound(to: uv_stream_t.self)
  }

  private func serve() { uv_run(loop, UV_RUN_DEFAULT) }
}
