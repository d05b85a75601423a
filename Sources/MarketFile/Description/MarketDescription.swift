import MarketModel

/// What a market consists of: that of a market file, or that of an exchange. Areas, instruments,
/// participants, sessions, accounts, meters, own caps, limits, deposits of market files, and standing
/// instructions.
public struct MarketDescription: Sendable, Equatable {
  /// A definition and where it is written.
  public struct Entry: Sendable, Equatable {
    /// What is defined.
    public let definition: MarketDefinition
    /// The line of the file, from 1; 0 for an exchange.
    public let line: Int

    /// An entry of a file, or of an exchange (line 0).
    public init(_ definition: MarketDefinition, line: Int = 0) {
      (self.definition, self.line) = (definition, line)
    }
  }

  /// The file's name, for messages; of an exchange its data folder.
  public let name: String
  /// The definitions by name.
  public private(set) var entries: [MarketItem: Entry] = [:]
  /// What is in force in an exchange and no file can define, one line each, such as blocks. Comments
  /// at the head of its file.
  public var remarks: [String] = []

  /// What an exchange had and an operator ended: revoked sessions, and meters without an account.
  public private(set) var ended: Set<MarketItem> = []

  /// What the first start of every server makes by itself; the text of a file leaves it out.
  public var ofFirstStart: Set<MarketItem> = []

  /// A description without definitions.
  public init(name: String) { self.name = name }

  /// Adds a definition, or replaces the one with the same name.
  public mutating func add(_ definition: MarketDefinition, line: Int = 0) {
    entries[definition.item] = Entry(definition, line: line)
  }

  /// Notes that a session was revoked, or that a meter has no account any more.
  public mutating func end(_ item: MarketItem) { ended.insert(item) }

  /// All names in the order in which they are created: what others refer to comes first.
  public var items: [MarketItem] { entries.keys.sorted { $0.order < $1.order } }

  /// The place of an item in the file: "village.yaml:12".
  public func place(of item: MarketItem) -> String {
    guard let line = entries[item]?.line, line > 0 else { return name }
    return "\(name):\(line)"
  }
}

/// Why a market file cannot be used: one line for each fault, with the file and the line.
public struct MarketFileError: Error, Equatable, CustomStringConvertible {
  /// The faults, in the order of the file.
  public let faults: [String]

  /// Creates an error with these faults.
  public init(_ faults: [String]) { self.faults = faults }

  /// The faults, one in a line.
  public var description: String { faults.joined(separator: "\n") }
}
