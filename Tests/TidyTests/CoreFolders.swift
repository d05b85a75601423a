// The folders of ExchangeCore from the bottom upwards, and what each uses of the others, found by names.

import Foundation

/// A source of the core: the names that it declares and uses.
struct CoreSource {
  /// Under Sources/ExchangeCore.
  let path: String
  private let names: SwiftNames

  init(path: String, text: String) {
    self.path = path
    names = SwiftNames(text)
  }

  /// The folder of the core that the source belongs to; none for the exchange itself.
  var folder: String? {
    let parts = path.split(separator: "/")
    return parts.count > 1 ? String(parts[0]) : nil
  }

  /// Names that other files can use.
  var visible: Set<String> { names.visible }
  /// These and the private ones.
  var declared: Set<String> { names.visible.union(names.hidden) }
  /// Names in code that the source does not bind in a function.
  var used: Set<String> { names.used }
}

enum CoreFolders {
  /// The folders that may be there, from the bottom upwards. Those of one row do not use each other.
  static let rows: [Set<String>] = [
    ["Memory"], ["Messages"], ["Schedule"], ["Reference"], ["Products"], ["Balances"], ["Book"],
    ["Matching", "Cover"], ["Orders"], ["Agents", "Metering"], ["LookAhead", "Inspection"],
  ]

  /// The two that use each other: an order that gains cover trades, and a trade changes cover
  /// (section 4).
  static let recursion: Set = ["Matching", "Cover"]

  /// Members of the standard library that types of the core have under the same name.
  static let standard: Set = [
    "advanced", "allocate", "append", "baseAddress", "capacity", "compactMap", "contains", "count",
    "deallocate", "debugDescription", "deinitialize", "description", "distance", "dropFirst",
    "dropLast", "end", "endIndex", "filter", "first", "firstIndex", "flatMap", "forEach", "hash",
    "hashValue", "high", "index", "indices", "initialize", "insert", "isEmpty", "last", "load",
    "low", "magnitude", "map", "max", "min", "next", "offset", "pointee", "prefix", "rawValue",
    "reduce", "remove", "removeAll", "removeFirst", "removeLast", "reversed", "size", "sorted",
    "start", "startIndex", "store", "stride", "suffix", "swap", "update", "zero",
  ]

  /// Folders that the table does not have.
  static func unknown(_ sources: [CoreSource]) -> [String] {
    let known = rows.reduce(into: Set<String>()) { $0.formUnion($1) }
    return Set(sources.compactMap(\.folder)).subtracting(known).sorted()
  }

  /// Uses of a folder that is not below: the file, the name and the file that declares it. A name counts
  /// when one folder alone declares it, and neither the exchange itself nor `model`.
  static func forbidden(_ sources: [CoreSource], model: Set<String>) -> [String] {
    var common = model.union(standard)
    var declaredIn: [String: Set<String>] = [:]
    var file: [String: String] = [:]
    for source in sources {
      guard let folder = source.folder else {
        common.formUnion(source.visible)
        continue
      }
      for name in source.visible {
        declaredIn[name, default: []].insert(folder)
        file[name] = source.path
      }
    }
    var own: [String: Set<String>] = [:]
    for source in sources {
      if let folder = source.folder { own[folder, default: []].formUnion(source.declared) }
    }
    var found: [String] = []
    for source in sources {
      guard let folder = source.folder else { continue }
      for name in source.used.subtracting(common).subtracting(own[folder] ?? []).sorted() {
        guard let places = declaredIn[name], places.count == 1, let other = places.first else {
          continue
        }
        if !mayUse(folder, other) {
          found.append("\(source.path) uses \(name) of \(file[name] ?? other)")
        }
      }
    }
    return found
  }

  /// Whether `folder` may use `other`. What the table does not have may use, and be used by, all.
  static func mayUse(_ folder: String, _ other: String) -> Bool {
    guard folder != other, let from = rows.firstIndex(where: { $0.contains(folder) }),
      let to = rows.firstIndex(where: { $0.contains(other) })
    else { return true }
    return to < from || recursion == [folder, other]
  }
}
