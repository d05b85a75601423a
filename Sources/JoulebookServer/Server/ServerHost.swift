import Foundation
import Logging
import Synchronization

/// Runs a server on its own thread inside this process, for tests and demonstrations. Made and
/// stopped by one thread.
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

  /// Starts a server and waits until it listens.
  /// - Throws: the reason why it cannot start.
  public init(_ configuration: Configuration) throws(StartError) {
    let thread = Thread { [self] in serve(configuration) }
    thread.stackSize = 8 << 20
    thread.start()
    started.wait()
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// The port that the server listens on.
  public var port: UInt16 { state.withLock { $0.port } }

  /// Stops the server in order and waits until it has ended.
  /// - Returns: how the server ended; `nil` if it was stopped before.
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
