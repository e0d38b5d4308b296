#include "runtime/compressed_text.hpp"

#include <fmt/format.h>
#include <lz4.h>

#include <charconv>
#include <cstddef>
#include <cstdint>

namespace flow {
namespace {

// Less is not worth compressing, and more is refused when it is read: nothing that is kept comes near.
constexpr std::size_t kShort = 512, kLongest = 256u << 20;

// Reads the length on the first line.
std::optional<std::size_t> length_of(std::string_view& bytes) {
  std::uint64_t value = 0;
  const char* const end = bytes.data() + bytes.size();
  const auto [at, problem] = std::from_chars(bytes.data(), end, value);
  if (problem != std::errc() || at == end || *at != '\n') return std::nullopt;
  bytes.remove_prefix(static_cast<std::size_t>(at - bytes.data()) + 1);
  // A byte stands for 255 at most.
  if (value == 0 || value > kLongest || value / 255 > bytes.size()) return std::nullopt;
  return static_cast<std::size_t>(value);
}

}  // namespace

std::optional<std::string> compressed(std::string_view text) {
  if (text.size() < kShort || text.size() > kLongest) return std::nullopt;
  std::string bytes = fmt::format("{}\n", text.size());
  const std::size_t head = bytes.size();
  bytes.resize(text.size());
  const int room = static_cast<int>(bytes.size() - head);
  const int size =
      LZ4_compress_default(text.data(), bytes.data() + head, static_cast<int>(text.size()), room);
  if (size <= 0) return std::nullopt;
  bytes.resize(head + static_cast<std::size_t>(size));
  return bytes;
}

std::optional<std::string> decompressed(std::string_view bytes) {
  const auto length = length_of(bytes);
  if (!length) return std::nullopt;
  std::string text(*length, '\0');
  const int size = LZ4_decompress_safe(bytes.data(), text.data(), static_cast<int>(bytes.size()),
                                       static_cast<int>(text.size()));
  if (size < 0 || static_cast<std::size_t>(size) != text.size()) return std::nullopt;
  return text;
}

}  // namespace flow
