// How files mark estimated and substituted values.

import MarketModel

/// The marks of a profile.
enum QualityText {
  /// The quality that a mark means; `nil`: there is no value.
  /// - Throws: the mark is unknown.
  static func parse(_ bytes: Bytes, _ profile: ImportProfile) throws(TextFault) -> ReadingQuality? {
    if bytes.isEmpty { return .measured }
    let word = bytes.shown.lowercased()
    switch (profile, word) {
    case (_, "measured"), (_, "m"), (_, "actual"): return .measured
    case (_, "substituted"), (_, "s"): return .substituted
    case (_, "estimated"): return .estimated
    case (.german, "w"), (.german, "wahr"), (.german, "wahrer wert"), (.german, "ok"),
      (.german, "gemessen"), (.german, "messwert"), (.german, "gültig"), (.german, "0"),
      (.german, "valid"):
      return .measured
    case (.german, "e"), (.german, "ersatzwert"), (.german, "ersatz"), (.german, "korrigiert"):
      return .substituted
    case (.german, "v"), (.german, "vorläufig"), (.german, "vorläufiger wert"),
      (.german, "prognose"), (.german, "geschätzt"):
      return .estimated
    case (.german, "f"), (.german, "fehlt"), (.german, "fehlender wert"), (.german, "fehlwert"):
      return nil
    case (.columns, "a"): return .measured
    case (.columns, "e"): return .estimated
    default:
      let known =
        profile == .german
        ? "W, E (Ersatzwert), V (vorläufig) and F (fehlt)" : "measured, substituted and estimated"
      throw TextFault(
        "the quality '\(bytes.shown)' is unknown; \(known) are known, and --ignore-quality takes all "
          + "values as measured")
    }
  }

  /// The quality of a method of NEM12, such as "A", "S14" or "E62"; `nil`: there is no value.
  /// - Throws: the method is unknown.
  static func nem12(_ bytes: Bytes) throws(TextFault) -> ReadingQuality? {
    switch bytes.first {
    case 0x41: return .measured
    case 0x45: return .estimated
    case 0x46, 0x53: return .substituted
    case 0x4E: return nil
    default:
      throw TextFault("the quality '\(bytes.shown)' is unknown; it is A, E, F, N, S or V")
    }
  }
}
