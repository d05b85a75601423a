import Glibc

/// The terminal of a program that redraws it in place. Owned by one thread; one at a time.
struct TerminalScreen {
  /// What ends the program, from the keyboard or by a signal.
  enum Input { case none, quit }

  private let before: termios

  /// Whether standard input and output are a terminal.
  static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 }

  /// Takes over the terminal: keys come at once and are not shown, and the text that was there
  /// returns at the end. SIGTERM, SIGINT and SIGHUP are read as `quit`.
  /// - Returns: `nil` when there is no terminal.
  init?() {
    var settings = termios()
    guard Self.isThere, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
    before = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    for number in [SIGTERM, SIGINT, SIGHUP] { signal(number) { _ in hasToEnd = 1 } }
    Self.write("\u{1B}[?1049h\u{1B}[?25l\u{1B}[2J")
  }

  /// Gives the terminal back.
  func end() {
    Self.write("\u{1B}[?25h\u{1B}[?1049l")
    var settings = before
    tcsetattr(STDIN_FILENO, TCSANOW, &settings)
  }

  /// Columns and rows of the terminal now; 80 and 24 when it does not know.
  var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0
    else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  /// Draws lines over those of the last time.
  /// - Parameter lines: ASCII, at most as many as the terminal has rows and as long as it has
  ///   columns; the first one is shown inverse.
  func draw(_ lines: [String]) {
    var text = "\u{1B}[H"
    for (index, line) in lines.enumerated() {
      text += (index > 0 ? "\r\n" : "") + (index == 0 ? "\u{1B}[7m\(line)\u{1B}[0m" : line)
      text += "\u{1B}[K"
    }
    Self.write(text + "\u{1B}[J")
  }

  /// What was typed since the last call: q, Q, Escape, Control-C and Control-D end the program.
  func input() -> Input {
    if hasToEnd != 0 { return .quit }
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 0) > 0 else { return .none }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = read(STDIN_FILENO, &bytes, bytes.count)
    // Escape alone is a key; with others it begins the code of an arrow.
    if count == 0 || (count == 1 && bytes[0] == 0x1B) { return .quit }
    let keys: [UInt8] = [0x71, 0x51, 3, 4]
    return bytes.prefix(max(0, count)).contains { keys.contains($0) } ? .quit : .none
  }

  private static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno != EINTR, errno != EAGAIN { return }
      rest = rest.dropFirst(max(0, count))
    }
  }
}

/// Set by signals that end the program; only such an integer may be written there.
nonisolated(unsafe) private var hasToEnd: sig_atomic_t = 0
