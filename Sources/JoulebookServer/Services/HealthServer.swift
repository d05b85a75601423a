// Answers three questions over HTTP, one connection at a time, on a thread of its own:
//
//     GET /health    200 while the I/O thread turns, 503 when it has not for five seconds
//     GET /ready     200 when commands are taken in, made durable within five seconds, and settled; 503 and the
//                    reason otherwise. Settlement
//                    that has stopped is such a reason though trading goes on: what is traded reaches no
//                    ledger until a person has looked. While it waits for a ledger that does not answer it
//                    catches up by itself: 200, and a line that says so
//     GET /metrics   the numbers, as text
//
// Not for the public: it has no TLS and no names. Listen on a loopback or an operators' network.

import Glibc
import Journaling
import Logging
import Synchronization

/// The little server for operators' tools. `run` is the body of a thread.
final class HealthServer: Service {
  private static let patienceMilliseconds: Int32 = 200
  private static let longestRequest = 2_048
  private static let stallNanoseconds: UInt64 = 5_000_000_000

  let name = "health"
  /// Where it listens.
  let port: UInt16
  private let listener: Int32
  private let metrics: ServerMetrics
  private let page: @Sendable () -> String
  private let time: any TimeSource
  private let isEnding = Atomic<Bool>(false)

  /// Listens.
  /// - Parameter page: What /metrics shows.
  /// - Throws: when the address cannot be listened on.
  init(
    host: String, port: UInt16, metrics: ServerMetrics, page: @escaping @Sendable () -> String,
    time: any TimeSource = SystemTime()
  ) throws(ConfigurationError) {
    (self.metrics, self.page, self.time) = (metrics, page, time)
    (listener, self.port) = try Self.listen(host, port)
  }

  deinit { close(listener) }

  /// Ends the thread, within a fifth of a second.
  func end() { isEnding.store(true, ordering: .relaxed) }

  func run() {
    while !isEnding.load(ordering: .relaxed) {
      var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, Self.patienceMilliseconds) > 0 else { continue }
      let client = accept(listener, nil, nil)
      guard client >= 0 else {
        // It still waits, for a descriptor for instance: asking again at once would keep a core busy.
        usleep(useconds_t(Self.patienceMilliseconds) * 1_000)
        continue
      }
      answer(client)
      close(client)
    }
  }

  /// What a path is answered with: status and text.
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

  /// What /ready is answered with.
  /// - Parameter steady: Now, ns of the steady clock.
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

  /// Why it is not ready; empty: it is.
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

  /// What a market that is ready goes on without.
  private static func refused(_ sample: ServerMetrics.Sample) -> String {
    switch sample.refused {
    case 0: ""
    case 1: "1 command of the journal is refused\n"
    default: "\(sample.refused) commands of the journal are refused\n"
    }
  }

  private func answer(_ client: Int32) {
    var patience = timeval(tv_sec: 1, tv_usec: 0)
    let length = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, length)
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &patience, length)
    var request = [UInt8](repeating: 0, count: Self.longestRequest)
    var used = 0
    while used < request.count {
      let count = request.withUnsafeMutableBytes {
        recv(client, $0.baseAddress.map { $0 + used }, $0.count - used, 0)
      }
      if count <= 0 { return }
      used += count
      if request[..<used].contains(10) { break }
    }
    let line = String(decoding: request[..<used].prefix { $0 != 13 && $0 != 10 }, as: UTF8.self)
    let words = line.split(separator: " ")
    guard words.count >= 2, words[0] == "GET" else { return }
    let (status, text) = answer(to: words[1])
    send(
      "HTTP/1.1 \(status)\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + "Content-Length: \(text.utf8.count)\r\nConnection: close\r\n\r\n" + text, client)
  }

  private func send(_ text: String, _ client: Int32) {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          client, $0.baseAddress.map { $0 + done }, $0.count - done, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      done += count
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
    let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | O_CLOEXEC, 0)
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

  /// The port stands at the same place for both families.
  private static func portNumber(of address: sockaddr_storage) -> UInt16 {
    withUnsafeBytes(of: address) {
      UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
  }
}
