// A wake-up signal without lost wake-ups, for one sleeping thread and any number of waking threads.
//
//      sleeping thread                           waking thread
//   1  asleep = 1                             a  change the state that the sleeping thread checks
//   2  fence                                  b  fence
//   3  check the state: work to do? -> run    c  asleep == 1?  -> exchange it for 0, signal
//   4  sleep until signalled
//
// The fences put 1 before 3 and a before c in one total order, so either step 3 sees the change or
// step c sees `asleep`. A thread that exchanges the 1 for 0 sends or consumes exactly one signal,
// so signals do not accumulate.

import Glibc
import Synchronization

/// Wakes one sleeping thread. Any thread may call `ring`; one thread at a time may call `wait`.
public final class Doorbell: @unchecked Sendable {
  @usableFromInline let asleep = Atomic<UInt32>(0)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  /// Guarded by `mutex`.
  private nonisolated(unsafe) var signals = 0

  /// A doorbell without a waiting thread.
  public init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  /// Wakes the sleeping thread, if there is one. Call it after the change that the thread waits
  /// for. Costs a fence when no thread sleeps. Any thread.
  @inlinable public func ring() {
    // Pairs with the fence in `wait`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if asleep.load(ordering: .relaxed) == 1 { signal() }
  }

  /// Sleeps until `isReady` returns true. It is evaluated before each sleep and after each ring.
  /// - Parameters:
  ///   - timeoutNanoseconds: The longest time to wait; `nil`: no limit.
  ///   - isReady: Checks the state that waking threads change before they ring; must not block.
  /// - Returns: Whether `isReady` returned true; `false` only after the timeout.
  public func wait(timeoutNanoseconds: UInt64? = nil, until isReady: () -> Bool) -> Bool {
    if isReady() { return true }
    let deadline = timeoutNanoseconds.map(Self.deadline(after:))
    while true {
      asleep.store(1, ordering: .relaxed)
      // Pairs with the fence in `ring`.
      atomicMemoryFence(ordering: .sequentiallyConsistent)
      if isReady() {
        retire()
        return true
      }
      guard sleep(until: deadline) else {
        retire()
        return isReady()
      }
      if isReady() { return true }
    }
  }

  /// Resets `asleep`; consumes the signal of a waking thread that was faster.
  private func retire() {
    if asleep.exchange(0, ordering: .sequentiallyConsistent) == 0 { _ = sleep(until: nil) }
  }

  @usableFromInline func signal() {
    guard asleep.exchange(0, ordering: .sequentiallyConsistent) == 1 else { return }
    pthread_mutex_lock(mutex)
    signals += 1
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for one signal and consumes it.
  /// - Returns: `false` when `deadline` passed first.
  private func sleep(until deadline: timespec?) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while signals == 0 {
      if var deadline {
        if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT, signals == 0 {
          return false
        }
      } else {
        pthread_cond_wait(condition, mutex)
      }
    }
    signals -= 1
    return true
  }

  private static func deadline(after nanoseconds: UInt64) -> timespec {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let sum = now.tv_nsec + Int(nanoseconds % 1_000_000_000)
    return timespec(
      tv_sec: now.tv_sec + Int(nanoseconds / 1_000_000_000) + sum / 1_000_000_000,
      tv_nsec: sum % 1_000_000_000)
  }
}
