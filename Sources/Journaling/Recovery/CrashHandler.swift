// What happens between a fatal signal and the end of the process:
//
//   trap, segmentation fault, abort ──▶ handle, on the thread that failed, on a stack of its own
//        which command was this thread applying? ──▶ a line on standard error, a line in `in-hand`
//        what was to happen before happens: Swift's backtrace; then the signal's own end, and a core dump
//
// What is noted is true: the thread never goes back to the command, and no other reads it any more
// (`waitIfEnding`). So nobody is told of it, and nothing of it is settled.
//
// A signal that somebody sends (kill -ABRT, when a command never ends) comes to the first thread; it is
// passed on to the one that has the market, which says at what it is. Nothing here allocates, locks or calls
// what a signal handler may not call (signal-safety(7)).

import Glibc
import MarketModel
import Synchronization

/// Notes the command in hand when a signal ends the process. Any thread.
public enum CrashHandler {
  private static let isInstalled = Atomic<Bool>(false)
  /// A thread has begun to handle its end; the others wait for it.
  private static let isEnding = Atomic<UInt64>(0)
  /// The thread that has the market has noted its command.
  private static let isLiveNoted = Atomic<Bool>(false)
  /// Descriptor of `in-hand`; negative: there is none.
  private static let descriptor = Atomic<Int>(-1)
  private static let run = Atomic<UInt64>(0)
  /// Room for a frame of the handler and of what comes behind it; Swift's backtrace asks for little.
  private static let stackBytes = 1 << 16
  private static let signalCount = 65
  private static let textBytes = 256

  /// The actions from before, by signal, and room for text: the live thread's, and another's. Made by
  /// `install`, never freed.
  private nonisolated(unsafe) static let previous =
    UnsafeMutablePointer<sigaction>.allocate(capacity: signalCount)
  private nonisolated(unsafe) static let text =
    UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * textBytes)

  /// Signals of which a process ends where it stands.
  private static var fatal: [Int32] { [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] }

  /// From now on the process says at which command it ended. Once, by a program's first thread.
  public static func install() {
    guard !isInstalled.exchange(true, ordering: .relaxed) else { return }
    previous.initialize(repeating: sigaction(), count: signalCount)
    text.initialize(repeating: 0, count: 2 * textBytes)
    // Made now: a signal handler makes nothing.
    _ = (CommandInHand.board, isEnding.load(ordering: .relaxed))
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

  /// The calling thread gets a stack for its end, which may come from having used up the other one, and
  /// takes the signals of it.
  static func coverThread() {
    guard isInstalled.load(ordering: .relaxed) else { return }
    var stack = stack_t()
    if sigaltstack(nil, &stack) == 0, stack.ss_flags & Int32(SS_DISABLE) != 0 {
      stack.ss_sp = UnsafeMutableRawPointer.allocate(byteCount: stackBytes, alignment: 4096)
      (stack.ss_size, stack.ss_flags) = (stackBytes, 0)
      // Never freed: threads that apply commands are few, and live as long as the process.
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

  /// Fatal signals are noted in this file.
  static func note(in file: Int32, run: UInt64) {
    self.run.store(run, ordering: .relaxed)
    descriptor.store(Int(file), ordering: .releasing)
  }

  /// The file is closed.
  static func forget(_ file: Int32) {
    _ = descriptor.compareExchange(expected: Int(file), desired: -1, ordering: .relaxed)
  }

  /// Waits for the end of the process when it has begun: a command in which one thread ended is not for
  /// another to apply.
  public static func waitIfEnding() {
    if isEnding.load(ordering: .relaxed) != 0 { while true { pause() } }
  }

  private static func handle(
    _ signal: Int32, _ information: UnsafeMutablePointer<siginfo_t>?,
    _ context: UnsafeMutableRawPointer?
  ) {
    let (me, code) = (UInt64(pthread_self()), information?.pointee.si_code ?? 0)
    // Sent by kill or sigqueue: of nobody's making here.
    if code == 0 || code == -1, place(of: me) == nil, let owner = liveThread() {
      let error = errno
      pthread_kill(pthread_t(owner), signal)
      errno = error
      return
    }
    // Two that fail at once: the first one ends the process.
    let (isFirst, first) = isEnding.compareExchange(
      expected: 0, desired: me, ordering: .relaxed)
    if let words = place(of: me), isFirst || isLive(words) { report(words, signal) }
    if !isFirst, first != me { while true { pause() } }
    if isFirst { waitForLiveThread() }
    // What comes now has signals of its own to handle: Swift's backtrace reads memory that may not be there.
    takeSignals()
    if isFirst { callPrevious(signal, information, context) }
    var action = sigaction()
    _ = sigaction(signal, &action, nil)
    raise(signal)
    _exit(128 + signal)
  }

  /// Does what would have been done without this handler; the system's own action is left to the end.
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

  /// Where `thread` noted the command that it is applying.
  private static func place(of thread: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>>? {
    for place in 0..<CommandInHand.places {
      let words = CommandInHand.board + place * CommandInHand.stride
      if words[CommandInHand.threadWord].load(ordering: .relaxed) == thread,
        words[CommandInHand.commandWord].load(ordering: .relaxed) != 0
      {
        return words
      }
    }
    return nil
  }

  /// The thread that is applying a command for clients.
  private static func liveThread() -> UInt64? {
    for place in 0..<CommandInHand.places {
      let words = CommandInHand.board + place * CommandInHand.stride
      if words[CommandInHand.purposeWord].load(ordering: .relaxed)
        == CommandInHand.Purpose.live.rawValue,
        words[CommandInHand.commandWord].load(ordering: .relaxed) != 0
      {
        return words[CommandInHand.threadWord].load(ordering: .relaxed)
      }
    }
    return nil
  }

  private static func isLive(_ words: UnsafeMutablePointer<Atomic<UInt64>>) -> Bool {
    words[CommandInHand.purposeWord].load(ordering: .relaxed) == CommandInHand.Purpose.live.rawValue
  }

  /// Settlement may meet a command while the live exchange, which was there before, still prints of what it
  /// ends: only what that one notes is a proof.
  private static func waitForLiveThread() {
    guard let mine = place(of: UInt64(pthread_self())), !isLive(mine), let owner = liveThread(),
      let live = place(of: owner),
      live[CommandInHand.commandWord].load(ordering: .relaxed)
        == mine[CommandInHand.commandWord].load(ordering: .relaxed)
    else { return }
    var nap = timespec(tv_sec: 0, tv_nsec: 10_000_000)
    for _ in 0..<200 where !isLiveNoted.load(ordering: .acquiring) { nanosleep(&nap, nil) }
  }

  private static func report(_ words: UnsafeMutablePointer<Atomic<UInt64>>, _ signal: Int32) {
    let text = isLive(words) ? text : text + textBytes
    guard
      let purpose = CommandInHand.Purpose(
        rawValue: words[CommandInHand.purposeWord].load(ordering: .relaxed))
    else { return }
    let record = CrashNote.Record(
      purpose: purpose,
      sequence: SequenceNumber(words[CommandInHand.commandWord].load(ordering: .relaxed)),
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
