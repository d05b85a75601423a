import MarketModel

/// A person behind an account: a name and an address, as an operator writes them to bills.
public struct Person: Sendable, Equatable {
  /// What can be noted about a person. The raw values are the columns of CSV files.
  public enum Field: String, Sendable, CaseIterable {
    /// Full name.
    case name
    /// Street and house number.
    case street
    /// Postal code.
    case postcode
    /// City.
    case city
    /// Address of electronic mail.
    case email
    /// Telephone number.
    case phone
  }

  /// The account.
  public let account: AccountId
  /// What is noted; a missing field is empty.
  public let values: [Field: String]

  /// A person with these values; empty ones are left out.
  public init(account: AccountId, values: [Field: String]) {
    self.account = account
    self.values = values.filter { !$0.value.isEmpty }
  }

  /// The most characters of a field.
  static let longest = 200

  /// Why `value` cannot be the value of `field`; `nil` if it can.
  static func fault(_ field: Field, _ value: String) -> String? {
    if value.count > longest {
      return "\(field.rawValue) has \(value.count) characters; at most \(longest) are kept"
    }
    if value.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "\(field.rawValue) contains a control character, such as a line break or a tab"
    }
    if field == .email, !value.isEmpty, value.split(separator: "@").count != 2 {
      return "email: '\(value)' is no address such as anna@example.org"
    }
    return nil
  }
}

/// Why the file of persons cannot be used, or does not take a value.
public struct PeopleError: Error, Equatable, CustomStringConvertible {
  /// The kind of an error.
  public enum Kind: Sendable {
    /// A value or a CSV file cannot be used.
    case value
    /// The folder or the person is missing.
    case missing
    /// The file cannot be read or written, or others have access to it.
    case file
    /// Another command is writing to the file.
    case busy
  }

  /// The kind.
  public let kind: Kind
  /// What happened, and what to do about it.
  public let description: String

  init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}
