/// The style sheet of the report: one column, with colours for light and dark schemes.
enum ReportStyle {
  /// The style sheet.
  static let css = """
    :root {
      color-scheme: light dark;
      --paper: #fbfaf6; --card: #ffffff; --ink: #1c1e21; --soft: #66655f; --rule: #e7e3d9;
      --axis: #a9a59a; --ask: #cf7a06; --ask-soft: #f3d9ad; --sun: #f3cf7a; --bid: #2a66b0;
      --bid-soft: #c3d8f2; --trade: #14795a; --trade-soft: #bfe3d3; --grid: #8d8a95;
      --grid-soft: #dcdae1; --night: rgba(38, 48, 92, .055); --overlap: rgba(160, 60, 140, .09);
      --overlap-ink: #9a3c86; --bad: #b3261e;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #131518; --card: #1a1d21; --ink: #ebe8e0; --soft: #a09e97; --rule: #2a2d32;
        --axis: #5d6066; --ask: #f0a23c; --ask-soft: #5a4220; --sun: #7d621f; --bid: #76aef0;
        --bid-soft: #243d5c; --trade: #4fc79c; --trade-soft: #1d4a3b; --grid: #9a97a3;
        --grid-soft: #3a3940; --night: rgba(150, 170, 255, .06);
        --overlap: rgba(230, 130, 210, .12); --overlap-ink: #e59ad4; --bad: #ff8a80;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0; background: var(--paper); color: var(--ink);
      font: 17px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans",
        "Helvetica Neue", Arial, sans-serif;
      font-variant-numeric: tabular-nums; -webkit-font-smoothing: antialiased;
    }
    main { max-width: 1008px; margin: 0 auto; padding: 56px 24px 72px; }
    h1, h2, .tile b, .big {
      font-family: ui-serif, "Iowan Old Style", "Palatino Linotype", Palatino, "Noto Serif",
        Georgia, "DejaVu Serif", serif; font-weight: 500; letter-spacing: -.012em;
    }
    h1 { font-size: clamp(32px, 5.6vw, 54px); line-height: 1.08; margin: 10px 0 18px; max-width: 19em; }
    h2 { font-size: clamp(23px, 3vw, 30px); line-height: 1.2; margin: 0 0 8px; }
    h3 { font-size: 15px; font-weight: 600; margin: 28px 0 2px; }
    p { margin: 0 0 14px; max-width: 42em; }
    .eyebrow { font-size: 13px; letter-spacing: .09em; text-transform: uppercase; color: var(--soft); margin: 0; }
    .lede { font-size: clamp(18px, 2.2vw, 21px); line-height: 1.5; max-width: 36em; }
    .lede b { font-weight: 600; }
    .soft, figcaption, .note { color: var(--soft); font-size: 15px; }
    section { margin-top: 68px; padding-top: 28px; border-top: 1px solid var(--rule); }
    figure { margin: 22px 0 0; }
    figcaption { margin: 0 0 8px; display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: center; }
    figcaption b { color: var(--ink); font-weight: 600; }
    .tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: 0; margin: 40px 0 0;
      border-top: 1px solid var(--rule); border-left: 1px solid var(--rule); background: var(--card); }
    .tile { padding: 20px 22px 18px; border-right: 1px solid var(--rule); border-bottom: 1px solid var(--rule); }
    .tile span { display: block; font-size: 14px; color: var(--soft); line-height: 1.4; }
    .tile b { display: block; font-size: clamp(27px, 3.6vw, 38px); line-height: 1.15; margin: 3px 0 5px; }
    svg { display: block; width: 100%; height: auto; overflow: visible; }
    svg.phone { display: none; }
    svg text { font-family: inherit; font-size: 12.5px; fill: var(--soft); }
    svg .unit { fill: var(--soft); font-size: 12px; }
    svg .value { fill: var(--ink); font-size: 12px; }
    .rule { stroke: var(--rule); stroke-width: 1; }
    .axis { stroke: var(--axis); stroke-width: 1; }
    .night { fill: var(--night); }
    .tariff { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 4; }
    .tariff-label { font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
    .spread { fill: var(--trade-soft); opacity: .6; }
    .trade-line { fill: none; stroke: var(--trade); stroke-width: 1.3; stroke-linejoin: round; }
    .trade-dot { fill: var(--trade); }
    .live-line { fill: none; stroke: var(--trade); stroke-width: 1.3; }
    .overlap-line { fill: none; stroke: var(--overlap-ink); stroke-width: 1.1; }
    .overlap-area, .overlap-band { fill: var(--overlap); }
    .overlap-label { fill: var(--overlap-ink) !important; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
    .sun-area { fill: var(--sun); }
    .ink-line { fill: none; stroke: var(--ink); stroke-width: 1.4; stroke-linejoin: round; }
    .import-area { fill: var(--grid-soft); stroke: var(--grid); stroke-width: 1; }
    .export-area { fill: var(--ask-soft); stroke: var(--ask); stroke-width: 1; }
    .stored-area { fill: var(--trade-soft); opacity: .55; }
    .stored-line { fill: none; stroke: var(--trade); stroke-width: 1.5; }
    .alone-line { fill: none; stroke: var(--grid); stroke-width: 1.4; stroke-dasharray: 4 3; }
    .live-ask { fill: var(--ask); } .live-bid { fill: var(--bid); }
    .waiting-ask { fill: url(#hatch-ask); } .waiting-bid { fill: url(#hatch-bid); }
    .side-bid { fill: var(--bid) !important; font-weight: 600; } .side-ask { fill: var(--ask) !important; font-weight: 600; }
    .side-bid, .side-ask { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
    .market-bar { fill: var(--trade); } .alone-bar { fill: var(--grid); opacity: .55; }
    .roof-bar { fill: var(--ask); } .house-bar { fill: var(--bid); }
    .business-bar { fill: var(--trade); } .station-bar { fill: var(--overlap-ink); }
    .key { display: inline-flex; align-items: center; gap: 7px; white-space: nowrap; }
    .key i { width: 15px; height: 11px; display: inline-block; border-radius: 2px; flex: none; }
    .key i.stroke { height: 0; border-radius: 0; border-top: 2px solid; }
    .key i.hatch-ask { background: repeating-linear-gradient(135deg, var(--ask) 0 1.5px, var(--ask-soft) 1.5px 5px); }
    .key i.hatch-bid { background: repeating-linear-gradient(135deg, var(--bid) 0 1.5px, var(--bid-soft) 1.5px 5px); }
    .legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 6px 0 0; color: var(--soft); font-size: 15px; }
    .scroll { overflow-x: auto; }
    table + .note { margin-top: 10px; }
    details { margin-top: 28px; }
    summary { cursor: pointer; font-size: 15px; font-weight: 600; }
    .bars { margin: 12px 0 0; display: grid; grid-template-columns: max-content 1fr; gap: 8px 16px; align-items: center; font-size: 15px; }
    .bar { display: flex; height: 32px; border-radius: 3px; overflow: hidden; background: var(--rule); }
    .bar span { display: block; overflow: hidden; white-space: nowrap; padding: 0 10px; line-height: 32px; font-size: 13.5px; min-width: 0; }
    .bar .own { background: var(--trade); color: var(--paper); }
    .bar .out { background: var(--ask-soft); color: var(--ink); }
    .bar .in { background: var(--grid-soft); color: var(--ink); }
    .bar .held { background: var(--trade-soft); color: var(--ink); }
    .two { display: grid; grid-template-columns: 1fr 1fr; gap: 40px 48px; }
    table { border-collapse: collapse; width: 100%; font-size: 15.5px; margin-top: 12px; }
    caption { text-align: left; color: var(--soft); font-size: 15px; padding-bottom: 6px; }
    th, td { padding: 8px 0; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: baseline; }
    th { font-weight: 500; color: var(--soft); }
    th:first-child, td:first-child { text-align: left; padding-right: 12px; }
    td + td, th + th { padding-left: 14px; white-space: nowrap; }
    tr.sum td { font-weight: 650; border-bottom: 0; border-top: 1.5px solid var(--ink); }
    tr.sum.second td { border-top: 0; padding-top: 0; font-weight: 500; color: var(--soft); }
    .big { font-size: clamp(40px, 6vw, 60px); line-height: 1; }
    .proofs { list-style: none; padding: 0; margin: 18px 0 0; }
    .proofs li { display: grid; grid-template-columns: 34px 1fr; padding: 15px 0; border-bottom: 1px solid var(--rule); }
    .proofs svg { width: 21px; height: 21px; margin-top: 3px; fill: none; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }
    .proofs .yes { stroke: var(--trade); } .proofs .no { stroke: var(--bad); }
    .proofs b { font-weight: 600; display: block; }
    .proofs span { color: var(--soft); font-size: 15px; overflow-wrap: anywhere; }
    footer { margin-top: 68px; padding-top: 22px; border-top: 1px solid var(--rule); color: var(--soft); font-size: 14px; }
    footer p { max-width: 60em; }
    @media (max-width: 720px) {
      body { font-size: 16px; }
      main { padding: 30px 18px 48px; }
      .tiles { grid-template-columns: 1fr 1fr; margin-top: 28px; }
      .tile { padding: 14px 14px 13px; }
      .two { grid-template-columns: 1fr; }
      .bars { grid-template-columns: 1fr; gap: 3px 0; } .bars .bar { margin-bottom: 8px; }
      section { margin-top: 48px; padding-top: 22px; }
      th, td { padding: 7px 0; } td + td, th + th { padding-left: 10px; }
      th { white-space: normal !important; } .tile b { overflow-wrap: anywhere; }
      .key { white-space: normal; }
      .many { font-size: 13.5px; } .many .wide { display: none; }
      svg.wide { display: none; }
      svg.phone { display: block; max-width: 560px; margin: 0 auto; }
      svg text { font-size: 12px; } svg .unit { font-size: 11px; }
    }
    @media print { section, figure { break-inside: avoid; } }
    """

  /// An invisible SVG element with the hatch patterns that the charts use.
  static let hatchings = """
    <svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>\
    <pattern id="hatch-ask" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
    <rect width="5" height="5" style="fill:var(--ask-soft)"/>\
    <rect width="1.6" height="5" style="fill:var(--ask)"/></pattern>\
    <pattern id="hatch-bid" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">\
    <rect width="5" height="5" style="fill:var(--bid-soft)"/>\
    <rect width="1.6" height="5" style="fill:var(--bid)"/></pattern></defs></svg>
    """
}
