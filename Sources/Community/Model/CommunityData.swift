import Foundation

/// The data sets in the package.
public enum CommunityData {
  /// The folder with the data sets and their licence notes.
  public static var folder: URL {
    Bundle.module.resourceURL?.appending(path: "Data") ?? URL(filePath: "Data")
  }
}
