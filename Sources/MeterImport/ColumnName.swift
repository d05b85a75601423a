// What the name of a column says: its meaning, its unit, its OBIS register.

/// A direction and a kind of values, by an OBIS code such as 1-1:1.29.0.
struct ObisCode: Equatable {
  /// What a register has.
  enum Kind: Equatable {
    /// The register itself (8): its energy so far.
    case register
    /// The energy of the interval (9, 29).
    case interval
    /// The average power of the interval (4, 5, 25, 27).
    case power
  }

  var direction: EnergyDirection
  var kind: Kind
  /// The tariff; 0: all.
  var tariff: Int

  /// The code in a text; `nil` when there is none of active energy.
  init?(_ text: some StringProtocol) {
    // Medium and channel stand before a colon, the storage number behind an asterisk.
    let tail = text.split(separator: ":", maxSplits: 1).last ?? ""
    let body = tail.prefix { $0.isNumber || $0 == "." }
    let parts = body.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2 || parts.count == 3, let value = parts[0], let kind = parts[1] else {
      return nil
    }
    switch value {
    case 1: direction = .consumed
    case 2: direction = .produced
    default: return nil
    }
    switch kind {
    case 8: self.kind = .register
    case 9, 29: self.kind = .interval
    case 4, 5, 25, 27: self.kind = .power
    default: return nil
    }
    tariff = parts.count == 3 ? parts[2] ?? 0 : 0
  }

  /// Whether a text has the form of an OBIS code, also of one that is not imported.
  static func isCode(_ text: some StringProtocol) -> Bool {
    let tail = text.split(separator: ":", maxSplits: 1).last ?? ""
    let body = tail.prefix { $0.isNumber || $0 == "." }
    return body.split(separator: ".", omittingEmptySubsequences: false).count >= 3
      && body.split(separator: ".").allSatisfy { Int($0) != nil }
  }
}

/// The name of a column.
struct ColumnName {
  /// The meaning of a column.
  enum Role: Equatable {
    case meter, start, end, date, clock, endDate, endClock
    case consumed, produced, value, quality, sequence, unit, obis
  }

  /// The name as it stands in the file.
  let name: String
  /// Without unit, blanks and marks, in lower case and ASCII: "datumuhrzeit".
  let word: String
  let unit: ValueUnit?
  let obis: ObisCode?
  /// Whether the values are what a register shows.
  let isRegister: Bool

  init(_ name: String) {
    self.name = name
    var text = name.lowercased()
    for (letter, spelling) in [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")] {
      text = text.split(separator: letter, omittingEmptySubsequences: false)
        .joined(separator: spelling)
    }
    let words = text.split { !$0.isLetter && !$0.isNumber && $0 != "." && $0 != ":" && $0 != "-" }
    unit = words.last.flatMap { ValueUnit(anyCase: $0) }
    let named = words.filter { ValueUnit(anyCase: $0) == nil && $0 != "in" }
    obis = named.lazy.compactMap { ObisCode.isCode($0) ? ObisCode($0) : nil }.first
    word = named.filter { !ObisCode.isCode($0) }.joined().filter { $0.isASCII && $0.isLetter }
    isRegister = obis?.kind == .register || word.contains("zaehlerstand")
  }

  /// The meaning of a column of the exchange's own format.
  var ownRole: Role? { Self.own[word] }

  private static let own: [String: Role] = [
    "meter": .meter, "start": .start, "end": .end, "produced": .produced, "consumed": .consumed,
    "quality": .quality, "sequence": .sequence, "registersequence": .sequence,
    "intervalstart": .start, "intervalend": .end, "producedwh": .produced,
    "consumedwh": .consumed,
  ]

  /// The meaning of a column of a German file.
  var germanRole: Role? {
    if let obis { return obis.direction == .consumed ? .consumed : .produced }
    if let role = Self.german[word] { return role }
    if word.isEmpty, unit != nil { return .consumed }
    if Self.producedWords.contains(where: { word.contains($0) }), !word.contains("status") {
      return .produced
    }
    if Self.consumedWords.contains(where: { word.contains($0) }), !word.contains("status") {
      return .consumed
    }
    if word.contains("status") || word.contains("ersatzwert") { return .quality }
    return nil
  }

  private static let german: [String: Role] = {
    let words: [(Role, String)] = [
      (.date, "datum tag date abdatum vondatum datumvon datumab startdatum beginndatum"),
      (
        .clock, "uhrzeit zeit time abzeit vonzeit zeitvon uhrzeitvon startzeit vonuhrzeit abuhrzeit"
      ),
      (.start, "zeitstempel zeitpunkt datumuhrzeit datumzeit timestamp von ab beginn start"),
      (.start, "zeitraumvon zeitvonbis messzeitpunkt datumuhrzeitvon"),
      (.end, "bis ende zeitraumbis end datumuhrzeitbis"),
      (.endDate, "bisdatum datumbis enddatum"),
      (.endClock, "biszeit zeitbis uhrzeitbis endzeit bisuhrzeit"),
      (.meter, "zaehler zaehlernummer zaehlernr zaehlpunkt zaehlpunktbezeichnung messlokation"),
      (.meter, "messlokationsid melo meloid marktlokation marktlokationsid malo maloid meter"),
      (.meter, "messstelle messpunkt geraet geraetenummer"),
      (.obis, "obis obiskennzahl obiscode kennzahl kanal"),
      (.unit, "einheit unit"),
      (.quality, "status statuswort qualitaet guete wertstatus messwertstatus kennzeichen quality"),
      (.sequence, "sequence folgenummer"),
    ]
    var roles: [String: Role] = [:]
    for (role, names) in words {
      for name in names.split(separator: " ") { roles[String(name)] = role }
    }
    return roles
  }()

  private static let producedWords = ["einspeis", "erzeug", "lieferung", "abgabe", "produktion"]
  private static let consumedWords = [
    "verbrauch", "bezug", "wert", "lastgang", "arbeit", "leistung", "menge", "entnahme", "last",
    "zaehlerstand",
  ]
}
