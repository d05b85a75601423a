// What happens between a fatal signal and the end of the process:
//
//   trap, segmentation fault, abort ──▶ handle, on the failing thread, on its own signal stack
//        which command was this thread applying? ──▶ a line on standard error, a line in `in-hand`
//        the previous action: Swift's backtrace; then the default action with a core dump
//
// The note is reliable: the thread never returns to the command, and no other thread starts to
// apply it (`waitIfEnding`). So no client receives a result of it, and no part of it is settled.
//
// A signal sent from outside (kill -ABRT, for a command that never returns) arrives at the first
// thread. It is forwarded to the matching thread, which knows its command. Nothing here allocates,
// locks or calls what a signal handler may not call (signal-safety(7)).

import Glibc
import MarketModel
import Synchronization

/// Records the command being applied when a signal ends the process. Any thread.
public enum CrashHandler {
  private static let isInstalled = Atomic<Bool>(false)
  /// The thread that handles its fatal signal; others wait for the end.
  private static let isEnding = Atomic<UInt64>(0)
  /// Whether the matching thread has recorded its command.
  private static let isLiveNoted = Atomic<Bool>(false)
  /// Descriptor of `in-hand`; negative if there is none.
  private static let descriptor = Atomic<Int>(-1)
  private static let run = Atomic<UInt64>(0)
  /// Size of the signal stack, in bytes: enough for the handler and for Swift's backtrace.
  private static let stackBytes = 1 << 16
  private static let signalCount = 65
  private static let textBytes = 256

