import Foundation

extension Process {
  /// Starts the program with no signal blocked.
  ///
  /// Tests run on threads that block nearly all signals, and a child process inherits the mask: a
  /// shell that waits for its own child would never receive SIGCHLD and would hang.
  func start() throws {
    var none = sigset_t()
    var mine = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &mine)
    defer { pthread_sigmask(SIG_SETMASK, &mine, nil) }
    try run()
  }
}
