import MarketModel
import Yams

/// The value of an entry of a mapping, with its place.
struct FileValue {
  let node: Node
  let line: Int
}

/// Reads a market file. Collects all faults instead of ending with the first.
struct MarketFileReader {
  let name: String
  /// Reads the public key in a file, whose name is relative to the market file.
  let keyFile: (String) throws(ValueError) -> PublicKey
  var faults: [(line: Int, text: String)] = []
  var market: MarketDescription

  init(name: String, keyFile: @escaping (String) throws(ValueError) -> PublicKey) {
    (self.name, self.keyFile) = (name, keyFile)
    market = MarketDescription(name: name)
  }

  private static let sections = [
    "areas", "instruments", "participants", "sessions", "accounts", "meters",
  ]

  mutating func read(_ yaml: String) {
    if let root = compose(yaml) { readSections(root) }
  }

  /// The content of a file; `nil` after a fault was noted.
  mutating func compose(_ yaml: String) -> Node? {
    do {
      if let root = try Yams.compose(yaml: yaml) { return root }
      fault(1, "the file is empty")
    } catch let error as YamlError {
      fault(error)
    } catch {
      fault(1, "it is not valid YAML")
    }
    return nil
  }

  private mutating func readSections(_ root: Node) {
    for (key, value) in pairs(root, "the file") {
      guard Self.sections.contains(key) else {
        let known = Self.sections.joined(separator: ", ")
        fault(value.line, "\(key) is no section of a market file; its sections are \(known)")
        continue
      }
      if case .scalar(let scalar) = value.node, scalar.string.isEmpty { continue }
      for (number, entry) in pairs(value.node, key) {
        readEntry(key, number, entry)
      }
    }
  }

  private mutating func readEntry(_ section: String, _ number: String, _ value: FileValue) {
    let what = "\(section.dropLast()) \(number)"
    let most: UInt32 = section == "areas" ? UInt32(UInt16.max) : UInt32.max - 1
    let id: UInt32
    do throws(ValueError) {
      id = try Typed.number(number, in: 1...most)
    } catch {
      return fault(value.line, "\(section): the number '\(number)' cannot be used: \(error)")
    }
    var entry = FileFields(what, value, in: &self)
    switch section {
    case "areas": readArea(AreaId(UInt16(id)), &entry)
    case "instruments": readInstrument(InstrumentId(id), &entry)
    case "participants": readParticipant(ParticipantId(id), &entry)
    case "sessions": readSession(SessionId(id), &entry)
    case "accounts": readAccount(AccountId(id), &entry)
    default: readMeter(MeterId(id), &entry)
    }
  }

  // MARK: Faults and nodes

  mutating func fault(_ line: Int, _ text: String) { faults.append((line, text)) }

  private mutating func fault(_ error: YamlError) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      fault(mark.line, "it is not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
      fault(context.mark.line, "\(keys.joined(separator: ", ")) stands twice in one mapping")
    default: fault(1, "it is not valid YAML, or no text in UTF-8")
    }
  }

  /// The keys and values of a mapping, in the order of the file.
  mutating func pairs(_ node: Node, _ what: String) -> [(key: String, value: FileValue)] {
    guard case .mapping(let mapping) = node else {
      fault(node.mark?.line ?? 1, "\(what) must be a mapping of keys to values")
      return []
    }
    var found: [(key: String, value: FileValue)] = []
    for (key, value) in mapping {
      let line = key.mark?.line ?? 1
      if let name = key.scalar?.string {
        found.append((name, FileValue(node: value, line: line)))
      } else {
        fault(line, "\(what) has a key that is no text")
      }
    }
    return found
  }
}

/// The fields of one entry. Each is taken once; what is left is not known.
struct FileFields {
  let what: String
  let line: Int
  private var values: [String: FileValue] = [:]
  private var known: [String] = []
  private let isMapping: Bool
  /// Whether every field so far could be used.
  private(set) var isWhole = true

  init(_ what: String, _ value: FileValue, in reader: inout MarketFileReader) {
    (self.what, line) = (what, value.line)
    let before = reader.faults.count
    isMapping = value.node.mapping != nil
    for (key, value) in reader.pairs(value.node, what) { values[key] = value }
    isWhole = reader.faults.count == before
  }

  /// Takes a field that must be there. Without it, or with a value that cannot be used, a fault is
  /// noted and the result is `nil`.
  mutating func required<Value>(
    _ name: String, _ reader: inout MarketFileReader,
    _ parse: (String) throws(ValueError) -> Value
  ) -> Value? {
    if values[name] == nil, isMapping {
      fault(line, "\(what): \(name) is missing", &reader)
    }
    return optional(name, &reader, parse)
  }

  /// Takes a field that may be left out. With a value that cannot be used a fault is noted.
  mutating func optional<Value>(
    _ name: String, _ reader: inout MarketFileReader,
    _ parse: (String) throws(ValueError) -> Value
  ) -> Value? {
    guard let value = take(name) else { return nil }
    guard let text = Self.text(value.node) else {
      fault(value.line, "\(what): \(name) takes a value, not a mapping", &reader)
      return nil
    }
    do throws(ValueError) {
      return try parse(text)
    } catch {
      fault(value.line, "\(what): \(name): '\(text)' cannot be used: \(error)", &reader)
      return nil
    }
  }

  /// The line of a field that was not taken yet; that of the entry when there is none.
  func line(of name: String) -> Int { values[name]?.line ?? line }

  /// Takes a field without reading it.
  mutating func take(_ name: String) -> FileValue? {
    known.append(name)
    return values.removeValue(forKey: name)
  }

  /// Notes a fault for each field that was not taken.
  mutating func finish(_ reader: inout MarketFileReader) {
    for (name, value) in values.sorted(by: { $0.value.line < $1.value.line }) {
      let list = known.joined(separator: ", ")
      fault(value.line, "\(what): there is no field \(name); its fields are \(list)", &reader)
    }
  }

  mutating func fault(_ line: Int, _ text: String, _ reader: inout MarketFileReader) {
    isWhole = false
    reader.fault(line, text)
  }

  /// A scalar's text; the texts of a list joined by `+`.
  private static func text(_ node: Node) -> String? {
    switch node {
    case .scalar(let scalar): return scalar.string
    case .sequence(let sequence):
      let words = sequence.compactMap(\.scalar?.string)
      return words.count == sequence.count ? words.joined(separator: "+") : nil
    default: return nil
    }
  }
}

extension MarketDescription {
  /// Reads the text of a market file (YAML).
  /// - Parameters:
  ///   - name: The file's name, for messages.
  ///   - keyFile: Reads the public key in a file; its name is relative to the market file.
  /// - Throws: all faults, each with file, line, field and the allowed values.
  public init(
    yaml: String, name: String, keyFile: @escaping (String) throws(ValueError) -> PublicKey
  ) throws(MarketFileError) {
    var reader = MarketFileReader(name: name, keyFile: keyFile)
    reader.read(yaml)
    guard reader.faults.isEmpty else {
      throw MarketFileError(
        reader.faults.sorted { $0.line < $1.line }.map { "\(name):\($0.line): \($0.text)" })
    }
    self = reader.market
  }
}
