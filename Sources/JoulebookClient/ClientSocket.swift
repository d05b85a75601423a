import Glibc
import TLS

// A TCP socket with a buffer in each direction. Written bytes are gathered and sent by `flush`;
// what the socket does not accept stays for the next time. Received bytes are read into one buffer,
// and messages are decoded in place. After the start nothing is allocated.

/// A non-blocking socket with buffers. Owned by one thread.
struct ClientSocket: ~Copyable {
  let descriptor: Int32
  private let outgoing: UnsafeMutableRawBufferPointer
  private var outgoingStart = 0
  private var outgoingEnd = 0
  private let incoming: UnsafeMutableRawBufferPointer
  private var incomingStart = 0
  private var incomingEnd = 0
  private var security: TLSSession?
  /// With TLS: buffers of encrypted bytes to and from the socket.
  private let sealed: UnsafeMutableRawBufferPointer
  private var sealedCount = 0
  /// With TLS: the first bytes that arrived.
  private var first: [UInt8] = []
  private let arriving: UnsafeMutableRawBufferPointer

  /// Connects.
  /// - Parameters:
  ///   - host: An IPv4 or IPv6 address, or a name.
  ///   - bufferBytes: Size of each buffer, in bytes.
  ///   - context: TLS context, used from `agree` on; `nil` for plain TCP.
  /// - Throws: `.cannotConnect`; `.insecure` if `host` is not a name that can be verified.
  init(
    host: String, port: UInt16, bufferBytes: Int, security context: TLSContext?
  ) throws(ClientError) {
    let session = try Self.session(context, host)
    descriptor = try Self.open(host: host, port: port)
    sealed = .allocate(byteCount: context == nil ? 0 : 1 << 15, alignment: 64)
    arriving = .allocate(byteCount: sealed.count, alignment: 64)
    outgoing = .allocate(byteCount: bufferBytes, alignment: 64)
    incoming = .allocate(byteCount: bufferBytes, alignment: 64)
    security = session
  }

  private static func session(
    _ context: TLSContext?, _ host: String
  ) throws(ClientError) -> TLSSession? {
    guard let context else { return nil }
    do throws(TLSError) {
      return try TLSSession(context, host: host)
    } catch {
      throw .insecure(error.description)
    }
  }

  deinit {
    Glibc.close(descriptor)
    outgoing.deallocate()
    incoming.deallocate()
    sealed.deallocate()
    arriving.deallocate()
  }

