// Frames: u16 length | u16 0xEB50 | SBE header (8) | block | group. Three visitors of messages: one writes
// a frame, one reads it, one prints it.
#pragma once

#include <cstring>
#include <ostream>
#include <stdexcept>

#include "messages.hpp"

namespace joulebook {

constexpr size_t headerLength = 12;
constexpr uint16_t encodingType = 0xEB50;

/// A frame that ends before what it says it contains, or that is none of this protocol.
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline uint64_t little(const uint8_t* bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++) value |= uint64_t(bytes[i]) << (8 * i);
  return value;
}

inline void setLittle(uint8_t* bytes, size_t size, uint64_t value) {
  for (size_t i = 0; i < size; i++) bytes[i] = uint8_t(value >> (8 * i));
}

/// Writes the fields of a message into a frame; what no field covers is 0.
class Writer {
 public:
  std::vector<uint8_t> frame;

  Writer(uint16_t templateId, uint16_t blockLength) : frame(headerLength + blockLength) {
    setLittle(&frame[2], 2, encodingType);
    setLittle(&frame[4], 2, blockLength);
    setLittle(&frame[6], 2, templateId);
    setLittle(&frame[8], 2, schemaId);
    setLittle(&frame[10], 2, schemaVersion);
  }

  uint64_t number(const char*, size_t offset, size_t size, uint64_t value) {
    setLittle(&frame[base_ + offset], size, value);
    return value;
  }
  uint64_t nullable(const char* name, size_t offset, size_t size, uint64_t value, uint64_t) {
    return number(name, offset, size, value);
  }
  int64_t integer(const char*, size_t offset, size_t size, int64_t value) {
    setLittle(&frame[base_ + offset], size, uint64_t(value));
    return value;
  }
  std::string text(const char*, size_t offset, size_t length, std::string value) {
    std::memcpy(&frame[base_ + offset], value.data(), std::min(length, value.size()));
    return value;
  }
  void bytes(const char*, size_t offset, uint8_t* value, size_t size) {
    std::memcpy(&frame[base_ + offset], value, size);
  }
  uint8_t choice(const char*, size_t offset, uint8_t value, const std::vector<const char*>&) {
    return frame[base_ + offset] = value;
  }
  uint8_t flags(const char*, size_t offset, uint8_t value, const std::vector<const char*>&) {
    return frame[base_ + offset] = value;
  }
  template <class Entry> void group(const char*, size_t entryLength, std::vector<Entry>& entries) {
    size_t start = frame.size();
    frame.resize(start + 4 + entryLength * entries.size());
    setLittle(&frame[start], 2, entryLength);
    setLittle(&frame[start + 2], 2, entries.size());
    for (size_t i = 0; i < entries.size(); i++) {
      base_ = start + 4 + entryLength * i;
      entries[i].visit(*this);
    }
  }

 private:
  size_t base_ = headerLength;
};

/// Reads the fields of a message from a frame. A field that a shorter block of an older version lacks is null,
/// or 0; what a longer block of a newer version has besides is skipped.
class Reader {
 public:
  /// Throws Malformed when the block is longer than the frame.
  explicit Reader(const std::vector<uint8_t>& frame)
      : frame_(frame), base_(headerLength), limit_(little(&frame[4], 2)) {
    if (base_ + limit_ > frame.size()) throw Malformed("the block is longer than the frame");
  }

