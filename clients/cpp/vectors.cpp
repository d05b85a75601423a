// Reads each golden vector of clients/vectors.txt, prints its fields and writes it again: both must be what
// the file says. Then a book takes the frames of clients/book.txt.
//
//     vectors clients/vectors.txt clients/book.txt

#include <fstream>
#include <iostream>
#include <sstream>

#include "joulebook/book.hpp"
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

/// The number of lines of the file after which a book is another one.
static int bookFaults(const char* path) {
  std::ifstream file(path);
  LevelBook book(1);
  int wrong = 0;
  std::string frame, expected;
  while (file >> frame && std::getline(file >> std::ws, expected)) {
    auto missing = book.take(decode(parse(frame)));
    Level bid = book.best(1, Side::buy), ask = book.best(1, Side::sell);
    std::ostringstream found;
    found << "missing " << missing.value_or(0) << " bid " << bid.live << " at " << bid.price << " ask " << ask.live
          << " at " << ask.price;
    if (found.str() != expected) std::cout << "book: " << found.str() << " instead of " << expected << "\n", wrong++;
  }
  return book.isComplete() ? wrong : wrong + 1;
}

int main(int count, char** arguments) {
  if (count != 3) return 64;
  std::ifstream file(arguments[1]);
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
  wrong += bookFaults(arguments[2]);
  std::cout << read << " vectors, " << wrong << " wrong\n";
  return read == 0 || wrong > 0;
}
