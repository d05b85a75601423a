// The cells of a line, as times and energy.

import MarketModel

extension ColumnParser {
  /// What a line says.
  enum ParsedLine {
    /// A whole reading: produced and consumed Wh.
    case reading(Range<Int64>, Int64, Int64, ReadingQuality, UInt64?)
    /// One register of an interval.
    case part(String, Range<Int64>, EnergyDirection, Int64, ReadingQuality)
    /// No value.
    case missing
    /// A register that is not imported.
    case ignored
    /// What registers show for the first time.
    case begin
    /// It cannot be sent.
    case fault(LineFault.Kind, String)
  }

  /// Parses a line of one meter.
  /// - Parameter column: The number of the column at fault, when one is.
  func parse(
    _ layout: ColumnLayout, _ cells: Cells, _ meter: Int, _ column: inout Int
  ) throws(TextFault) -> ParsedLine {
    column = Self.column(of: layout.start)
    let label = try start(layout, cells)
    let moment = try sink.moment(label, ofMeter: meter)
    if layout.hasRegisters, layout.obis == nil {
      guard let quality = try quality(layout, cells, &column) else { return .missing }
      return try registers(layout, cells, meter, moment, quality, &column)
    }
    let interval = try span(layout, cells, moment, label, &column)
    let quality = try quality(layout, cells, &column)
    let seconds = interval.upperBound - interval.lowerBound
    if let obis = layout.obis {
      return try register(layout, cells, cells[obis].text, meter, interval, quality, &column)
    }
    let used = try sum(layout.consumed, layout, cells, seconds, &column)
    let made = try sum(layout.produced, layout, cells, seconds, &column)
    column = (layout.sequence ?? -1) + 1
    let sequence = try self.sequence(layout, cells)
    guard let quality, used != nil || made != nil else { return .missing }
    let isWhole =
      (used != nil || layout.consumed.isEmpty) && (made != nil || layout.produced.isEmpty)
    guard isWhole || options.absentIsZero else {
      return .fault(
        .incomplete,
        "\(ReadingSink.text(interval)) has no \(used == nil ? "consumed" : "produced") energy; "
          + "--absent-as-zero takes 0")
    }
    return .reading(interval, made ?? 0, used ?? 0, quality, sequence)
  }

  /// The quality that the line says; `nil`: it has no value.
  private func quality(
    _ layout: ColumnLayout, _ cells: Cells, _ column: inout Int
  ) throws(TextFault) -> ReadingQuality? {
    column = (layout.quality ?? -1) + 1
    guard let place = layout.quality, !options.ignoresQuality else { return .measured }
    return try QualityText.parse(cells[place], options.profile)
  }

  // MARK: Times

  /// The number of the column with the beginning of the interval.
  static func column(of start: ColumnLayout.Start) -> Int {
    switch start {
    case .time(let index), .dateAndClock(let index, _), .week(let index, _, _): index + 1
    }
  }

  /// The time at the beginning of the line.
  func start(_ layout: ColumnLayout, _ cells: Cells) throws(TextFault) -> FileTime {
    switch layout.start {
    case .time(let index): return try times.parse(cells[index])
    case .dateAndClock(let date, let clock): return try times.parse(cells[date], cells[clock])
    case .week(let week, let day, let clock):
      guard let year = options.year else {
        throw TextFault("a week needs its year: give --year")
      }
      let days = try TimeText.day(year: year, week: cells[week], day: cells[day])
      return try times.time(cells[clock], onDay: days)
    }
  }

  /// The interval of a line whose first time is `moment`.
  func span(
    _ layout: ColumnLayout, _ cells: Cells, _ moment: Int64, _ label: FileTime,
    _ column: inout Int
  ) throws(TextFault) -> Range<Int64> {
    let end: Int64
    switch layout.end {
    case .none:
      let length = options.effectiveInterval ?? 900
      noteFirst(label, length)
      guard options.timesAreEnds else { return moment..<moment + length }
      guard moment >= length else { throw TextFault("the interval begins before 1970") }
      return moment - length..<moment
    case .time(let index):
      column = index + 1
      end = try sink.end(try times.parse(cells[index]), after: moment, isClock: false)
    case .dateAndClock(let date, let clock):
      column = date + 1
      end = try sink.end(
        try times.parse(cells[date], cells[clock]), after: moment, isClock: false)
    case .clock(let date, let clock):
      column = clock + 1
      end = try sink.end(
        try times.parse(cells[date], cells[clock]), after: moment, isClock: true)
    }
    guard end > moment else {
      throw TextFault(
        "the interval ends at \(ImportReport.time(end)), not after its beginning at "
          + "\(ImportReport.time(moment))")
    }
    return moment..<end
  }

