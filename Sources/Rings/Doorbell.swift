// A bell that cannot be missed, for one sleeper and any number of ringers.
//
//      sleeper                                   ringer
//   1  asleep = 1                             a  change what the sleeper looks at
//   2  fence                                  b  fence
//   3  look: something to do? -> up           c  asleep == 1?  -> take it (exchange 0), signal
//   4  sleep until signalled
//
// The fences order 1 before 3 and a before c in one total order: either the sleeper sees the change
// at 3, or the ringer sees `asleep` at c. Who takes the 1 out of `asleep` owes, or is owed, exactly
// one signal, so signals never pile up.

import Glibc
import Synchronization

/// Wakes one sleeping thread. `ring` may be called by any thread, `wait` by one at a time.
public final class Doorbell: @unchecked Sendable {
  @usableFromInline let asleep = Atomic<UInt32>(0)
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>
  /// Guarded by `mutex`.
  private nonisolated(unsafe) var signals = 0

  /// A bell nobody waits for yet.
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

  /// Wakes the sleeper, if there is one, after its reason to wake was made visible. A fence when it
  /// is awake. Any thread.
  @inlinable public func ring() {
    // Pairs with the fence in `wait`.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if asleep.load(ordering: .relaxed) == 1 { signal() }
  }

  /// Sleeps until `isReady` says yes, which is asked before each sleep and after each ring.
  /// - Parameters:
  ///   - timeoutNanoseconds: Gives up after this long; `nil`: never.
  ///   - isReady: What the ringer changes before it rings; must not sleep itself.
  /// - Returns: Whether `isReady` said yes; `false` only when the time was up.
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

  /// Takes `asleep` back; when a ringer was faster, takes the signal it owes.
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

  /// Takes one signal.
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
