import MarketFile
import MarketModel

extension MarketDescription {
  /// Reads the market file `path`. Names of key files in it are relative to its folder.
  /// - Throws: if it cannot be read, or has faults; the message names all of them.
  public init(file path: String) throws(ConfigurationError) {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[...$0]) } ?? ""
    let text = try DataFolder.text(of: path)
    do throws(MarketFileError) {
      try self.init(yaml: text, name: path) { (name) throws(ValueError) in
        try Self.key(name.hasPrefix("/") ? name : folder + name)
      }
    } catch {
      throw ConfigurationError("\(error)")
    }
  }

  private static func key(_ file: String) throws(ValueError) -> PublicKey {
    let keys: [PublicKey]
    do throws(ConfigurationError) {
      keys = try KeyPairFile.publicKeys(at: file)
    } catch {
      throw ValueError("\(error); or write the key's 64 hexadecimal digits")
    }
    guard keys.count == 1 else { throw ValueError("\(file) must contain one public key") }
    return keys[0]
  }
}
