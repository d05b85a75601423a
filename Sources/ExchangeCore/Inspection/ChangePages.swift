// The list of announced changes (section 2, "Parameters"; section 7, "Another key").
//
//     cursor   row of a parameter's change | 2^32 + number of a meter     the first not looked at
//
// A change keeps its key until its moment.

import MarketModel

extension Exchange {
  /// A page of the announced changes: of parameters by row, then of meters by number.
  /// - Complexity: At most `steps * rowsOfStep` meters; where changes of parameters are listed, all
  ///   that wait are sorted.
  func changePage(_ query: ListQuery, _ bounds: PageBounds) -> ListPage {
    var rows: [ListPage.Row] = []
    if query.cursor <= UInt64(Limit.pendingParameters) {
      let waiting = pendingParameters.waiting()
      let failing = failingChanges(waiting)
      for row in waiting where UInt64(row) >= query.cursor {
        if rows.count == query.count { return ListPage(rows, next: UInt64(row)) }
        let pending = pendingParameters[row]
        rows.append(
          .parameterChange(
            ListedParameterChange(
              pending.change, present: presentValue(pending.change), session: pending.session,
              fits: !failing.contains(row))))
      }
    }
    let highest = min(capacity.meters, query.lastMeter)
    var number = query.cursor < Self.firstMeter ? 1 : UInt32(truncatingIfNeeded: query.cursor)
    for _ in 0..<(bounds.steps * bounds.rowsOfStep) {
      if number > highest { return ListPage(rows) }
      if let change = announcedChange(ofMeter: max(1, number)) {
        if rows.count == query.count { break }
        rows.append(.meterChange(change))
      }
      number += 1
    }
    return ListPage(rows, next: Self.firstMeter | UInt64(number))
  }

  /// The cursor of a meter is its number above this.
  private static var firstMeter: UInt64 { 1 << 32 }

  /// The change of a meter whose moment has not come, or the beginning of a new one. Constant time.
  /// - Returns: `nil` when none is announced.
  package func announcedChange(of meter: MeterId) -> ListedMeterChange? {
    (1...capacity.meters).contains(meter.rawValue)
      ? announcedChange(ofMeter: meter.rawValue) : nil
  }

  private func announcedChange(ofMeter number: UInt32) -> ListedMeterChange? {
    let (meter, change) = (meters[number], meterChanges[number])
    guard change.from > progress.now, change.before != 0 || meter.position != 0 else { return nil }
    // A new meter has no account before.
    let isNew = change.before == 0
    let area = balances.positions[meter.position == 0 ? change.before : meter.position].area
    return ListedMeterChange(
      meter: MeterId(number), from: Timestamp(nanoseconds: change.from),
      account: isNew ? .null : AccountId(balances.positions[change.before].account),
      area: AreaId(isNew ? area : balances.positions[change.before].area),
      ownReadings: readersBefore[number], newAccount: AccountId(meter.account),
      newArea: AreaId(area), newOwnReadings: change.ownReadings)
  }

  /// The value of the parameter now; 0 of a cost or price of storage that is not known.
  private func presentValue(_ change: SetParameter) -> Int64 {
    let number = change.number
    switch change.parameter {
    case .lowestPrice: return products.instruments[number].lowest
    case .highestPrice: return products.instruments[number].highest
    case .tick: return products.instruments[number].tick
    case .lot: return products.instruments[number].lot
    case .makerFee: return Int64(products.instruments[number].makerFee)
    case .takerFee: return Int64(products.instruments[number].takerFee)
    case .storageCost: return areaCosts[number].cost
    case .storagePrice: return areaCosts[number].price
    case .lossFactor: return Int64(products.areas[number].lossFactor)
    case .feedInPrice: return products.areas[number].feedInPrice
    case .retailPrice: return products.areas[number].retailPrice
    case .ownUse: return areaUses[number].ownUse
    case .localFirst: return areaUses[number].isLocalFirst ? 1 : 0
    case .readingWindow: return tariffs[number].readingWindow
    case .mintedQuality: return tariffs[number].mintedQuality
    case .unsettledLimit: return unsettled[number].limit
    }
  }
}

// MARK: - What will fit

extension Exchange {
  /// Definitions with the announced changes that precede, by number.
  private struct Trial {
    var instruments: [UInt32: Instrument] = [:]
    var costs: [UInt32: AreaCost] = [:]
    /// Prices of the grid.
    var feedIn: [UInt32: Int64] = [:]
    var retail: [UInt32: Int64] = [:]
  }

  /// The rows of announced changes that would be rejected at their moments if no other command came:
  /// applies them in the order of the schedule to copies of the definitions.
  /// - Complexity: That of sorting them; prices of the grid of one area and moment are compared with
  ///   each other.
  private func failingChanges(_ waiting: [UInt32]) -> Set<UInt32> {
    var trial = Trial()
    var (failing, done) = (Set<UInt32>(), Set<UInt32>())
    let order = waiting.map { (row: $0, pending: pendingParameters[$0]) }.sorted {
      ($0.pending.change.from, $0.pending.number) < ($1.pending.change.from, $1.pending.number)
    }
    for (row, pending) in order where done.insert(row).inserted {
      let change = pending.change
      var together = [(row: row, pending: pending)]
      if change.parameter.isGridPrice {
        together = order.filter {
          let other = $0.pending.change
          return other.parameter.isGridPrice && other.number == change.number
            && other.from == change.from
        }
      }
      done.formUnion(together.map(\.row))
      if !fits(together.map(\.pending.change), &trial) { failing.formUnion(together.map(\.row)) }
    }
    return failing
  }

  /// Whether changes that take effect together are allowed; applies them if so.
  private func fits(_ changes: [SetParameter], _ trial: inout Trial) -> Bool {
    guard let change = changes.first else { return true }
    let number = change.number
    if change.subject == .instrument {
      let before = trial.instruments[number] ?? products.instruments[number]
      let terms = changed(before, change)
      if before.isClosed || validateTerms(terms) != nil { return false }
      trial.instruments[number] = terms
    } else if change.parameter.isGridPrice {
      let area = products.areas[number]
      var prices = (
        feedIn: trial.feedIn[number] ?? area.feedInPrice,
        retail: trial.retail[number] ?? area.retailPrice
      )
      for change in changes {
        if change.parameter == .feedInPrice { prices.feedIn = change.value }
        if change.parameter == .retailPrice { prices.retail = change.value }
      }
      let (feedIn, retail) = (Price(ticks: prices.feedIn), Price(ticks: prices.retail))
      if validate(feedIn: feedIn, retail: retail) != nil { return false }
      (trial.feedIn[number], trial.retail[number]) = prices
    } else {
      let cost = changed(trial.costs[number] ?? areaCosts[number], change)
      if cost.isKnown, defaultCap(cost: cost.cost, price: cost.price) == nil { return false }
      trial.costs[number] = cost
    }
    return true
  }
}