  /// The previous actions by signal, and text buffers for the live thread and for another.
  /// Allocated by `install`, never freed.
  private nonisolated(unsafe) static let previous =
    UnsafeMutablePointer<sigaction>.allocate(capacity: signalCount)
  private nonisolated(unsafe) static let text =
    UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * textBytes)

  /// Signals whose default action ends the process.
  private static var fatal: [Int32] { [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] }

  /// Installs the handlers. Called once, by the program's first thread.
  public static func install() {
    guard !isInstalled.exchange(true, ordering: .relaxed) else { return }
    previous.initialize(repeating: sigaction(), count: signalCount)
    text.initialize(repeating: 0, count: 2 * textBytes)
    // Initialised here, because a signal handler must not initialise anything.
    _ = (CurrentCommand.board, isEnding.load(ordering: .relaxed))
    _ = isLiveNoted.load(ordering: .relaxed)
    _ = (descriptor.load(ordering: .relaxed), run.load(ordering: .relaxed))
    coverThread()
    for signal in fatal {
      var action = sigaction()
      action.__sigaction_handler.sa_sigaction = { signal, information, context in
        CrashHandler.handle(signal, information, context)
      }
      action.sa_flags = SA_SIGINFO | SA_ONSTACK
      sigfillset(&action.sa_mask)
      _ = sigaction(signal, &action, previous + Int(signal))
    }
  }

  /// Gives the calling thread a signal stack, since its stack may be exhausted, and unblocks the
  /// fatal signals.
  static func coverThread() {
    guard isInstalled.load(ordering: .relaxed) else { return }
    var stack = stack_t()
    if sigaltstack(nil, &stack) == 0, stack.ss_flags & Int32(SS_DISABLE) != 0 {
      stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stackBytes, alignment: 4096)
      (stack.ss_size, stack.ss_flags) = (stackBytes, 0)
      // Never freed: few threads apply commands, and they live as long as the process.
      _ = sigaltstack(&stack, nil)
    }
    takeSignals()
  }

  private static func takeSignals() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGILL)
    sigaddset(&signals, SIGTRAP)
    sigaddset(&signals, SIGABRT)
    sigaddset(&signals, SIGSEGV)
    sigaddset(&signals, SIGBUS)
    sigaddset(&signals, SIGFPE)
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// Records fatal signals in this file from now on.
  static func note(in file: Int32, run: UInt64) {
    self.run.store(run, ordering: .relaxed)
    descriptor.store(Int(file), ordering: .releasing)
  }

  /// Stops recording in this file, which is being closed.
  static func forget(_ file: Int32) {
    _ = descriptor.compareExchange(expected: Int(file), desired: -1, ordering: .relaxed)
  }

  /// Blocks if the process is ending, because no other thread may apply the command during which
  /// one crashed.
  public static func waitIfEnding() {
    if isEnding.load(ordering: .relaxed) != 0 { while true { pause() } }
  }

  private static func handle(
    _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?,
    _ context: UnsafeMutableRawPointer?
  ) {
    let (me, code) = (UInt64(pthread_self()), information?.pointee.si_code ?? 0)
    // A signal sent by kill or sigqueue, not caused by this thread.
    if code == 0 || code == -1, slot(of: me) == nil, let owner = liveThread() {
      let error = errno
      pthread_kill(pthread_t(owner), signal)
      errno = error
      return
    }
    // If two threads crash simultaneously, the first one ends the process.
    let (isFirst, first) = isEnding.compareExchange(
      expected: 0, desired: me, ordering: .relaxed)
    if let words = slot(of: me), isFirst || isLive(words) { report(words, signal) }
    if !isFirst, first != me { while true { pause() } }
    if isFirst { waitForLiveThread() }
    // Unblocks fatal signals for what follows: Swift's backtrace reads memory that may be unmapped,
    // and handles the signals.
    takeSignals()
    if isFirst { callPrevious(signal, information, context) }
    var action = sigaction()
    _ = sigaction(signal, &action, nil)
    raise(signal)
    _exit(128 + signal)
  }

  /// Calls the previous handler; the system's default action is left to the caller.
  private static func callPrevious(
    _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?,
    _ context: UnsafeMutableRawPointer?
  ) {
    let action = previous + Int(signal)
    // SIG_DFL is 0 and SIG_IGN is 1.
    guard unsafeBitCast(action.pointee.__sigaction_handler, to: UInt.self) > 1 else { return }
    if action.pointee.sa_flags & SA_SIGINFO != 0 {
      action.pointee.__sigaction_handler.sa_sigaction(signal, information, context)
    } else {
      action.pointee.__sigaction_handler.sa_handler?(signal)
    }
  }

  /// The record in which `thread` notes its command.
  private static func slot(of thread: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>>? {
    for slot in 0..<CurrentCommand.slots {
      let words = CurrentCommand.board + slot * CurrentCommand.stride
      if words[CurrentCommand.threadWord].load(ordering: .relaxed) == thread,
        words[CurrentCommand.commandWord].load(ordering: .relaxed) != 0
      {
        return words
      }
    }
    return nil
  }

  /// The thread that applies clients' commands.
  private static func liveThread() -> UInt64? {
    for slot in 0..<CurrentCommand.slots {
      let words = CurrentCommand.board + slot * CurrentCommand.stride
      if words[CurrentCommand.purposeWord].load(ordering: .relaxed)
        == CurrentCommand.Purpose.live.rawValue,
        words[CurrentCommand.commandWord].load(ordering: .relaxed) != 0
      {
        return words[CurrentCommand.threadWord].load(ordering: .relaxed)
      }
    }
    return nil
  }

  private static func isLive(_ words: UnsafeMutablePointer<Atomic<UInt64>>) -> Bool {
    words[CurrentCommand.purposeWord].load(ordering: .relaxed)
      == CurrentCommand.Purpose.live.rawValue
  }

  /// Settlement may reach the command while the live thread, which crashed on it first, is still
  /// printing its backtrace. Only the note of the live thread is proof, so this thread waits for
  /// it.
  private static func waitForLiveThread() {
    guard let mine = slot(of: UInt64(pthread_self())), !isLive(mine), let owner = liveThread(),
      let live = slot(of: owner),
      live[CurrentCommand.commandWord].load(ordering: .relaxed)
        == mine[CurrentCommand.commandWord].load(ordering: .relaxed)
    else { return }
    var nap = timespec(tv_sec: 0, tv_nsec: 10_000_000)
    for _ in 0..<200 where !isLiveNoted.load(ordering: .acquiring) { nanosleep(&nap, nil) }
  }

  private static func report(_ words: UnsafeMutablePointer<Atomic<UInt64>>, _ signal: Int32) {
    let text = isLive(words) ? text : text + textBytes
    guard
      let purpose = CurrentCommand.Purpose(
        rawValue: words[CurrentCommand.purposeWord].load(ordering: .relaxed))
    else { return }
    let record = CrashNote.Record(
      purpose: purpose,
      sequence: SequenceNumber(words[CurrentCommand.commandWord].load(ordering: .relaxed)),
      run: run.load(ordering: .relaxed), signal: signal)
    // Pairs with the release in `note`.
    let file = descriptor.load(ordering: .acquiring)
    if file >= 0 {
      record.write(to: text)
      let offset = purpose == .live ? 0 : CrashNote.lineLength
      _ = pwrite(Int32(file), text, CrashNote.lineLength, off_t(offset))
    }
    var line = SignalText(text)
    line.put("joulebook ended while it applied command ")
    line.put(record.sequence.rawValue)
    line.put(" (")
    line.put(purpose.staticName)
    line.put("): signal ")
    line.put(UInt64(signal))
    line.put("\n")
    _ = write(STDERR_FILENO, text, line.count)
    // Pairs with the acquire in `waitForLiveThread`.
    if purpose == .live { isLiveNoted.store(true, ordering: .releasing) }
  }
}
