// The stage behind every parser: values become readings, each of which is judged by what the file
// had of its meter before.
//
//     parser ─▶ parts of an interval ─▶ reading ─▶ known meter, sign, length, place ─▶ items
//               (registers of a meter)

import MarketModel

/// Collects the readings of a file. Owned by its `MeterFile`.
final class ReadingSink {
  /// What is kept of a meter.
  struct Meter {
    /// Its name in the file.
    let name: String
    /// Its number on the exchange.
    let number: MeterId?
    var coverage = Coverage()
    var hour = RepeatedHour()
    /// The registers of which a complete interval has a value, by name; empty: one.
    var registers: [String] = []
    /// What the registers showed last: consumed and produced.
    var shown = RegisterPair()
  }

  /// What two registers showed at a moment, Wh.
  struct RegisterPair {
    var moment: Int64 = .min
    var consumed: Int64 = 0
    var produced: Int64 = 0
    var quality = ReadingQuality.measured
  }

  /// Values of an interval whose other registers have not come yet.
  private struct Part {
    var line: Int
    var end: Int64
    var produced: Int64 = 0
    var consumed: Int64 = 0
    var quality = ReadingQuality.measured
    /// A bit for each register that has come.
    var registers: UInt32 = 0
  }

  private struct PartKey: Hashable {
    var meter: Int
    var start: Int64
  }

  /// Most meters of a file.
  static let mostMeters = 1 << 20
  /// Most intervals that wait for their other registers.
  static let mostParts = 1 << 21
  /// Most intervals of a file, of each of which four bytes are kept.
  static let mostIntervals = 1 << 27
  /// Most registers of a meter.
  static let mostRegisters = 32
  /// Longest interval that the exchange takes, s.
  static let longest: Int64 = 86_400

  let options: ImportOptions
  let zone: TimeZoneRules?
  private(set) var meters: [Meter] = []
  private var indexes: [String: Int] = [:]
  private var parts: [PartKey: Part] = [:]
  var report = ImportReport()
  /// What has not been fetched yet, in order.
  private var items: [ImportItem] = []
  private var fetched = 0

  init(_ options: ImportOptions) throws(ImportError) {
    self.options = options
    zone = options.effectiveZone
    if options.profile == .german, zone == nil {
      throw ImportError(
        .option, "this system does not know the zone Europe/Berlin: install its time zones (tzdata)"
      )
    }
  }

  /// The next item; `nil` when all are fetched.
  func pop() -> ImportItem? {
    guard fetched < items.count else {
      items.removeAll(keepingCapacity: items.capacity < 4_096)
      fetched = 0
      return nil
    }
    fetched += 1
    return items[fetched - 1]
  }

  // MARK: Meters

  /// The place of a meter; a new name gets a new one.
  /// - Throws: `.content` when there are too many.
  func meter(_ name: String) throws(ImportError) -> Int {
    if let index = indexes[name] { return index }
    guard meters.count < Self.mostMeters else {
      throw ImportError(
        .content,
        "the file has more than \(Self.mostMeters) different meters: is the column of meters right?"
      )
    }
    let number = options.names.number(of: name)
    indexes[name] = meters.count
    meters.append(Meter(name: name, number: number))
    return meters.count - 1
  }

  /// The place of the one meter of a file that names none.
  func onlyMeter(_ meter: MeterId) -> Int {
    if meters.isEmpty { meters.append(Meter(name: "\(meter.rawValue)", number: meter)) }
    return 0
  }

  /// Notes the registers of a meter.
  /// - Throws: `.content` when there are too many.
  func expect(_ register: String, ofMeter index: Int) throws(ImportError) {
    guard !meters[index].registers.contains(register) else { return }
    guard meters[index].registers.count < Self.mostRegisters else {
      throw ImportError(
        .content, "meter \(meters[index].name) has more than \(Self.mostRegisters) registers")
    }
    meters[index].registers.append(register)
  }

  /// Leaves one set of registers of each meter and direction: energy of the interval before power and
  /// before the register itself, and the sum before its tariffs.
  func chooseRegisters() {
    func rank(_ code: ObisCode) -> Int {
      let kind =
        switch code.kind {
        case .interval: 0
        case .power: 2
        case .register: 4
        }
      return kind + (code.tariff == 0 ? 0 : 1)
    }
    for index in meters.indices {
      let codes = meters[index].registers.compactMap { name in ObisCode(name).map { (name, $0) } }
      meters[index].registers = codes.filter { _, code in
        !codes.contains { $0.1.direction == code.direction && rank($0.1) < rank(code) }
      }.map(\.0)
    }
  }

  // MARK: Time

  /// The moment of a time of a meter's line.
  /// - Throws: the time does not exist, or needs a zone.
  func moment(_ time: FileTime, ofMeter index: Int) throws(TextFault) -> Int64 {
    try moment(time, &meters[index].hour)
  }

