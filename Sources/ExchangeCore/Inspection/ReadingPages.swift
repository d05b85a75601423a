// Lists about readings by page (section 7): kept intervals and gaps of a meter, and the quarantine. A page
// changes nothing and is not journaled.
//
//     cursor   start of an interval, ns since 1970 | number of a reading in quarantine     the first not looked at

import MarketModel

extension Exchange {
  /// A page of the quarantine, or of the gaps or kept intervals of a meter.
  func readingPage(_ query: ListQuery, _ bounds: PageBounds) -> ListPage {
    let from = query.intervals.lowerBound.nanoseconds
    let cursor = query.cursor == 0 ? from : query.cursor
    switch query.kind {
    case .quarantine:
      let page = quarantinePage(
        of: query.meter == MeterId(0) ? nil : query.meter, cursor: query.cursor,
        count: query.count)
      let rows = page.rows.map {
        ListPage.Row.quarantined($0, more: countedOnly(of: $0.reading.meter))
      }
      return ListPage(rows, next: page.next)
    case .gaps:
      // A gap that begins before the period needs the interval before it.
      let first = query.cursor == 0 ? startOfKept(query.meter, atMost: from) : query.cursor
      let page = gapPage(of: query.meter, cursor: first, count: query.count, bounds: bounds)
      let rows = page.rows.filter {
        $0.to.nanoseconds > from && $0.from < query.intervals.upperBound
      }
      return ListPage(
        rows.map { .gap($0) },
        next: page.next < query.intervals.upperBound.nanoseconds ? page.next : 0)
    default:
      let page = readingPage(of: query.meter, cursor: cursor, count: query.count)
      let rows = page.rows.filter { $0.reading.intervalStart < query.intervals.upperBound }
      return ListPage(
        rows.map { .reading($0) },
        next: page.next < query.intervals.upperBound.nanoseconds ? page.next : 0)
    }
  }

  /// The start of the last kept interval of a meter that begins at `moment` or before; `moment` where
  /// there is none.
  private func startOfKept(_ meter: MeterId, atMost moment: UInt64) -> UInt64 {
    guard (1...capacity.meters).contains(meter.rawValue),
      let place = keptReadings.rows.last(atMost: moment, in: meter.rawValue)
    else { return moment }
    return keptReadings.rows[place].start
  }

  /// A page of the kept intervals of a meter that begin at `cursor` or later, ascending.
  /// - Complexity: The rows, and logarithmic in those before.
  package func readingPage(of meter: MeterId, cursor: UInt64, count: Int) -> RowPage<ListedReading>
  {
    var page = RowPage<ListedReading>()
    var walk = MeterWalk(meter, from: cursor)
    while let kept = next(&walk) {
      if page.rows.count == count {
        page.next = kept.start
        break
      }
      page.rows.append(listed(kept, meter))
    }
    return page
  }

  /// A page of the gaps of a meter: from the end of one kept interval to the start of the next.
  /// - Complexity: At most `steps * rowsOfStep` kept intervals.
  package func gapPage(
    of meter: MeterId, cursor: UInt64, count: Int, bounds: PageBounds = PageBounds()
  ) -> RowPage<ReadingGap> {
    var page = RowPage<ReadingGap>()
    var walk = MeterWalk(meter, from: cursor)
    var (last, looked) = (KeptReading?.none, 0)
    while let kept = next(&walk) {
      // The next page begins with the interval before, whose end it needs.
      if let last, page.rows.count == count || looked == bounds.steps * bounds.rowsOfStep {
        page.next = last.start
        break
      }
      if let last, kept.start > last.end {
        page.rows.append(
          ReadingGap(
            meter: meter, from: Timestamp(nanoseconds: last.end),
            to: Timestamp(nanoseconds: kept.start)))
      }
      (last, looked) = (kept, looked + 1)
    }
    return page
  }

  /// The next kept interval of a walk; `nil` at the end.
  private func next(_ walk: inout MeterWalk) -> KeptReading? {
    let number = walk.meter.rawValue
    guard (1...capacity.meters).contains(number) else { return nil }
    let place: RowPlace?
    if let before = walk.place {
      place = keptReadings.rows.place(after: before)
    } else if walk.start > 0,
      let before = keptReadings.rows.last(atMost: walk.start - 1, in: number)
    {
      place = keptReadings.rows.place(after: before)
    } else {
      place = keptReadings.rows.first(in: number)
    }
    walk.place = place
    return place.map { keptReadings.rows[$0] }
  }

  private func listed(_ kept: KeptReading, _ meter: MeterId) -> ListedReading {
    ListedReading(
      MeterReading(
        meter: meter, registerSequence: kept.sequence,
        intervalStart: Timestamp(nanoseconds: kept.start),
        intervalEnd: Timestamp(nanoseconds: kept.end),
        produced: Energy(wattHours: kept.produced), consumed: Energy(wattHours: kept.consumed),
        quality: kept.quality),
      usesOwn: kept.usesOwn, exported: Energy(wattHours: kept.exported),
      imported: Energy(wattHours: kept.imported))
  }

  /// A page of the readings in quarantine, of all meters or of one, ascending by number.
  /// - Complexity: The rows; of one meter at most eight.
  package func quarantinePage(
    of meter: MeterId? = nil, cursor: UInt64, count: Int
  ) -> RowPage<Quarantined> {
    if let meter { return RowPage(quarantined(of: meter).filter { $0.number >= cursor }) }
    var page = RowPage<Quarantined>()
    var place = quarantine.rows.first(in: 0)
    if cursor > 0, let before = quarantine.rows.last(atMost: cursor - 1, in: 0) {
      place = quarantine.rows.place(after: before)
    }
    while let here = place {
      let row = quarantine.rows[here].reading
      if page.rows.count == count {
        page.next = row.number
        break
      }
      page.rows.append(row)
      place = quarantine.rows.place(after: here)
    }
    return page
  }

  private func quarantined(of meter: MeterId) -> [Quarantined] {
    guard (1...capacity.meters).contains(meter.rawValue) else { return [] }
    var (rows, number) = ([Quarantined](), quarantine.meters[meter.rawValue].newest)
    while number != 0 {
      let row = quarantine.row(number)
      rows.insert(row.reading, at: 0)
      number = row.previous
    }
    return rows
  }

  /// How many readings of a meter had no room in quarantine since the start.
  package func countedOnly(of meter: MeterId) -> UInt32 {
    (1...capacity.meters).contains(meter.rawValue) ? quarantine.meters[meter.rawValue].more : 0
  }
}

/// A walk over the kept intervals of a meter that begin at `start` or later.
private struct MeterWalk {
  let meter: MeterId
  let start: UInt64
  /// The interval visited last.
  var place: RowPlace?

  init(_ meter: MeterId, from start: UInt64) { (self.meter, self.start) = (meter, start) }
}
