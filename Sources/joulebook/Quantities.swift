// Values of the command line that options parse by their type. Those with units are parsed by
// `Typed`, whose errors say what to write.

import ArgumentParser
import MarketModel

extension AccountId: ExpressibleByArgument {
  /// An account number, 0 to 4,294,967,295.
  public init?(argument: String) {
    guard let number = UInt32(argument) else { return nil }
    self.init(number)
  }
}