  /// Notes whether the first time of the file is that of an interval's end.
  private func noteFirst(_ label: FileTime, _ length: Int64) {
    guard sink.report.readings == 0, sink.report.faultCount == 0, !options.timesAreEnds,
      options.period.lowerBound == .min, case .local(let local, _) = label
    else { return }
    sink.report.looksLikeEnds = local % 86_400 == length
  }

  // MARK: Values

  /// The energy of a cell; `nil` when it is empty.
  func energy(
    _ bytes: Bytes, _ unit: ValueUnit, _ seconds: Int64
  ) throws(TextFault) -> Int64? {
    if bytes.isEmpty { return nil }
    let number = try DecimalNumber(bytes, mark: options.effectiveMark)
    guard let (wattHours, rounded) = number.energy(in: unit, seconds: seconds) else {
      throw TextFault("'\(bytes.shown)' \(unit.rawValue) is too large")
    }
    if rounded != 0, options.profile == .own {
      throw TextFault("'\(bytes.shown)' is not a whole number of Wh")
    }
    sink.rounded(rounded)
    return wattHours
  }

  /// The sum of some columns; `nil` when one is empty, or when there is none.
  func sum(
    _ columns: [ValueColumn], _ layout: ColumnLayout, _ cells: Cells, _ seconds: Int64,
    _ column: inout Int
  ) throws(TextFault) -> Int64? {
    var sum: Int64?
    for value in columns {
      column = value.index + 1
      let unit = try self.unit(layout, cells) ?? value.unit
      guard let energy = try energy(cells[value.index], unit, seconds) else { return nil }
      let (total, isTooMuch) = (sum ?? 0).addingReportingOverflow(energy)
      if isTooMuch { throw TextFault("the sum of the columns is too large") }
      sum = total
    }
    return sum
  }

  /// The unit that the line says; `nil` when no column has it.
  private func unit(_ layout: ColumnLayout, _ cells: Cells) throws(TextFault) -> ValueUnit? {
    guard let place = layout.unit, !cells[place].isEmpty else { return nil }
    guard let unit = ValueUnit(anyCase: cells[place].text) else {
      let known = ValueUnit.allCases.map(\.rawValue).joined(separator: ", ")
      throw TextFault("'\(cells[place].shown)' is no unit of energy or power: \(known)")
    }
    return unit
  }

  private func sequence(_ layout: ColumnLayout, _ cells: Cells) throws(TextFault) -> UInt64? {
    guard let place = layout.sequence, !cells[place].isEmpty else { return nil }
    guard let sequence = UInt64(cells[place].text) else {
      throw TextFault("'\(cells[place].shown)' is no register sequence: a whole number from 0")
    }
    return sequence
  }

  // MARK: Registers

  /// One register of several, whose code the line has.
  private func register(
    _ layout: ColumnLayout, _ cells: Cells, _ code: String, _ meter: Int, _ interval: Range<Int64>,
    _ quality: ReadingQuality?, _ column: inout Int
  ) throws(TextFault) -> ParsedLine {
    guard let value = layout.consumed.first ?? layout.produced.first, let obis = ObisCode(code),
      sink.meters[meter].registers.contains(code)
    else { return .ignored }
    if obis.kind == .register, !options.registersAreIntervals {
      throw TextFault(
        "the line has what register \(code) shows, not the energy of an interval: if it has that "
          + "energy, give --interval-values; else export a column for each register")
    }
    column = value.index + 1
    let unit = try unit(layout, cells) ?? (obis.kind == .power ? .kilowatts : value.unit)
    let seconds = interval.upperBound - interval.lowerBound
    guard let quality, let energy = try energy(cells[value.index], unit, seconds) else {
      return .missing
    }
    return .part(code, interval, obis.direction, energy, quality)
  }
}
