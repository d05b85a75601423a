// Words of meters and their readings, in market files and on the command line.

import MarketModel

extension Typed {
  /// Who answers for a meter's readings: "device" or "operator".
  public static func attestation(_ text: String) throws(ValueError) -> MeterAttestation {
    switch text {
    case "device": .device
    case "operator": .meteringOperator
    default:
      throw ValueError(
        "write device, whose key signs the readings, or operator, whose sessions may send them unsigned"
      )
    }
  }

  /// The word of an attestation.
  public static func name(of attestation: MeterAttestation) -> String {
    attestation == .device ? "device" : "operator"
  }

  /// What a meter measures, such as "solar".
  public static func technology(_ text: String) throws(ValueError) -> MeterTechnology {
    if let found = MeterTechnology.allCases.first(where: { "\($0)" == text }) { return found }
    let known = MeterTechnology.allCases.map { "\($0)" }.joined(separator: ", ")
    throw ValueError("it is no technology; write one of \(known)")
  }

  /// How a reading came about: "measured", "substituted" or "estimated".
  public static func quality(_ text: String) throws(ValueError) -> ReadingQuality {
    if let found = ReadingQuality.allCases.first(where: { "\($0)" == text }) { return found }
    throw ValueError("write measured, substituted or estimated")
  }

  /// The place of a meter: at most 16 printable ASCII characters, or none.
  public static func place(_ text: String) throws(ValueError) -> Label {
    text.isEmpty ? .empty : try symbol(text)
  }
}
