// Values of the command line that options parse by their type. Those with units are parsed by
// `Typed`, whose errors say what to write.

import ArgumentParser
import MarketFile
import MarketModel

extension AccountId: ExpressibleByArgument {
  /// An account number, 0 to 4,294,967,295.
  public init?(argument: String) {
    guard let number = UInt32(argument) else { return nil }
    self.init(number)
  }
}

/// Numbers of the command line, with errors that say which there are.
enum Quantities {
  /// The number of an area, 1 to 65,535.
  static func definedArea(_ text: String) throws(ValueError) -> UInt16 {
    try Typed.number(text, in: 1...UInt16.max)
  }

  /// The number of what is defined by it, from 1.
  static func defined(_ text: String) throws(ValueError) -> UInt32 {
    try Typed.number(text, in: 1...UInt32.max)
  }

  /// The reference of a payment, from 1.
  static func reference(_ text: String) throws(ValueError) -> UInt64 {
    try Typed.number(text, in: 1...UInt64.max)
  }

  /// The source of references, 0 to 65,534; the last number is that of market files.
  static func source(_ text: String) throws(ValueError) -> UInt16 {
    try Typed.number(text, in: 0...UInt16.max - 1)
  }
}
