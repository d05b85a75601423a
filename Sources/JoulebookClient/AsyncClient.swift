// A session for asynchronous code:
//
//     let client = try await AsyncClient.connect(host: "127.0.0.1", port: 9100, credentials: mine)
//     try await client.enter(order)
//     for try await message in client.events { ... }
//
//     any task  ── orders ──▶ [ requests ] ──▶ thread ──▶ socket
//               ◀── events ── [ at most 4,096 messages ] ◀──
//
// A dedicated thread owns the `Client`. If the events are not consumed, the thread stops reading;
// TCP then slows the server down, which finally terminates a session that does not read.

import Foundation
import MarketModel

/// A session whose messages are an asynchronous sequence. May be used from any task.
public final class AsyncClient: Sendable {
  /// The client's session.
  public let session: SessionId
  /// The server's messages, in order, until the session ends. Only one task at a time may iterate.
  public var events: ClientEvents { ClientEvents(client: self) }
  let multiplexer: ClientMultiplexer

  /// Connects, negotiates and establishes.
  /// - Throws: as `Client.init`.
  public static func connect(
    host: String, port: UInt16, credentials: Credentials, options: Client.Options = Client.Options()
  ) async throws(ClientError) -> AsyncClient {
    let multiplexer = ClientMultiplexer()
    let result: Result<Void, ClientError> = await withCheckedContinuation { continuation in
      let thread = Thread {
        do throws(ClientError) {
          let client = try Client(
            host: host, port: port, credentials: credentials, options: options)
          continuation.resume(returning: .success(()))
          multiplexer.serve(client, keepAliveMilliseconds: options.keepAliveMilliseconds)
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      thread.start()
    }
    try result.get()
    return AsyncClient(session: credentials.session, multiplexer: multiplexer)
  }

  private init(session: SessionId, multiplexer: ClientMultiplexer) {
    (self.session, self.multiplexer) = (session, multiplexer)
  }

  deinit { multiplexer.end() }

  /// Runs `request` with the `Client` on its thread, then flushes.
  /// - Returns: the result of `request`; for a message its sequence number, which answers and
  ///   rejects name as their reference.
  /// - Throws: what `request` throws; `.closed` if the session is over.
  @discardableResult
  public func perform<Value: Sendable>(
    _ request: @escaping @Sendable (Client) throws(ClientError) -> Value
  ) async throws(ClientError) -> Value {
    let result: Result<Value, ClientError> = await withCheckedContinuation { continuation in
      multiplexer.ask { client in
        do throws(ClientError) {
          guard let client else { throw .closed }
          continuation.resume(returning: .success(try request(client)))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  /// Enters an order. Answered with `accepted` and its consequences, or `rejected`.
  @discardableResult public func enter(_ order: NewOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.enter(order) }
  }

  /// Replaces an open order. Answered with `replaced` or `rejected`.
  @discardableResult
  public func replace(_ change: ReplaceOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.replace(change) }
  }

  /// Cancels an open order. Answered with `canceled` or `rejected`.
  @discardableResult public func cancel(_ order: CancelOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.cancel(order) }
  }

  /// Ends the session in order, after sending what was written; `events` ends.
  public func close() async {
    do throws(ClientError) {
      try await perform { client throws(ClientError) in client.close() }
    } catch {
      // The session was already over.
      multiplexer.end()
    }
  }
}

/// The messages to one client, as an asynchronous sequence: `for try await message in ...`.
public struct ClientEvents: AsyncSequence, Sendable {
  /// A message from the server.
  public typealias Element = ClientMessage
  /// The error that ended a session that this side did not close.
  public typealias Failure = ClientError
  /// Keeps the session alive while it is iterated.
  let client: AsyncClient

  /// Returns an iterator over the remaining messages.
  public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

  /// Iterates over the messages; each message is delivered to one iterator only.
  public struct Iterator: AsyncIteratorProtocol {
    let client: AsyncClient

    /// The next message; `nil` after this side has closed the session.
    /// - Throws: the error that ended the session.
    public mutating func next() async throws(ClientError) -> ClientMessage? {
      try await next(isolation: nil)
    }

    /// The next message, in the caller's isolation.
    /// - Throws: the error that ended the session.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ClientError) -> ClientMessage? {
      let result: Result<ClientMessage?, ClientError> = await withCheckedContinuation {
        client.multiplexer.next($0)
      }
      return try result.get()
    }
  }
}
