import Foundation
import Logging
import Synchronization

/// A server on a thread of its own in this process. Made and stopped by one thread.
public final class ServerHost: Sendable {
  private struct State {
    var port: UInt16 = 0
    var stopper: Server.Stopper?
    var summary: Server.Summary?
    var failure: StartError?
  }

  private let state = Mutex(State())
  private let started = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  /// Starts a server with `configuration` and waits until it listens.
  /// - Throws: what keeps it from starting.
  public init(_ configuration: Configuration) throws(StartError) {
    let thread = Thread { [self] in serve(configuration) }
    thread.stackSize = 8 << 20
    thread.start()
    started.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Where it listens.
  public var port: UInt16 { state.withLock { $0.port } }

  /// Drains the server and waits for its end.
  /// - Returns: how it ended; `nil` when it had been stopped before.
  @discardableResult public func stop() -> Server.Summary? {
    guard let stopper = state.withLock({ $0.stopper.take() }) else { return nil }
    stopper.stop()
    ended.wait()
    return state.withLock { $0.summary }
  }

  private func serve(_ configuration: Configuration) {
    do throws(StartError) {
      var log = Logger(label: "joulebook")
      log.logLevel = .error
      let server = try Server(configuration, log: log)
      state.withLock { ($0.port, $0.stopper) = (server.port, server.stopper) }
      started.signal()
      let summary = server.run()
      state.withLock { $0.summary = summary }
    } catch {
      state.withLock { $0.failure = error }
      started.signal()
    }
    ended.signal()
  }
}
