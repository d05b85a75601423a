// Services work beside the stages, each on its own thread. No order waits for a service.
//
//     start    starts a thread for each, in the order of the list
//     end      in the same order: asks one to end, joins its thread, then the next
//
// A service may therefore use those after it in the list until its own thread has ended.

import Rings

/// A background task with its own thread, from the start of a server to its end.
protocol Service: Sendable {
  /// Name of the service and of its thread, as shown by `top -H`; at most 15 bytes.
  var name: String { get }
  /// Scheduling priority of the thread.
  var priority: ServiceThread.Priority { get }
  /// The thread's body. Returns after `end`, or when no work remains.
  func run()
  /// Makes `run` return soon. Any thread; calling it again has no effect.
  func end()
}

extension Service {
  /// The default: the scheduling priority of the other threads.
  var priority: ServiceThread.Priority { .normal }
}

/// A list of services and their threads. Owned by the thread that starts and ends the server.
final class ServiceGroup {
  private let services: [any Service]
  private var threads: [ServiceThread] = []

  /// - Parameter services: In the order in which they are started and ended.
  init(_ services: [any Service]) { self.services = services }

  /// Starts one thread per service. Called once.
  func start() {
    precondition(threads.isEmpty, "services are started once")
    threads = services.map { service in
      ServiceThread(service.name, priority: service.priority) { service.run() }
    }
  }

  /// Ends each service and joins its thread, in the order of the list. Called once, after `start`.
  func end() {
    for (service, thread) in zip(services, threads) {
      service.end()
      thread.join()
    }
    threads = []
  }
}