  /// The moment of a time, in a file whose lines have `hour`.
  func moment(_ time: FileTime, _ hour: inout RepeatedHour) throws(TextFault) -> Int64 {
    switch time {
    case .instant(let moment): return hour.note(moment)
    case .local(let local, let part):
      let (first, second) = try candidates(local)
      guard let second else { return hour.note(first) }
      switch part {
      case .first: return hour.note(first)
      case .second: return hour.note(second)
      case nil: return hour.choose(local, first, second)
      }
    }
  }

  /// The moment of the end of an interval that begins at `start`: the first one after it.
  /// - Parameter isClock: The text has a time of day only, which may be one of the next day.
  func end(_ time: FileTime, after start: Int64, isClock: Bool) throws(TextFault) -> Int64 {
    switch time {
    case .instant(let moment): return moment
    case .local(let local, _):
      let (first, second) = try candidates(local)
      if first > start { return first }
      if let second, second > start { return second }
      return isClock ? try candidates(local + 86_400).first : first
    }
  }

  private func candidates(_ local: Int64) throws(TextFault) -> (first: Int64, second: Int64?) {
    guard let zone else {
      throw TextFault(
        "the time has no offset to UTC: give the zone of the file, such as --zone "
          + "Europe/Berlin")
    }
    let (first, second) = zone.instants(ofLocal: local)
    guard let first else {
      throw TextFault(
        "the time does not exist in \(zone.name): the clock is put forward over it")
    }
    guard first >= 0 else { throw TextFault("the time is before 1970 in UTC") }
    return (first, second)
  }

  // MARK: Values

  /// Adds what one register of a meter says about an interval.
  /// - Parameter register: Its name, which `expect` has noted.
  /// - Throws: `.content` when too many intervals wait for other registers.
  func part(
    _ register: String, ofMeter index: Int, line: Int, _ interval: Range<Int64>,
    _ direction: EnergyDirection, _ wattHours: Int64, _ quality: ReadingQuality
  ) throws(ImportError) {
    let registers = meters[index].registers
    let (start, end) = (interval.lowerBound, interval.upperBound)
    let (made, used) = direction == .produced ? (wattHours, 0) : (0, wattHours)
    guard registers.count > 1, let place = registers.firstIndex(of: register) else {
      return try add(
        index, line: line, interval, produced: made, consumed: used, quality, sequence: nil)
    }
    let key = PartKey(meter: index, start: start)
    guard var part = parts[key] else {
      guard parts.count < Self.mostParts else {
        throw ImportError(
          .content,
          "line \(line): more than \(Self.mostParts) intervals wait for another register of their "
            + "meter; sort the file by meter, or split it")
      }
      parts[key] = Part(
        line: line, end: end, produced: made, consumed: used, quality: quality,
        registers: 1 << UInt32(place))
      return
    }
    let name = meters[index].name
    guard part.end == end, part.registers >> UInt32(place) & 1 == 0 else {
      let what = part.end == end ? "stands twice" : "has another length in another register"
      return refuse(
        LineFault(
          .contradicting, line: line, meter: name,
          "\(Self.text(interval)) of register \(register) \(what); correct the file"))
    }
    let (produced, isMuch) = part.produced.addingReportingOverflow(made)
    let (consumed, isMore) = part.consumed.addingReportingOverflow(used)
    guard !isMuch, !isMore else {
      return refuse(LineFault(.unreadable, line: line, meter: name, "the values are too large"))
    }
    (part.produced, part.consumed, part.line) = (produced, consumed, line)
    part.quality = .worse(part.quality, quality)
    part.registers |= 1 << UInt32(place)
    guard part.registers.nonzeroBitCount == registers.count else {
      parts[key] = part
      return
    }
    parts[key] = nil
    try add(
      index, line: line, interval, produced: produced, consumed: consumed, part.quality,
      sequence: nil)
  }

