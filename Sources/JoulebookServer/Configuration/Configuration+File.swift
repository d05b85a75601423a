import Yams

extension Configuration {
  /// Reads the text of a configuration file: YAML, every key optional.
  /// - Parameters:
  ///   - name: The file's name, for messages.
  ///   - chosen: Receives the keys that the file sets.
  /// - Throws: if the text is not a YAML mapping, or contains an unknown key (the message names
  ///   the nearest known one) or an invalid value.
  public mutating func read(
    yaml: String, name: String, noting chosen: inout Set<String>
  ) throws(ConfigurationError) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw ConfigurationError("\(name): not valid YAML: \(error)")
    }
    guard let root else { return }
    try read(root, prefix: "", name: name, noting: &chosen)
  }

  /// Reads the text of a configuration file.
  /// - Throws: as `read(yaml:name:noting:)`.
  public mutating func read(yaml: String, name: String) throws(ConfigurationError) {
    var chosen: Set<String> = []
    try read(yaml: yaml, name: name, noting: &chosen)
  }

  /// Sets one key from text, as in `--set capacity.orders=1000`.
  /// - Throws: if the key is unknown or the value invalid.
  public mutating func set(_ key: String, to value: String) throws(ConfigurationError) {
    guard let setting = Self.settings.first(where: { $0.key == key }) else {
      throw Self.unknown(key)
    }
    try setting.assign(&self, value)
  }

  /// The configuration as a commented file that `read` accepts.
  public var yaml: String { yaml(of: Self.settings) }

  func yaml(of settings: [Setting]) -> String {
    var lines: [String] = []
    var section = ""
    for setting in settings {
      let parts = setting.key.split(separator: ".").map(String.init)
      if parts.count == 2, parts[0] != section { lines.append("\(parts[0]):") }
      section = parts.count == 2 ? parts[0] : ""
      let written = setting.value(self)
      let value =
        written.isEmpty || written.contains(where: ":[]#{}\"\\".contains)
        ? Self.quoted(written) : written
      let line = "\(parts.count == 2 ? "  " : "")\(parts[parts.count - 1]): \(value)"
      let padding = String(repeating: " ", count: max(1, 34 - line.count))
      lines.append("\(line)\(padding)# \(setting.text)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A YAML scalar in double quotes.
  private static func quoted(_ text: String) -> String {
    let escaped = text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    return "\"\(escaped)\""
  }

  private mutating func read(
    _ node: Node, prefix: String, name: String, noting chosen: inout Set<String>
  ) throws(ConfigurationError) {
    guard case .mapping(let mapping) = node else {
      throw ConfigurationError(
        "\(name): \(prefix.isEmpty ? "the file" : prefix) must be a mapping of keys to values")
    }
    for (keyNode, value) in mapping {
      let key = prefix + (keyNode.scalar?.string ?? "?")
      let place = "\(name)\(keyNode.mark.map { ":\($0.line)" } ?? "")"
      do throws(ConfigurationError) {
        try take(key, value, name: name, noting: &chosen)
      } catch {
        throw ConfigurationError(
          error.description.hasPrefix(name) ? error.description : "\(place): \(error)")
      }
    }
  }

  private mutating func take(
    _ key: String, _ node: Node, name: String, noting chosen: inout Set<String>
  ) throws(ConfigurationError) {
    switch node {
    case .scalar(let scalar):
      try set(key, to: scalar.string)
      chosen.insert(key)
    case .sequence(let sequence):
      try set(key, to: sequence.compactMap(\.scalar?.string).joined(separator: ","))
      chosen.insert(key)
    case .mapping:
      if Self.settings.contains(where: { $0.key == key }) {
        throw ConfigurationError("\(key): takes a value, not a mapping of keys to values")
      }
      guard Self.settings.contains(where: { $0.key.hasPrefix(key + ".") }) else {
        throw Self.unknown(key)
      }
      try read(node, prefix: key + ".", name: name, noting: &chosen)
    case .alias:
      throw ConfigurationError("\(key): aliases are not read; write the value")
    }
  }

  /// The error for a key that does not exist: the known one with the smallest edit distance is
  /// named when less than half of the letters differ, or when both begin with the same three.
  private static func unknown(_ key: String) -> ConfigurationError {
    if key.isEmpty {
      return ConfigurationError(
        "no key is named; `joulebook serve --print-default-config` lists all")
    }
    let nearest = settings.map { (key: $0.key, distance: distance($0.key, key)) }
      .min { $0.distance < $1.distance }
    guard let nearest,
      nearest.distance * 2 < key.utf8.count || nearest.key.hasPrefix(key.prefix(3))
    else {
      return ConfigurationError(
        "unknown key \(key); `joulebook serve --print-default-config` lists all")
    }
    return ConfigurationError("unknown key \(key); did you mean \(nearest.key)?")
  }

  /// Edit distance (insertions, deletions, substitutions) between two texts (Wagner and Fischer
  /// 1974).
  private static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.lowercased().utf8), Array(b.lowercased().utf8))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let changed = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(changed, min(row[j], row[j + 1]) + 1)
      }
    }
    return row[b.count]
  }
}
