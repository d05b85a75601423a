import Glibc
import Synchronization

/// Queues between the thread of an asynchronous client and the tasks that use it: requests in one
/// direction, messages in the other.
final class ClientMultiplexer: Sendable {
  typealias Request = @Sendable (Client?) -> Void
  typealias Delivery = CheckedContinuation<Result<ClientMessage?, ClientError>, Never>

  /// Number of queued messages at which the thread stops reading.
  static let mostMessages = 4_096

  private struct State {
    var requests: [Request] = []
    var messages: [ClientMessage] = []
    /// Number of messages at the front of `messages` that were already delivered.
    var taken = 0
    var waiting: Delivery?
    /// Set when the thread has ended: success after `close`, or the error.
    var end: Result<Void, ClientError>?
    /// Whether the user has released the client.
    var isAbandoned = false

    var count: Int { messages.count - taken }

    mutating func take() -> ClientMessage? {
      guard taken < messages.count else { return nil }
      defer {
        taken += 1
        if taken == messages.count {
          messages.removeAll(keepingCapacity: true)
          taken = 0
        }
      }
      return messages[taken]
    }
  }

  private let state = Mutex(State())
  /// A pipe that wakes the thread.
  private let wakePipe: (reading: Int32, writing: Int32)

  init() {
    var ends: [Int32] = [-1, -1]
    let result = pipe(&ends)
    precondition(result == 0, "the system refuses another pipe (errno \(errno))")
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    wakePipe = (ends[0], ends[1])
  }

  deinit {
    close(wakePipe.reading)
    close(wakePipe.writing)
  }

  // MARK: Tasks

  /// Queues a request for the thread, which calls it; it is called with `nil` if the session is
  /// over.
  func ask(_ request: @escaping Request) {
    let isOver = state.withLock { state in
      if state.end == nil { state.requests.append(request) }
      return state.end != nil
    }
    if isOver { request(nil) } else { ring() }
  }

  /// Delivers the next message, now or when it arrives.
  func next(_ delivery: Delivery) {
    let (result, wasFull) = state.withLock {
      state -> (Result<ClientMessage?, ClientError>?, Bool) in
      let wasFull = state.count == Self.mostMessages
      if let message = state.take() { return (.success(message), wasFull) }
      if let end = state.end { return (end.map { nil }, false) }
      precondition(state.waiting == nil, "one task at a time takes a client's events")
      state.waiting = delivery
      return (nil, false)
    }
    if wasFull { ring() }
    if let result { delivery.resume(returning: result) }
  }

  /// Makes the thread end, because the client was released.
  func end() {
    state.withLock { $0.isAbandoned = true }
    ring()
  }

  private func ring() {
    var one: UInt8 = 1
    // If the pipe is full, the thread will wake anyway.
    _ = write(wakePipe.writing, &one, 1)
  }

  // MARK: The client's thread

  /// Serves a session until it ends. On the client's thread.
  func serve(_ client: Client, keepAliveMilliseconds: UInt32) {
    var end: Result<Void, ClientError> = .success(())
    do throws(ClientError) {
      while !client.isClosed {
        if state.withLock({ $0.isAbandoned }) {
          client.close()
          break
        }
        perform(client)
        if client.isClosed { break }
        let isReading = try read(client)
        try client.flush()
        try client.keepAlive()
        wait(client, isReading, milliseconds: Int32(keepAliveMilliseconds / 4))
      }
    } catch {
      end = .failure(error)
    }
    finish(end)
  }

  private func perform(_ client: Client) {
    let requests = state.withLock { state in
      defer { state.requests.removeAll(keepingCapacity: true) }
      return state.requests
    }
    for request in requests { request(client.isClosed ? nil : client) }
  }

  /// Queues the messages that have arrived.
  /// - Returns: whether there is capacity for more.
  private func read(_ client: Client) throws(ClientError) -> Bool {
    while state.withLock({ $0.count < Self.mostMessages }) {
      guard let message = try client.poll(timeoutMilliseconds: 0) else { return true }
      let waiting = state.withLock { state -> Delivery? in
        if let waiting = state.waiting.take() { return waiting }
        state.messages.append(message)
        return nil
      }
      waiting?.resume(returning: .success(message))
    }
    return false
  }

  private func wait(_ client: Client, _ isReading: Bool, milliseconds: Int32) {
    let events = (isReading ? Int16(POLLIN) : 0) | (client.hasUnsent ? Int16(POLLOUT) : 0)
    // A socket without requested events is not polled, because its hang-up would wake the thread
    // continuously.
    var waited = [
      pollfd(fd: wakePipe.reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: events == 0 ? -1 : client.descriptor, events: events, revents: 0),
    ]
    _ = poll(&waited, 2, milliseconds)
    var wakes: (UInt64, UInt64) = (0, 0)
    // An empty pipe is no error; bytes left over cause one more wake.
    _ = Glibc.read(wakePipe.reading, &wakes, MemoryLayout.size(ofValue: wakes))
  }

  private func finish(_ end: Result<Void, ClientError>) {
    let (requests, waiting) = state.withLock { state in
      state.end = end
      defer { state.requests = [] }
      return (state.requests, state.waiting.take())
    }
    for request in requests { request(nil) }
    waiting?.resume(returning: end.map { nil })
  }
}