  /// Adds a reading, or says why it cannot be sent.
  /// - Throws: `.content` when the file has too many intervals.
  func add(
    _ index: Int, line: Int, _ interval: Range<Int64>, produced: Int64, consumed: Int64,
    _ quality: ReadingQuality, sequence: UInt64?
  ) throws(ImportError) {
    guard options.period.contains(interval.lowerBound) else {
      report.outside += 1
      return
    }
    let (name, number) = (meters[index].name, meters[index].number)
    let reading = ImportedReading(
      line: line, meter: number ?? MeterId(0), start: interval.lowerBound, end: interval.upperBound,
      produced: produced, consumed: consumed, quality: quality, sequence: sequence)
    if let fault = fault(reading, index) { return refuse(fault) }
    guard report.readings < Self.mostIntervals else {
      throw ImportError(
        .content, "line \(line): the file has more than \(Self.mostIntervals) readings; split it")
    }
    let verdict = meters[index].coverage.add(
      interval.lowerBound, interval.upperBound, mark: Self.mark(reading))
    func decline(_ kind: LineFault.Kind, _ text: String) {
      refuse(LineFault(kind, line: line, meter: name, reading: reading, text))
    }
    switch verdict {
    case .new: take(reading)
    case .repeated: report.repeated += 1
    case .contradicting where sequence != nil:
      // The file says itself which version of the interval it is.
      report.versions += 1
      take(reading)
    case .contradicting:
      decline(
        .contradicting,
        "\(Self.text(interval)) stands twice, with different values; the first one is taken. Remove "
          + "the wrong line, or give the file a column sequence")
    case .overlapping(let start, let end):
      decline(
        .overlapping,
        "\(Self.text(interval)) overlaps \(Self.text(start..<end)) of the same meter; correct the "
          + "times")
    case .scattered:
      decline(
        .unreadable,
        "the meter has more than \(Coverage.mostRuns) separate stretches of time so far: sort the "
          + "file by time")
    }
  }

  /// Why a reading cannot be sent, by itself.
  private func fault(_ reading: ImportedReading, _ index: Int) -> LineFault? {
    let (name, number) = (meters[index].name, meters[index].number)
    func fault(_ kind: LineFault.Kind, _ text: String) -> LineFault {
      LineFault(kind, line: reading.line, meter: name, reading: reading, text)
    }
    if number == nil { return fault(.unknownMeter, options.names.advice(name)) }
    let interval = reading.start..<reading.end
    if reading.end - reading.start > Self.longest {
      return fault(.tooLong, "\(Self.text(interval)) is longer than 24 h; the exchange takes 24 h")
    }
    if reading.produced < 0 || reading.consumed < 0 {
      let (what, value) =
        reading.produced < 0 ? ("produced", reading.produced) : ("consumed", reading.consumed)
      return fault(
        .negative,
        "\(what) \(value) Wh: energy is not negative. Ask who read the meter; a value that is to be "
          + "taken back is a correction of its own interval")
    }
    if reading.quality == .estimated, !options.takesEstimated {
      return fault(
        .estimated, "the value is estimated: import the measured one, or give --estimated")
    }
    return nil
  }

  private func take(_ reading: ImportedReading) {
    report.take(reading, power: options.power)
    items.append(.reading(reading))
  }

  /// Notes what cannot be sent.
  func refuse(_ fault: LineFault) {
    report.take(fault)
    items.append(.fault(fault))
  }

  /// Notes a value that rounding to whole Wh has changed by `nanoWattHours`.
  func rounded(_ nanoWattHours: Int64) {
    if nanoWattHours == 0 { return }
    report.rounded += 1
    report.roundedBy += nanoWattHours
  }

  /// What registers show now. Between two moments lies an interval.
  /// - Returns: What they showed before; `nil` for the first time, and after a later moment.
  func show(_ pair: RegisterPair, ofMeter index: Int) -> RegisterPair? {
    let before = meters[index].shown
    guard pair.moment > before.moment else { return nil }
    meters[index].shown = pair
    return before.moment == .min ? nil : before
  }

  // MARK: End

  /// Refuses, or completes with 0, what still waits for other registers; and finds the gaps.
  func end() throws(ImportError) {
    let waiting = parts.sorted { ($0.key.meter, $0.key.start) < ($1.key.meter, $1.key.start) }
    parts = [:]
    for (key, part) in waiting {
      let interval = key.start..<part.end
      if options.absentIsZero {
        try add(
          key.meter, line: part.line, interval, produced: part.produced, consumed: part.consumed,
          part.quality, sequence: nil)
        continue
      }
      let lacking = meters[key.meter].registers.enumerated()
        .filter { part.registers >> UInt32($0.offset) & 1 == 0 }.map(\.element)
      refuse(
        LineFault(
          .incomplete, line: part.line, meter: meters[key.meter].name,
          "\(Self.text(interval)) has no value of \(lacking.joined(separator: ", ")); --absent-as-zero "
            + "takes 0"))
    }
    report.end(meters, options.period)
  }

  /// A hash of what a reading says (FNV-1a).
  private static func mark(_ reading: ImportedReading) -> UInt32 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in [
      UInt64(bitPattern: reading.produced), UInt64(bitPattern: reading.consumed),
      UInt64(reading.quality.rawValue), reading.sequence ?? 0,
    ] {
      // A hash wraps.
      hash = (hash ^ word) &* 0x100_0000_01B3
      hash ^= hash >> 29
    }
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }

  /// An interval for a message.
  static func text(_ interval: Range<Int64>) -> String {
    ImportReport.time(interval.lowerBound) + " to " + ImportReport.time(interval.upperBound)
  }
}
