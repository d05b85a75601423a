// Answers three requests over HTTP, on its own thread:
//
//     GET /health    200 while the I/O thread turns; 503 if it has not turned for five seconds
//     GET /ready     200 if commands are accepted, durable within five seconds, and settled;
//                    otherwise 503 with the reasons. Stopped settlement is a reason although
//                    trading continues, because trades no longer reach the ledger until an
//                    operator acts. A ledger that does not respond is no reason, because
//                    settlement catches up by itself: 200, with a line that says so
//     GET /metrics   all metrics, as text
//
// All clients are served together by `poll`, each for at most two seconds, so that none waits for
// another. It has neither TLS nor authentication, so it must listen on a loopback or operations
// network.

import Glibc
import Journaling
import Logging
import Synchronization

/// HTTP server for monitoring. `run` is the body of a thread.
final class HealthServer: Service {
  private static let patienceMilliseconds: Int32 = 200
  /// Maximum number of clients at a time. A further one takes the place of the one that has been
  /// served for the longest.
  private static let mostClients = 16
  private static let stallNanoseconds: UInt64 = 5_000_000_000

  let name = "health"
  /// The port that it listens on.
  let port: UInt16
  private let listener: Int32
  private let metrics: ServerMetrics
  private let page: @Sendable () -> String
  private let time: any TimeSource
  private let isEnding = Atomic<Bool>(false)

  /// Opens the listening socket.
  /// - Parameter page: Returns the text of GET /metrics.
  /// - Throws: if the address cannot be listened on.
  init(
    host: String, port: UInt16, metrics: ServerMetrics, page: @escaping @Sendable () -> String,
    time: any TimeSource = SystemTime()
  ) throws(ConfigurationError) {
    (self.metrics, self.page, self.time) = (metrics, page, time)
    (listener, self.port) = try Self.listen(host, port)
  }

  deinit { close(listener) }

  /// Makes the thread end within 200 ms.
  func end() { isEnding.store(true, ordering: .relaxed) }

  func run() {
    var clients: [HealthClient] = []
    while !isEnding.load(ordering: .relaxed) {
      var waiting = clients.map(\.event) + [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
      guard poll(&waiting, nfds_t(waiting.count), Self.patienceMilliseconds) >= 0 else { continue }
      for index in clients.indices where waiting[index].revents != 0 {
        clients[index].proceed { self.response(to: $0) }
      }
      let now = SystemTime().steady
      clients.removeAll { client in
        if !client.isOver && now < client.deadline { return false }
        close(client.descriptor)
        return true
      }
      if waiting[waiting.count - 1].revents != 0 { accept(&clients, now) }
    }
    for client in clients { close(client.descriptor) }
  }

  private func accept(_ clients: inout [HealthClient], _ now: UInt64) {
    let descriptor = Glibc.accept(listener, nil, nil)
    guard descriptor >= 0 else {
      // The connection stays queued, for example because no descriptor is free. The sleep avoids a
      // busy loop.
      usleep(useconds_t(Self.patienceMilliseconds) * 1_000)
      return
    }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    if clients.count == Self.mostClients { close(clients.removeFirst().descriptor) }
    clients.append(HealthClient(descriptor, now: now))
  }

  /// The response to the first line of a request; `nil` if it is not a GET request.
  private func response(to line: String) -> String? {
    let words = line.split(separator: " ")
    guard words.count >= 2, words[0] == "GET" else { return nil }
    let (status, text) = answer(to: words[1])
    return "HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\n"
      + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n" + text
  }

  /// Status line and body of the response to a path.
  func answer(to path: Substring) -> (status: String, text: String) {
    let (sample, steady) = (metrics.sample, time.steady)
    switch path {
    case "/health":
      return Self.isTurning(sample, steady)
        ? ("200 OK", "alive\n") : ("503 Service Unavailable", "it does not turn\n")
    case "/ready": return Self.readiness(sample, at: steady)
    case "/metrics": return ("200 OK", page())
    default: return ("404 Not Found", "/health, /ready, /metrics\n")
    }
  }

  /// Status line and body of GET /ready.
  /// - Parameter steady: Present time, ns of the steady clock.
  static func readiness(
    _ sample: ServerMetrics.Sample, at steady: UInt64
  ) -> (status: String, text: String) {
    let reasons = reasons(sample, steady)
    let waits = sample.settlementIsWaiting ? "settlement waits for the ledger\n" : ""
    return reasons.isEmpty
      ? ("200 OK", "ready\n" + waits + refused(sample))
      : ("503 Service Unavailable", reasons.joined(separator: "\n") + "\n")
  }

  private static func isTurning(_ sample: ServerMetrics.Sample, _ steady: UInt64) -> Bool {
    steady < sample.taken + stallNanoseconds
  }

  /// The reasons why the server is not ready; empty if it is.
  private static func reasons(_ sample: ServerMetrics.Sample, _ steady: UInt64) -> [String] {
    var reasons: [String] = []
    if !isTurning(sample, steady) { reasons.append("it does not turn") }
    let wait = sample.durabilityWait(at: steady)
    if wait >= stallNanoseconds {
      let seconds = wait / 1_000_000_000
      reasons.append(
        "the journal's disk does not answer: commands have waited for it for \(seconds) s")
    }
    if !sample.isServing { reasons.append("it drains") }
    if sample.headroom != .ample {
      let isFull = sample.obstacle?.isFull ?? true
      reasons.append(isFull ? "the journal's disk is full" : "the journal has no next segment")
    }
    if sample.settlementHasStopped {
      reasons.append("settlement has stopped, trading goes on: the log says why (ALARM)")
    }
    return reasons
  }

  /// Lines about commands that were refused; these do not make a server unready.
  private static func refused(_ sample: ServerMetrics.Sample) -> String {
    switch sample.refused {
    case 0: ""
    case 1: "1 command of the journal is refused\n"
    default: "\(sample.refused) commands of the journal are refused\n"
    }
  }

  private static func listen(
    _ host: String, _ port: UInt16
  ) throws(ConfigurationError) -> (Int32, UInt16) {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_PASSIVE
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else {
      throw ConfigurationError("health: \(host) is no address")
    }
    defer { freeaddrinfo(found) }
    let descriptor = socket(
      found.pointee.ai_family, found.pointee.ai_socktype | O_CLOEXEC | O_NONBLOCK, 0)
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var bound = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isBound =
      descriptor >= 0 && bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0
      && Glibc.listen(descriptor, 16) == 0
      && withUnsafeMutablePointer(to: &bound) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          getsockname(descriptor, $0, &length) == 0
        }
      }
    guard isBound else {
      let reason = String(cString: strerror(errno))
      if descriptor >= 0 { close(descriptor) }
      throw ConfigurationError("health: cannot listen on \(host):\(port): \(reason)")
    }
    return (descriptor, portNumber(of: bound))
  }

  /// `sin_port` and `sin6_port` are at the same offset, so one read serves both families.
  private static func portNumber(of address: sockaddr_storage) -> UInt16 {
    withUnsafeBytes(of: address) {
      UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
  }
}
