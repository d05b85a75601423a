// The effect of `SetParameter` on definitions.

extension CreateInstrument {
  /// Gives a parameter of an instrument its new value; other parameters have no effect.
  mutating func set(_ change: SetParameter) {
    switch change.parameter {
    case .lowestPrice: lowestPrice = Price(ticks: change.value)
    case .highestPrice: highestPrice = Price(ticks: change.value)
    case .tick: tick = Price(ticks: change.value)
    case .lot: lot = Energy(wattHours: change.value)
    case .makerFee: makerFee = Rate(partsPerMillion: UInt32(truncatingIfNeeded: change.value))
    case .takerFee: takerFee = Rate(partsPerMillion: UInt32(truncatingIfNeeded: change.value))
    default: break  // A parameter of an area.
    }
  }
}

extension CreateArea {
  /// Gives a parameter of an area its new value; other parameters have no effect.
  mutating func set(_ change: SetParameter) {
    switch change.parameter {
    case .storageCost: storageCost = Money(units: change.value)
    case .storagePrice: storagePrice = Money(units: change.value)
    case .lossFactor: lossFactor = Rate(partsPerMillion: UInt32(truncatingIfNeeded: change.value))
    case .feedInPrice: feedInPrice = Price(ticks: change.value)
    case .retailPrice: retailPrice = Price(ticks: change.value)
    default: break  // A parameter of an instrument.
    }
  }
}
