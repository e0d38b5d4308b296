// Numbers and bytes one after the other, for snapshots. Numbers have seven bits a byte, the lowest first;
// signed ones alternate, 0, -1, 1, -2, so that small ones are short whatever their sign.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace flow {

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void byte(std::uint8_t value) { out_ += static_cast<char>(value); }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
    byte(static_cast<std::uint8_t>(value));
  }
  void signed_number(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void fixed64(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void bytes(std::string_view text) { out_ += text; }
  void text(std::string_view text) {
    number(text.size());
    bytes(text);
  }

 private:
  std::string& out_;
};

// Past the end, or at a number of more than 64 bits, everything is 0 and is_good() false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}

  bool is_good() const { return is_good_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  std::uint8_t byte() {
    if (at_ == end_) return static_cast<std::uint8_t>(fail());
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fu} << shift;
      if (next < 0x80) return shift == 63 && next > 1 ? fail() : value;
    }
    return fail();
  }
  // A number that is at most `most`.
  std::uint64_t number_up_to(std::uint64_t most) {
    const std::uint64_t value = number();
    return value <= most ? value : fail();
  }
  std::int64_t signed_number() {
    const std::uint64_t value = number();
    return static_cast<std::int64_t>((value >> 1) ^ (0 - (value & 1)));
  }
  std::uint64_t fixed64() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 8) value |= std::uint64_t{byte()} << shift;
    return value;
  }
  std::string_view bytes(std::size_t size) {
    if (size > left()) return fail(), std::string_view();
    at_ += size;
    return {at_ - size, size};
  }
  std::string_view text() { return bytes(number()); }

 private:
  std::uint64_t fail() {
    is_good_ = false;
    at_ = end_;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool is_good_ = true;
};

}  // namespace flow