  /// Bytes received and not yet consumed.
  var received: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: incoming[incomingStart..<incomingEnd])
  }

  /// Whether bytes wait to be sent.
  var hasUnsent: Bool { outgoingEnd > outgoingStart || sealedCount > 0 }

  /// Whether it uses TLS.
  var isSecure: Bool { security != nil }

  /// Number of bytes that can still be written.
  var freeBytes: Int { outgoing.count - outgoingEnd }

  /// Consumes `count` received bytes.
  mutating func consume(_ count: Int) {
    incomingStart += count
    if incomingStart == incomingEnd { (incomingStart, incomingEnd) = (0, 0) }
  }

  /// Appends `count` bytes for the caller to fill in immediately.
  /// - Throws: `.sendBufferFull` if the server accepts no more now; `.connectionLost`.
  mutating func reserve(_ count: Int) throws(ClientError) -> UnsafeMutableRawPointer {
    if outgoingEnd + count > outgoing.count { try flush() }
    guard outgoingEnd + count <= outgoing.count, let base = outgoing.baseAddress else {
      throw .sendBufferFull
    }
    defer { outgoingEnd += count }
    return base + outgoingEnd
  }

  /// Sends as much as the socket accepts.
  /// - Throws: `.connectionLost`.
  mutating func flush() throws(ClientError) {
    if security != nil { return try flushSealed() }
    while outgoingEnd > outgoingStart, let base = outgoing.baseAddress {
      let sent = send(
        descriptor, base + outgoingStart, outgoingEnd - outgoingStart, Int32(MSG_NOSIGNAL))
      if sent >= 0 {
        outgoingStart += sent
        continue
      }
      if errno == EINTR { continue }
      guard errno == EAGAIN else { throw .connectionLost(error: errno) }
      compactOutgoing()
      return
    }
    (outgoingStart, outgoingEnd) = (0, 0)
  }

  /// Reads what has arrived, without waiting.
  /// - Returns: whether anything was read.
  /// - Throws: `.connectionLost`, with error 0 if the server closed the connection.
  mutating func receive() throws(ClientError) -> Bool {
    compactIncoming()
    guard incomingEnd < incoming.count, let base = incoming.baseAddress else { return false }
    if security != nil { return try receiveSealed() }
    while true {
      let count = recv(descriptor, base + incomingEnd, incoming.count - incomingEnd, 0)
      if count > 0 {
        incomingEnd += count
        return true
      }
      if count == 0 { throw .connectionLost(error: 0) }
      if errno == EINTR { continue }
      if errno == EAGAIN { return false }
      throw .connectionLost(error: errno)
    }
  }

  /// Whether bytes have arrived that are not yet read.
  var hasUnread: Bool {
    var arrived = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&arrived, 1, 0) > 0
  }

  /// Waits until the socket is readable, or writable if bytes wait to be sent.
  /// - Parameter milliseconds: Longest wait; negative: no limit.
  func wait(milliseconds: Int32) {
    var waited = pollfd(
      fd: descriptor, events: Int16(POLLIN) | (hasUnsent ? Int16(POLLOUT) : 0), revents: 0)
    // An error is reported by the next read or write.
    _ = poll(&waited, 1, milliseconds)
  }

  // MARK: TLS

  /// Waits until the TLS handshake is complete; returns immediately without TLS.
  /// - Parameter milliseconds: Longest wait.
  /// - Throws: `.insecure`, `.connectionLost`, `.timedOut`.
  mutating func agree(_ milliseconds: Int32) throws(ClientError) {
    let end = Client.monotonicNow() + UInt64(max(0, milliseconds)) * 1_000_000
    while security?.isEstablished == false {
      if try receiveSealed() { continue }
      try flushSealed()
      if security?.isEstablished == true { break }
      let now = Client.monotonicNow()
      guard now < end else { throw .timedOut }
      wait(milliseconds: Int32((end - now) / 1_000_000) + 1)
    }
    try flush()
  }

  /// Encrypts written bytes, once all encrypted ones were sent, and sends what the socket accepts.
  private mutating func flushSealed() throws(ClientError) {
    while true {
      if sealedCount == 0, security?.pending == 0, outgoingEnd > outgoingStart,
        security?.isEstablished == true
      {
        let bytes = UnsafeRawBufferPointer(rebasing: outgoing[outgoingStart..<outgoingEnd])
        guard security?.write(bytes) == true else { throw .insecure("TLS cannot send") }
        (outgoingStart, outgoingEnd) = (0, 0)
      }
      let free = UnsafeMutableRawBufferPointer(rebasing: sealed[sealedCount...])
      sealedCount += security?.take(into: free) ?? 0
      if sealedCount == 0 { return }
      let sent = send(descriptor, sealed.baseAddress, sealedCount, Int32(MSG_NOSIGNAL))
      if sent > 0, let base = sealed.baseAddress {
        sealedCount -= sent
        memmove(base, base + sent, sealedCount)
        continue
      }
      if errno == EINTR { continue }
      guard errno == EAGAIN else { throw .connectionLost(error: errno) }
      return
    }
  }

  /// Decrypts received bytes; if there are none, reads from the socket and tries again.
  private mutating func receiveSealed() throws(ClientError) -> Bool {
    while true {
      let free = UnsafeMutableRawBufferPointer(rebasing: incoming[incomingEnd...])
      switch security?.read(into: free) ?? .ended {
      case .bytes(let count):
        incomingEnd += count
        return true
      case .ended: throw .connectionLost(error: 0)
      case .failed(let error):
        try flushSealed()
        if let other = PeerProtocol(first), other != .tls { throw other.error(withTLS: true) }
        throw .insecure(error.description)
      case .needsMore: break
      }
      let count = recv(descriptor, arriving.baseAddress, arriving.count, 0)
      if count == 0 { throw .connectionLost(error: 0) }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return false }
      guard count > 0 else { throw .connectionLost(error: errno) }
      if first.isEmpty { first = Array(arriving[..<min(count, PeerProtocol.needed)]) }
      security?.receive(UnsafeRawBufferPointer(rebasing: arriving[..<count]))
    }
  }

  private mutating func compactOutgoing() {
    guard outgoingStart > 0, let base = outgoing.baseAddress else { return }
    memmove(base, base + outgoingStart, outgoingEnd - outgoingStart)
    (outgoingStart, outgoingEnd) = (0, outgoingEnd - outgoingStart)
  }

  private mutating func compactIncoming() {
    guard incomingStart > 0, let base = incoming.baseAddress else { return }
    memmove(base, base + incomingStart, incomingEnd - incomingStart)
    (incomingStart, incomingEnd) = (0, incomingEnd - incomingStart)
  }

  private static func open(host: String, port: UInt16) throws(ClientError) -> Int32 {
    let address = "\(host):\(port)"
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, String(port), &hints, &list) == 0 else {
      throw .cannotConnect(address: address, error: 0)
    }
    defer { freeaddrinfo(list) }
    var failure = EADDRNOTAVAIL
    var next = list
    while let candidate = next?.pointee {
      next = candidate.ai_next
      let descriptor = socket(candidate.ai_family, candidate.ai_socktype, candidate.ai_protocol)
      guard descriptor >= 0 else {
        failure = errno
        continue
      }
      if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 {
        var on: Int32 = 1
        setsockopt(
          descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        return descriptor
      }
      failure = errno
      Glibc.close(descriptor)
    }
    throw .cannotConnect(address: address, error: failure)
  }
}
