// A session for bots that would rather await:
//
//     let client = try await AsyncClient.connect(host: "127.0.0.1", port: 9100, credentials: mine)
//     try await client.enter(order)
//     for try await message in client.events { ... }
//
//     bot (any task)  ── orders ──▶ [ requests ] ──▶ thread ──▶ socket
//                     ◀── events ── [ at most 4,096 messages ] ◀──
//
// A thread of its own owns the `Client`. When the bot does not take its events, the thread stops reading,
// and TCP slows the server down, which in the end cuts a session that does not read.

import Foundation
import MarketModel

/// A session with an exchange whose events are an asynchronous sequence. Any task may use it.
public final class AsyncClient: Sendable {
  /// Who this client is.
  public let session: SessionId
  /// What the server says, in order, until the session ends. One task at a time iterates over it.
  public var events: ClientEvents { ClientEvents(client: self) }
  let desk: ClientDesk

  /// Connects, negotiates and establishes.
  /// - Throws: what `Client.init` throws.
  public static func connect(
    host: String, port: UInt16, credentials: Credentials, options: Client.Options = Client.Options()
  ) async throws(ClientError) -> AsyncClient {
    let desk = ClientDesk()
    let result: Result<Void, ClientError> = await withCheckedContinuation { continuation in
      let thread = Thread {
        do throws(ClientError) {
          let client = try Client(
            host: host, port: port, credentials: credentials, options: options)
          continuation.resume(returning: .success(()))
          desk.serve(client, keepAliveMilliseconds: options.keepAliveMilliseconds)
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      thread.start()
    }
    try result.get()
    return AsyncClient(session: credentials.session, desk: desk)
  }

  private init(session: SessionId, desk: ClientDesk) {
    (self.session, self.desk) = (session, desk)
  }

  deinit { desk.end() }

  /// Does anything that a `Client` can, on its thread, and sends it.
  /// - Returns: What `request` returned; for a message its sequence number, which answers and rejects
  ///   name as their reference.
  /// - Throws: What `request` throws; `.closed` when the session is over.
  @discardableResult
  public func perform<Value: Sendable>(
    _ request: @escaping @Sendable (Client) throws(ClientError) -> Value
  ) async throws(ClientError) -> Value {
    let result: Result<Value, ClientError> = await withCheckedContinuation { continuation in
      desk.ask { client in
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

  /// Enters an order. Answered with `accepted` and what follows from it, or `rejected`.
  @discardableResult public func enter(_ order: NewOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.enter(order) }
  }

  /// Changes an open order. Answered with `replaced` or `rejected`.
  @discardableResult
  public func replace(_ change: ReplaceOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.replace(change) }
  }

  /// Cancels an open order. Answered with `canceled` or `rejected`.
  @discardableResult public func cancel(_ order: CancelOrder) async throws(ClientError) -> UInt64 {
    try await perform { client throws(ClientError) in try client.cancel(order) }
  }

  /// Ends the session in order; what was sent is sent, `events` ends.
  public func close() async {
    do throws(ClientError) {
      try await perform { client throws(ClientError) in client.close() }
    } catch {
      // It was over already.
      desk.end()
    }
  }
}

/// What a server says to one client, as an asynchronous sequence: `for try await message in ...`.
public struct ClientEvents: AsyncSequence, Sendable {
  /// A message, or the error that ended the session.
  public typealias Element = ClientMessage
  /// Why a session ended that this side did not close.
  public typealias Failure = ClientError
  /// Held, so that the session lives as long as somebody listens.
  let client: AsyncClient

  /// Takes the messages one by one.
  public func makeAsyncIterator() -> Iterator { Iterator(client: client) }

  /// Takes the messages one by one; those that another iterator took do not come again.
  public struct Iterator: AsyncIteratorProtocol {
    let client: AsyncClient

    /// The next message; `nil` when this side has closed the session.
    /// - Throws: The error that ended the session.
    public mutating func next() async throws(ClientError) -> ClientMessage? {
      try await next(isolation: nil)
    }

    /// The next message, wherever the caller runs.
    /// - Throws: The error that ended the session.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(ClientError) -> ClientMessage? {
      let result: Result<ClientMessage?, ClientError> = await withCheckedContinuation {
        client.desk.next($0)
      }
      return try result.get()
    }
  }
}