  uint64_t number(const char*, size_t offset, size_t size, uint64_t) {
    return has(offset, size) ? little(&frame_[base_ + offset], size) : 0;
  }
  uint64_t nullable(const char*, size_t offset, size_t size, uint64_t, uint64_t null) {
    return has(offset, size) ? little(&frame_[base_ + offset], size) : null;
  }
  int64_t integer(const char*, size_t offset, size_t size, int64_t) {
    if (!has(offset, size)) return 0;
    size_t shift = 64 - 8 * size;
    return int64_t(little(&frame_[base_ + offset], size) << shift) >> shift;
  }
  std::string text(const char*, size_t offset, size_t length, const std::string&) {
    if (!has(offset, length)) return "";
    auto start = reinterpret_cast<const char*>(&frame_[base_ + offset]);
    return std::string(start, strnlen(start, length));
  }
  void bytes(const char*, size_t offset, uint8_t* value, size_t size) {
    if (has(offset, size)) std::memcpy(value, &frame_[base_ + offset], size);
    else std::memset(value, 0, size);
  }
  uint8_t choice(const char*, size_t offset, uint8_t, const std::vector<const char*>&) {
    return has(offset, 1) ? frame_[base_ + offset] : 0;
  }
  uint8_t flags(const char*, size_t offset, uint8_t, const std::vector<const char*>&) {
    return has(offset, 1) ? frame_[base_ + offset] : 0;
  }
  /// Throws Malformed when the entries are longer than the frame.
  template <class Entry> void group(const char*, size_t, std::vector<Entry>& entries) {
    size_t start = base_ + limit_;
    if (start + 4 > frame_.size()) throw Malformed("the frame ends before its group");
    limit_ = little(&frame_[start], 2);
    size_t count = little(&frame_[start + 2], 2);
    if (start + 4 + limit_ * count > frame_.size()) throw Malformed("the frame ends within its group");
    entries.assign(count, Entry());
    for (size_t i = 0; i < count; i++) {
      base_ = start + 4 + limit_ * i;
      entries[i].visit(*this);
    }
  }

 private:
  const std::vector<uint8_t>& frame_;
  size_t base_, limit_;

  bool has(size_t offset, size_t size) const { return offset + size <= limit_; }
};

/// Prints the fields, one a line: name, space, value. Nulls are `null`, bytes hexadecimal digits.
class Printer {
 public:
  explicit Printer(std::ostream& out) : out_(out) {}

  uint64_t number(const char* name, size_t, size_t, uint64_t value) {
    line(name) << value << "\n";
    return value;
  }
  uint64_t nullable(const char* name, size_t, size_t, uint64_t value, uint64_t null) {
    if (value != null) return number(name, 0, 0, value);
    line(name) << "null\n";
    return value;
  }
  int64_t integer(const char* name, size_t, size_t, int64_t value) {
    line(name) << value << "\n";
    return value;
  }
  std::string text(const char* name, size_t, size_t, std::string value) {
    line(name) << value << "\n";
    return value;
  }
  void bytes(const char* name, size_t, uint8_t* value, size_t size) {
    line(name);
    for (size_t i = 0; i < size; i++) out_ << "0123456789abcdef"[value[i] >> 4] << "0123456789abcdef"[value[i] & 15];
    out_ << "\n";
  }
  uint8_t choice(const char* name, size_t, uint8_t value, const std::vector<const char*>& names) {
    if (value < names.size()) line(name) << names[value] << "\n";
    else line(name) << unsigned(value) << "\n";
    return value;
  }
  uint8_t flags(const char* name, size_t, uint8_t value, const std::vector<const char*>& names) {
    line(name);
    const char* separator = "";
    for (size_t bit = 0; bit < names.size(); bit++) {
      if (!(value >> bit & 1)) continue;
      out_ << separator << names[bit];
      separator = "|";
    }
    out_ << "\n";
    return value;
  }
  template <class Entry> void group(const char* name, size_t, std::vector<Entry>& entries) {
    line(name) << entries.size() << "\n";
    for (size_t i = 0; i < entries.size(); i++) {
      prefix_ = std::string(name) + "[" + std::to_string(i) + "].";
      entries[i].visit(*this);
    }
    prefix_.clear();
  }

 private:
  std::ostream& out_;
  std::string prefix_;

  std::ostream& line(const char* name) { return out_ << prefix_ << name << " "; }
};

/// The frame of a message.
template <class Body> std::vector<uint8_t> encode(Body message) {
  Writer writer(Body::templateId, Body::blockLength);
  message.visit(writer);
  setLittle(&writer.frame[0], 2, writer.frame.size());
  return std::move(writer.frame);
}

/// The message in a whole frame; none for a template that this schema lacks. Throws Malformed.
inline Message decode(const std::vector<uint8_t>& frame) {
  if (frame.size() < headerLength) throw Malformed("the frame is shorter than its headers");
  if (little(&frame[8], 2) != schemaId) throw Malformed("the frame has another schema");
  Message message = make(uint16_t(little(&frame[6], 2)));
  std::visit(
      [&](auto& body) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(body)>, std::monostate>) {
          Reader reader(frame);
          body.visit(reader);
        }
      },
      message);
  return message;
}

}  // namespace joulebook
