// Meters have numbers on the exchange, and names in files: NMI, metering location, serial number.

import MarketModel

/// Which meter a name is.
public struct MeterNames: Sendable {
  /// Numbers of names; `nil`: names are numbers.
  private let numbers: [String: UInt32]?

  /// Names that are the meters' numbers.
  public static let numbers = MeterNames(nil)

  private init(_ numbers: [String: UInt32]?) { self.numbers = numbers }

  /// Reads a table of names: lines `name,number`, with a comma or a semicolon. A first line whose
  /// second cell is no number has the names of the columns.
  /// - Throws: `.content` with the line and what is wrong.
  public init(table text: String, file: String) throws(ImportError) {
    var numbers: [String: UInt32] = [:]
    var taken: Set<UInt32> = []
    let plain = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
    for (index, line) in plain.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated() where !line.allSatisfy(\.isWhitespace)
    {
      let cells = line.split(omittingEmptySubsequences: false) { $0 == "," || $0 == ";" }
        .map { $0.filter { $0 != "\"" && !$0.isWhitespace } }
      guard cells.count == 2, !cells[0].isEmpty, let number = Self.number(cells[1]) else {
        if index == 0, cells.count == 2, cells[1].contains(where: \.isLetter) { continue }
        throw ImportError(
          .content,
          "\(file):\(index + 1): write the meter's name in the files and its number on the exchange, "
            + "such as NEM1201009,100")
      }
      if numbers.updateValue(number, forKey: cells[0]) != nil {
        throw ImportError(.content, "\(file):\(index + 1): \(cells[0]) stands there twice")
      }
      guard taken.insert(number).inserted else {
        throw ImportError(
          .content,
          "\(file):\(index + 1): number \(number) stands there twice; a meter has one name")
      }
    }
    self.init(numbers)
  }

  /// The number of a name; `nil` when it has none.
  func number(of name: String) -> MeterId? {
    if let numbers { return numbers[name].map { MeterId($0) } }
    return Self.number(name).map { MeterId($0) }
  }

  /// What to do about a name without a number.
  func advice(_ name: String) -> String {
    numbers == nil
      ? "meter '\(name)' is no number from 1 to \(UInt32.max): give its number in a table of names "
        + "(--meters FILE, lines such as \(name.isEmpty ? "NAME" : name),100), or --meter if the file "
        + "has one meter"
      : "meter '\(name)' is not in the table of --meters: add a line \(name),NUMBER"
  }

  private static func number(_ text: some StringProtocol) -> UInt32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = UInt32(text), number > 0
    else { return nil }
    return number
  }
}
