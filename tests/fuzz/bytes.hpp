// The fuzzer's input as a supply of small decisions; it gives zeros once it is used up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flow::fuzz {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  bool is_empty() const { return at_ >= size_; }
  std::uint8_t byte() { return is_empty() ? std::uint8_t{0} : data_[at_++]; }
  std::uint32_t below(std::uint32_t bound) {
    const std::uint32_t low = byte();
    return (low | std::uint32_t{byte()} << 8) % bound;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

// Inputs the fuzzer should start from; each target has its own.
std::vector<std::string> seeds();

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
