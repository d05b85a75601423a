// The capacities of rings and of the outbox are powers of two, so that a mask finds a place.

extension Int {
  /// The least power of two that is not below this number, which is above 0 and at most 2^62.
  var roundedUpToPowerOfTwo: Int {
    var power = 1
    while power < self { power *= 2 }
    return power
  }
}
