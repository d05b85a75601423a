// Services work beside the stages, each on a thread of its own; no order waits for one of them:
//
//     start    a thread for each, in the order of the list
//     end      one after the other, in the same order: told to end, then joined
//
// A service may therefore use those behind it in the list until its own thread has ended.

import Rings

/// Work on a thread of its own, from the start of a server to its end.
protocol Service: Sendable {
  /// Name of the service and of its thread, as `top -H` shows it: at most 15 bytes.
  var name: String { get }
  /// How its thread competes for a core.
  var priority: ServiceThread.Priority { get }
  /// The thread's body: returns after `end`, or when there is nothing to do any more.
  func run()
  /// Makes `run` return soon. Any thread; does nothing the second time.
  func end()
}

extension Service {
  /// Somebody waits for what it does.
  var priority: ServiceThread.Priority { .normal }
}

/// Services with their threads. Owned by the thread that starts and ends the server.
final class ServiceGroup {
  private let services: [any Service]
  private var threads: [ServiceThread] = []

  /// - Parameter services: In the order in which they start and end.
  init(_ services: [any Service]) { self.services = services }

  /// Starts a thread for each. Once.
  func start() {
    precondition(threads.isEmpty, "services are started once")
    threads = services.map { service in
      ServiceThread(service.name, priority: service.priority) { service.run() }
    }
  }

  /// Ends each and waits for its thread, in their order. Once, after `start`.
  func end() {
    for (service, thread) in zip(services, threads) {
      service.end()
      thread.join()
    }
    threads = []
  }
}
