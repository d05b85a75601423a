import Glibc
import Rings

/// A value with its check word: half an element or a mix of two is recognised.
struct Pair: BitwiseCopyable {
  let value: UInt64
  let check: UInt64

  init(_ value: UInt64) {
    self.value = value
    check = ~value &* 0x9E37_79B9_7F4A_7C15  // any mixing; wrapping is its point
  }

  var isWhole: Bool { check == ~value &* 0x9E37_79B9_7F4A_7C15 }
}

func yieldCore() { sched_yield() }
