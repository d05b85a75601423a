// Which column of a file has what.

/// A column of values.
struct ValueColumn: Equatable {
  var index: Int
  var unit: ValueUnit
  /// Whether it has what a register shows, instead of the energy of an interval.
  var isRegister: Bool
}

/// The columns of a file.
struct ColumnLayout {
  /// How the beginning of an interval is written.
  enum Start: Equatable {
    /// One cell.
    case time(Int)
    /// A date and a time of day.
    case dateAndClock(Int, Int)
    /// Week of the year, day of the week, and time of day.
    case week(Int, Int, Int)
  }

  /// How the end of an interval is written.
  enum End: Equatable {
    /// The interval has the usual length.
    case none
    case time(Int)
    case dateAndClock(Int, Int)
    /// A time of day, on the day of the column.
    case clock(date: Int, Int)
  }

  var start = Start.time(0)
  var end = End.none
  var meter: Int?
  var consumed: [ValueColumn] = []
  var produced: [ValueColumn] = []
  var quality: Int?
  var sequence: Int?
  /// The column of the register of each line, whose value is that of `consumed`.
  var obis: Int?
  var unit: Int?
  /// Columns of meters, in a wide file.
  var meters: [Int] = []

  /// Whether any column has what a register shows.
  var hasRegisters: Bool { (consumed + produced).contains(where: \.isRegister) }

  /// Number of cells that a line needs: those up to the last one that must have something.
  var count: Int {
    let times =
      switch start {
      case .time(let index): [index]
      case .dateAndClock(let date, let clock): [date, clock]
      case .week(let week, let day, let clock): [week, day, clock]
      }
    let ends: [Int] =
      switch end {
      case .none: []
      case .time(let index): [index]
      case .dateAndClock(let date, let clock), .clock(let date, let clock): [date, clock]
      }
    let rest = [meter, obis].compactMap { $0 } + (consumed + produced).map(\.index) + meters
    return ((times + ends + rest).max() ?? 0) + 1
  }

  // MARK: Profiles

  /// The layout of the exchange's own format. Without a header the columns are in this order: meter,
  /// start, end, produced, consumed, quality, sequence.
  static func own(_ names: [ColumnName]?) throws(ImportError) -> ColumnLayout {
    var layout = ColumnLayout()
    let unit = ValueUnit.wattHours
    func value(_ index: Int) -> [ValueColumn] {
      [ValueColumn(index: index, unit: unit, isRegister: false)]
    }
    guard let names else {
      (layout.meter, layout.start, layout.end) = (0, .time(1), .time(2))
      (layout.produced, layout.consumed) = (value(3), value(4))
      (layout.quality, layout.sequence) = (5, 6)
      return layout
    }
    let roles = names.map(\.ownRole)
    for (index, role) in roles.enumerated() where role == nil || roles[..<index].contains(role) {
      throw ImportError(
        .content,
        "line 1, column \(index + 1): '\(names[index].name)' is no column, or stands there twice; the "
          + "columns are meter, start, end, produced, consumed, quality, sequence")
    }
    func place(_ role: ColumnName.Role, _ name: String) throws(ImportError) -> Int {
      guard let index = roles.firstIndex(of: role) else {
        throw ImportError(.content, "line 1: there is no column \(name)")
      }
      return index
    }
    layout.meter = roles.firstIndex(of: .meter)
    layout.start = .time(try place(.start, "start"))
    layout.end = .time(try place(.end, "end"))
    layout.produced = value(try place(.produced, "produced"))
    layout.consumed = value(try place(.consumed, "consumed"))
    layout.quality = roles.firstIndex(of: .quality)
    layout.sequence = roles.firstIndex(of: .sequence)
    return layout
  }

