import ArgumentParser
import Foundation
import JoulebookClient
import JoulebookServer
import Synchronization
import TLS

/// `joulebook wait`.
struct Wait: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Waits until an exchange answers.",
    discussion: """
      Tries to connect every 50 ms and ends with exit code 0 as soon as an exchange answers, \
      without printing anything. No key is needed: the request names no session, and its reject is \
      an answer. With an http address it waits until the health server answers /ready with status \
      200.

        joulebook serve --data my-exchange &
        joulebook wait 127.0.0.1:9100
        joulebook wait http://127.0.0.1:9101/ready --timeout 5

      Exit codes: 0 an exchange answered; 75 none did in time; 64 the address is malformed; 66 the \
      file of --tls-authorities cannot be used.
      """)

  @Argument(help: "ADDRESS:PORT of a server, or http://ADDRESS:PORT of its health server.")
  var address = "127.0.0.1:9100"
  @Option(name: .long, help: "Longest wait, such as 30 (seconds), 2m or 500ms.")
  var timeout = Span(milliseconds: 30_000)
  @OptionGroup var security: TLSOptions

  func validate() throws { _ = try target() }

  func run() throws {
    let target = try target()
    let probe: any ServerProbe
    do throws(TLSError) {
      if let path = target.path {
        probe = HTTPProbe(host: target.host, port: target.port, path: path)
      } else {
        let context = try security.context()
        probe = SessionProbe(host: target.host, port: target.port, security: context)
      }
    } catch {
      throw Failure.noInput.exit("--tls-authorities: \(error)")
    }
    let deadline = Deadline(address: address, after: timeout)
    while let reason = probe.obstacle() {
      deadline.obstacle = reason
      usleep(50_000)
    }
  }

  /// The parts of the address; `path` only of an http address.
  private func target() throws -> (host: String, port: UInt16, path: String?) {
    let isHTTP = address.hasPrefix("http://")
    let rest = isHTTP ? address.dropFirst("http://".count) : address[...]
    let slash = isHTTP ? rest.firstIndex(of: "/") ?? rest.endIndex : rest.endIndex
    let path = rest[slash...].count > 1 ? String(rest[slash...]) : "/ready"
    let isPrintable = path.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    do throws(ConfigurationError) {
      let (host, port) = try JoulebookServer.Configuration.parseAddress(String(rest[..<slash]))
      if port > 0, isPrintable, !host.contains("/") { return (host, port, isHTTP ? path : nil) }
    } catch {
      // The message below names the forms that this command takes.
    }
    throw ValidationError(
      "\(address) is not an address; write 127.0.0.1:9100 or http://127.0.0.1:9101/ready")
  }
}

/// Ends the process with exit code 75 when its time is up, on a separate thread: name resolution
/// and connecting may block for minutes.
private final class Deadline: Sendable {
  private let reason = Mutex("nothing was tried")

  /// Starts the timeout.
  /// - Parameter address: Named in the message.
  init(address: String, after timeout: Span) {
    let end = ContinuousClock.now + .nanoseconds(Int64(timeout.nanoseconds))
    Thread.detachNewThread { [self] in
      while true {
        let left = ContinuousClock.now.duration(to: end) / .microseconds(1)
        if left <= 0 { break }
        usleep(useconds_t(min(left + 1, 1_000_000)))
      }
      let failure = Failure.temporary.exit(
        "no exchange answered at \(address) within \(timeout.defaultValueDescription): \(obstacle)")
      Glibc.exit(failure.rawValue)
    }
  }

  /// Why the last attempt failed.
  var obstacle: String {
    get { reason.withLock { $0 } }
    set { reason.withLock { $0 = newValue } }
  }
}

/// A request that shows whether a server is ready. Blocks the calling thread.
protocol ServerProbe {
  /// Sends one request and waits for its answer.
  /// - Returns: Why no answer came; `nil` when the server answered.
  func obstacle() -> String?
}

/// Probes a server by its first message.
struct SessionProbe: ServerProbe {
  let host: String
  let port: UInt16
  let security: TLSContext?

  /// Longest wait for the challenge, which is sent at once, in ms: after it, what the server speaks
  /// is found out.
  private static let patience: Int32 = 1_500

  /// Connects and waits for the challenge, which only an exchange that serves its clients sends.
  func obstacle() -> String? {
    var options = Client.Options()
    options.handshakeMilliseconds = Self.patience
    options.security = security
    do throws(ClientError) {
      _ = try Client.greet(host: host, port: port, options: options)
      return nil
    } catch {
      if case .refused = error { return nil }
      return "\(error)"
    }
  }
}

/// Probes the health server with an HTTP request.
private struct HTTPProbe: ServerProbe {
  let host: String
  let port: UInt16
  let path: String
  /// Longest wait for a part of the answer, in s.
  private static let timeoutSeconds = 5

  func obstacle() -> String? {
    let descriptor = connected()
    guard descriptor >= 0 else { return "cannot connect: \(String(cString: strerror(errno)))" }
    defer { close(descriptor) }
    let name = JoulebookServer.Configuration.address(host: host, port: port)
    let request = Array("GET \(path) HTTP/1.1\r\nHost: \(name)\r\nConnection: close\r\n\r\n".utf8)
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      return "the connection was lost: \(String(cString: strerror(errno)))"
    }
    let bytes = answer(descriptor)
    switch PeerProtocol(bytes) {
    case .frames, .tls:
      return "this is a port for clients of the exchange, not the health server: leave out http:// "
        + "and the path, or name the address in the key health"
    case .http, nil: break
    }
    let text = String(
      decoding: bytes.filter { $0 == 0x0A || (0x20...0x7E).contains($0) }, as: UTF8.self)
    let lines = text.split(separator: "\n")
    guard bytes.isEmpty || PeerProtocol(bytes) == .http else { return "no HTTP server answers" }
    guard let status = lines.first?.split(separator: " ").dropFirst().first else {
      return "the server closed the connection without an answer; http:// is for the address in "
        + "the key health"
    }
    return status == "200" ? nil : "\(path) is answered with \(status): \(lines.last ?? "")"
  }

  /// A connection; negative, with `errno` set, when there is none.
  private func connected() -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else {
      errno = EADDRNOTAVAIL
      return -1
    }
    defer { freeaddrinfo(list) }
    var failure = EADDRNOTAVAIL
    var next = list
    while let candidate = next?.pointee {
      next = candidate.ai_next
      let descriptor = socket(candidate.ai_family, candidate.ai_socktype | O_CLOEXEC, 0)
      if descriptor >= 0 {
        var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        let length = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, length)
        if connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 { return descriptor }
      }
      failure = errno
      if descriptor >= 0 { close(descriptor) }
    }
    errno = failure
    return -1
  }

  /// What the server sends before it closes the connection, at most 4 KiB.
  private func answer(_ descriptor: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4_096)
    var used = 0
    while used < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress.map { $0 + used }, $0.count - used, 0)
      }
      if count <= 0 { break }
      used += count
    }
    return Array(bytes[..<used])
  }
}
