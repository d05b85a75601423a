// Coverage-guided fuzzing of the code that untrusted bytes reach, with libFuzzer:
//
//     fuzz frames [options of libFuzzer] [corpus folders]     bytes -> frames -> fields
//     fuzz orders ...                                         frames -> commands -> exchange
//     fuzz session ...                                        connections, time -> gateway -> reports
//     fuzz import ...                                         files -> meter readings
//
// A target ends the process when a check fails; the sanitizers end it when memory is misused.

import Glibc

/// A function that runs one input.
typealias Target = @Sendable (UnsafeRawBufferPointer) -> Void

let targets: [String: Target] = [
  "frames": FrameTarget.run, "import": ImportTarget.run, "orders": OrderTarget.run,
  "session": SessionTarget.run,
]

// libFuzzer gets only its own arguments and passes them to the processes that it starts. These read the name of
// the target from the environment.
let name = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : ""
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
if targets[name] != nil {
  setenv("FUZZ_TARGET", name, 1)
  count -= 1
  arguments += 1
  arguments[0] = CommandLine.unsafeArgv[0]
}
guard let inherited = getenv("FUZZ_TARGET"), let chosen = targets[String(cString: inherited)] else {
  print("usage: fuzz \(targets.keys.sorted().joined(separator: "|")) [options] [folders]")
  exit(64)
}
Chosen.target = chosen
exit(runFuzzer(&count, &arguments, testOneInput))

/// The target of this process.
enum Chosen {
  nonisolated(unsafe) static var target: Target = { _ in }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The entry point that libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  Chosen.target(UnsafeRawBufferPointer(start: start, count: count))
  return 0
}