  /// The layout of a German file, by the names of its columns.
  /// - Returns: `nil` when the line has no names of times and values.
  static func german(_ names: [ColumnName], _ options: ImportOptions) -> ColumnLayout? {
    let roles = names.map(\.germanRole)
    func place(_ role: ColumnName.Role) -> Int? { roles.firstIndex(of: role) }
    var layout = ColumnLayout()
    let (date, clock, start) = (place(.date), place(.clock), place(.start))
    if let date, let clock = clock ?? start {
      layout.start = .dateAndClock(date, clock)
    } else if let only = start ?? date {
      layout.start = .time(only)
    } else {
      return nil
    }
    let endClock = place(.endClock) ?? place(.end)
    if let endDate = place(.endDate) {
      layout.end = endClock.map { .dateAndClock(endDate, $0) } ?? .time(endDate)
    } else if let endClock {
      layout.end = date.map { .clock(date: $0, endClock) } ?? .time(endClock)
    }
    layout.obis = place(.obis)
    let fallback = options.effectiveUnit ?? .kilowattHours
    func values(_ role: ColumnName.Role) -> [ValueColumn] {
      let all = names.indices.filter { roles[$0] == role }.map { index in
        let name = names[index]
        let isPower = name.obis?.kind == .power
        return ValueColumn(
          index: index, unit: name.unit ?? (isPower ? .kilowatts : fallback),
          isRegister: name.isRegister && !options.registersAreIntervals)
      }
      // A register beside the energy of each interval says the same once more. Of an energy and a
      // power, the first one counts.
      let plain = all.filter { !$0.isRegister }
      let tariffs = plain.filter { names[$0.index].obis?.tariff ?? 0 > 0 }
      if !plain.isEmpty { return tariffs.count == plain.count ? plain : [plain[0]] }
      return all.first.map { [$0] } ?? []
    }
    (layout.consumed, layout.produced) = (values(.consumed), values(.produced))
    guard !layout.consumed.isEmpty || !layout.produced.isEmpty else { return nil }
    (layout.meter, layout.quality) = (place(.meter), place(.quality))
    (layout.unit, layout.sequence) = (place(.unit), place(.sequence))
    return layout
  }

  /// The layout of a file whose columns the options name.
  /// - Returns: `nil` when a column is not in this line.
  static func named(_ names: [ColumnName], _ options: ImportOptions) -> ColumnLayout? {
    func place(_ name: String) -> Int? {
      names.firstIndex { $0.name == name }
        ?? names.firstIndex { $0.name.lowercased() == name.lowercased() }
    }
    func places(_ wanted: [String]) -> [Int]? {
      let found = wanted.compactMap { place($0) }
      return found.count == wanted.count ? found : nil
    }
    guard let time = places(options.timeColumns), let end = places(options.endColumns),
      let used = places(options.consumedColumns), let made = places(options.producedColumns),
      let usedShown = places(options.consumedRegisters),
      let madeShown = places(options.producedRegisters)
    else { return nil }
    var layout = ColumnLayout()
    switch time.count {
    case 1: layout.start = .time(time[0])
    case 2: layout.start = .dateAndClock(time[0], time[1])
    case 3: layout.start = .week(time[0], time[1], time[2])
    default: return nil
    }
    switch end.count {
    case 0: layout.end = .none
    case 1: layout.end = .time(end[0])
    default: layout.end = .dateAndClock(end[0], end[1])
    }
    for (name, path) in [
      (options.meterColumn, \ColumnLayout.meter), (options.qualityColumn, \ColumnLayout.quality),
      (options.sequenceColumn, \ColumnLayout.sequence),
    ] {
      guard let name else { continue }
      guard let index = place(name) else { return nil }
      layout[keyPath: path] = index
    }
    let fallback = options.effectiveUnit ?? .kilowattHours
    func values(_ all: [Int], isRegister: Bool = false) -> [ValueColumn] {
      all.map { ValueColumn(index: $0, unit: names[$0].unit ?? fallback, isRegister: isRegister) }
    }
    layout.consumed = values(used) + values(usedShown, isRegister: true)
    layout.produced = values(made) + values(madeShown, isRegister: true)
    if options.wide != nil {
      let taken = Set(
        time + end + [layout.quality, layout.sequence, layout.meter].compactMap { $0 })
      layout.meters = names.indices.filter { !taken.contains($0) && !names[$0].name.isEmpty }
    }
    return layout
  }
}
