import Glibc
import Synchronization

/// What a client's thread and the tasks of its bot share: requests one way, messages the other.
final class ClientDesk: Sendable {
  typealias Request = @Sendable (Client?) -> Void
  typealias Delivery = CheckedContinuation<Result<ClientMessage?, ClientError>, Never>

  /// Messages that may wait before the thread stops reading.
  static let mostMessages = 4_096

  private struct State {
    var requests: [Request] = []
    var messages: [ClientMessage] = []
    /// Messages at the front of `messages` that were taken.
    var taken = 0
    var waiting: Delivery?
    /// The thread has ended, for this reason.
    var end: Result<Void, ClientError>?
    /// The bot has gone.
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
  /// Wakes the thread: a pipe, read from the first.
  private let bell: (reading: Int32, writing: Int32)

  init() {
    var ends: [Int32] = [-1, -1]
    let result = pipe(&ends)
    precondition(result == 0, "the system refuses another pipe (errno \(errno))")
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    bell = (ends[0], ends[1])
  }

  deinit {
    close(bell.reading)
    close(bell.writing)
  }

  // MARK: Tasks

  /// Hands a request to the thread; it is called with `nil` when the session is over.
  func ask(_ request: @escaping Request) {
    let isOver = state.withLock { state in
      if state.end == nil { state.requests.append(request) }
      return state.end != nil
    }
    if isOver { request(nil) } else { ring() }
  }

  /// Gives the next message to `delivery`, now or when it comes.
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

  /// Nobody is interested any more.
  func end() {
    state.withLock { $0.isAbandoned = true }
    ring()
  }

  private func ring() {
    var one: UInt8 = 1
    // A full pipe has rung already.
    _ = write(bell.writing, &one, 1)
  }

  // MARK: The thread

  /// Serves a session until it ends. The client's thread.
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

  /// Passes on what has arrived.
  /// - Returns: Whether there is room for more.
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
    // A socket that nothing is wanted of is not watched: its hang-up would wake us again and again.
    var waited = [
      pollfd(fd: bell.reading, events: Int16(POLLIN), revents: 0),
      pollfd(fd: events == 0 ? -1 : client.descriptor, events: events, revents: 0),
    ]
    _ = poll(&waited, 2, milliseconds)
    var rings: (UInt64, UInt64) = (0, 0)
    // Nothing to read: it had not rung. What is left over rings once more.
    _ = Glibc.read(bell.reading, &rings, MemoryLayout.size(ofValue: rings))
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
