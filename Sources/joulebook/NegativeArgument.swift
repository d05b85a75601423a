import ArgumentParser

/// A number below zero that the parser of the command line took for an option.
enum NegativeArgument {
  /// What to say in place of the parser's words, which name an option or a missing argument.
  /// - Parameters:
  ///   - arguments: The command line without the program's name.
  ///   - words: What the parser says about it.
  /// - Returns: `nil` when the fault is another one.
  static func explanation(_ arguments: [String], parser words: String) -> String? {
    for (index, argument) in arguments.enumerated() where isNegative(argument) {
      let option = index > 0 && arguments[index - 1].hasPrefix("--") ? arguments[index - 1] : nil
      if let option {
        guard words.contains("Missing value for '\(option)") else { continue }
        return "\(option) cannot be \(argument): it takes no number below zero"
      }
      guard words.contains("Missing expected argument") || words.contains("Unknown option '-")
      else { continue }
      return "\(argument) cannot be used here: \(advice(arguments))"
    }
    return nil
  }

  /// What is right in place of a number below zero.
  private static func advice(_ arguments: [String]) -> String {
    let command = arguments.first == "admin" ? arguments.dropFirst().first : nil
    return switch command {
    case "deposit":
      "an amount is positive. `joulebook admin withdraw` takes cash out of an account"
    case "withdraw": "an amount is positive. `joulebook admin deposit` pays cash in"
    case "limit": "a limit is positive; 0 removes it"
    default: "no value of this command that stands without an option is below zero"
    }
  }

  private static func isNegative(_ argument: String) -> Bool {
    guard argument.first == "-", let next = argument.dropFirst().first else { return false }
    return next.isNumber || (next == "." || next == ",") && argument.dropFirst(2).first != nil
  }
}
