import MarketModel

/// The areas and instruments that a client was told of, as they are now: by answers to
/// `requestReferenceData` and by the market data of subscribed areas, which tell changes.
public struct KnownDefinitions: Sendable, Equatable {
  /// An instrument and its trading state.
  public struct Instrument: Sendable, Equatable {
    /// The definition.
    public var definition: CreateInstrument
    /// Whether it trades.
    public var state: InstrumentState
  }

  /// Areas by number.
  public private(set) var areas: [AreaId: AreaState] = [:]
  /// Instruments by number.
  public private(set) var instruments: [InstrumentId: Instrument] = [:]

  /// Knows nothing yet.
  public init() {}

  /// Takes a message; those about other things have no effect. Constant time.
  public mutating func take(_ event: ClientEvent) {
    switch event {
    case .area(let area, _): areas[area.definition.area] = area
    case .instrument(let definition, let state, _):
      instruments[definition.instrument] = Instrument(definition: definition, state: state)
    case .stateChanged(let instrument, let state, _): instruments[instrument]?.state = state
    default: break
    }
  }
}
