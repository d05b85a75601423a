// Meters in reference data: what holds of a meter for an interval, also before its last changes, so that late
// readings and later versions are verified with the key of their interval.
//
//     meter ─▶ present ◀── from ── former ◀── from ── former ...     the last change first

extension ReferenceData {
  /// How long what held before a change is kept behind it, ns: as long as any interval can be read.
  private static let longestWindow: UInt64 = 34_560_000_000_000_000

  /// The meter with that number, as it was registered last: also a change that is announced for a
  /// later moment.
  public func meter(_ id: MeterId) -> Meter? { meters[Int(id.rawValue)] }

  /// What holds of the meter for intervals that begin at `start`; `nil` when the meter is unknown.
  /// Linear in its changes that are later.
  public func meter(_ id: MeterId, at start: Timestamp) -> Meter? {
    guard let formers = formerMeters[id] else { return meter(id) }
    var found = meter(id)
    for former in formers {
      if start >= former.from { break }
      found = former.was
    }
    return found
  }

  /// Whether the meter is or was one of an account of the participant. Linear in its changes.
  public func isMeter(_ id: MeterId, of participant: ParticipantId) -> Bool {
    let accounts = [meter(id)?.account] + (formerMeters[id] ?? []).map(\.was.account)
    return accounts.contains { $0.map { self.participant(of: $0) == participant } ?? false }
  }

  /// The rated power of the meter with that number, its site, and who may send its readings of
  /// intervals that begin at `start`; the default when there is no such meter. Constant time.
  public func terms(of id: MeterId, at start: Timestamp) -> MeterTerms {
    var terms = meterTerms[Int(id.rawValue)]
    if let former = formerMeters[id]?.first, start < former.from, let before = formerTerms[id] {
      terms.ownReadings = before.ownReadings
    }
    return terms
  }

  /// Who answers for the meter's readings; the device when there is no such meter.
  public func attestation(of id: MeterId) -> MeterAttestation {
    meterTerms[Int(id.rawValue)].attestation
  }

  /// Sets the terms of all meters, as they were registered last and as they are now, after an image
  /// was read. Linear in the number of meters.
  package mutating func setMeterTerms(_ terms: (MeterId) -> (last: MeterTerms, now: MeterTerms)?) {
    for number in 0..<meters.count where meters[number] != nil {
      let id = MeterId(UInt32(number))
      guard let found = terms(id) else { continue }
      meterTerms[number] = found.last
      if formerMeters[id] != nil { formerTerms[id] = found.now }
    }
  }

  /// The key that verifies the meter's reading of an interval that begins at `start`; `nil` when the
  /// meter is unknown, or was ended without a key (of zeros).
  public func key(of id: MeterId, at start: Timestamp) -> PublicKey? {
    guard let key = meter(id, at: start)?.key, key != PublicKey(0, 0, 0, 0) else { return nil }
    return key
  }

  /// Notes a meter, or a change of one. A change whose moment is at or after the new one, or has not
  /// come, is superseded (market rules 7).
  mutating func set(_ made: RegisterMeter, at time: Timestamp) {
    if let known = meters[Int(made.meter.rawValue)] {
      change(made, from: known, at: time)
    } else {
      counts.meters += 1
    }
    meters[Int(made.meter.rawValue)] = Meter(
      account: made.account, area: made.area, key: made.publicKey)
    meterTerms[Int(made.meter.rawValue)] = MeterTerms(
      capacity: made.capacity, ownReadings: made.ownReadings, attestation: made.attestation,
      technology: made.technology, place: meterTerms[Int(made.meter.rawValue)].place)
  }

  /// Keeps what held of a meter before a change.
  private mutating func change(_ made: RegisterMeter, from known: Meter, at time: Timestamp) {
    if made.from.nanoseconds == 0 || made.from == .never { return }
    let terms = meterTerms[Int(made.meter.rawValue)]
    let isSame =
      known.key == made.publicKey && known.account == made.account && known.area == made.area
      && terms.ownReadings == made.ownReadings
    var formers = formerMeters[made.meter] ?? []
    if let last = formers.first, last.from >= made.from || last.from > time {
      // The same meter with a rated power is no change, but another moment of one that waits is.
      if isSame, made.capacity != 0, last.from <= time { return }
      // What held before the first superseded change holds before this one.
      while formers.count > 1, formers[1].from >= made.from { formers.removeFirst() }
      formers[0].from = made.from
    } else if !isSame {
      formers.insert(FormerMeter(meter: made.meter, from: made.from, was: known), at: 0)
      formerTerms[made.meter] = terms
      formers.removeAll {
        time.nanoseconds - min($0.from.nanoseconds, time.nanoseconds) > Self.longestWindow
      }
    }
    if !formers.isEmpty { formerMeters[made.meter] = formers }
  }
}

// MARK: - Image

extension ReferenceData {
  /// Adds the row type of `writeFormerMeters`.
  package static func addFormerMeters(to layout: inout StateLayout) {
    layout.add(FormerMeter.self)
  }

  /// Writes what meters were before, in the order of the meters' numbers, the last change first.
  package func writeFormerMeters(to sink: any StateSink) {
    sink.put(formerMeters.sorted { $0.key < $1.key }.flatMap(\.value))
  }

  /// Reads what `writeFormerMeters` wrote.
  package mutating func readFormerMeters(from source: any StateSource) {
    for row in source.get(FormerMeter.self, most: Self.most) {
      formerMeters[row.meter, default: []].append(row)
    }
  }
}
