// Reads each golden vector of clients/vectors.txt, prints its fields and writes it again: both must be what
// the file says.
//
//     vectors clients/vectors.txt

#include <fstream>
#include <iostream>
#include <sstream>

#include "joulebook/codec.hpp"

using namespace joulebook;

static std::vector<uint8_t> parse(const std::string& digits) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) bytes.push_back(uint8_t(std::stoul(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

/// What is wrong with a vector; empty if nothing is.
static std::string fault(const std::string& name, const std::string& variant, const std::vector<uint8_t>& frame,
                         const std::string& fields) {
  // Frames of other versions of the schema are read, not written.
  bool isWritten = variant != "older" && variant != "newer";
  Message message = decode(frame);
  std::ostringstream printed;
  std::string wrong = "unknown template";
  std::visit(
      [&](auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (!std::is_same_v<Body, std::monostate>) {
          Printer printer(printed);
          body.visit(printer);
          wrong = Body::messageName != name ? "is read as " + std::string(Body::messageName)
                  : printed.str() != fields ? "fields:\n" + printed.str() + "instead of\n" + fields
                  : isWritten && encode(body) != frame ? "another frame is written" : "";
        }
      },
      message);
  // A frame that ends early is refused rather than read beyond its end.
  for (size_t length = 0; length < frame.size(); length++) {
    try {
      decode({frame.begin(), frame.begin() + long(length)});
      return "a frame of " + std::to_string(length) + " bytes is read";
    } catch (const Malformed&) {
    }
  }
  return wrong;
}

int main(int count, char** arguments) {
  std::ifstream file(count > 1 ? arguments[1] : "clients/vectors.txt");
  std::string line, fields;
  int read = 0, wrong = 0;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name, variant, frame;
    words >> name >> variant >> frame;
    for (fields.clear(); std::getline(file, line) && !line.empty();) fields += line + "\n";
    std::string found = fault(name, variant, parse(frame), fields);
    if (!found.empty()) std::cout << name << ", " << variant << ": " << found << "\n", wrong++;
    read++;
  }
  std::cout << read << " vectors, " << wrong << " wrong\n";
  return read == 0 || wrong > 0;
}
