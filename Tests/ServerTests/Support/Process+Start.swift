import Foundation

extension Process {
  /// Starts the program with no signal blocked.
  ///
  /// Tests run on threads that block nearly all signals, and a child inherits that: a shell that waits
  /// for a child of its own is then never told of its end, and waits for ever.
  func start() throws {
    var none = sigset_t()
    var mine = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mine)
    defer { pthread_sigmask(SIG_SETMASK, &mine, nil) }
    try run()
  }
}
