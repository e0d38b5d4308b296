#include "apps/sim/archives.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace flow::sim {
namespace {

constexpr std::size_t kLongestBlock = 65'535;   // of stored bytes in deflate
constexpr std::uint32_t kNoTime = 0x5a21'0000;  // 2025-01-01 in the form of zip

std::uint32_t crc32_of(std::string_view bytes) {
  static const auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value & 1u) != 0 ? 0xedb88320u ^ (value >> 1) : value >> 1;
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xffu] ^ (crc >> 8);
  return crc ^ 0xffffffffu;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffu);
}

}  // namespace

std::string gzip_of(std::string_view content) {
  std::string out("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", 10);
  std::string_view rest = content;
  do {
    const std::string_view block = rest.substr(0, std::min(rest.size(), kLongestBlock));
    rest.remove_prefix(block.size());
    out += rest.empty() ? '\x01' : '\x00';  // the last block, stored
    put(out, block.size(), 2);
    put(out, ~block.size(), 2);
    out += block;
  } while (!rest.empty());
  put(out, crc32_of(content), 4);
  put(out, content.size(), 4);
  return out;
}

std::string zip_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string out, directory;
  for (const auto& [name, content] : files) {
    std::string common;
    put(common, 20, 2);  // version needed
    put(common, 0, 4);   // no flags, stored
    put(common, kNoTime, 4);
    put(common, crc32_of(content), 4);
    put(common, content.size(), 4);
    put(common, content.size(), 4);
    put(common, name.size(), 2);
    put(common, 0, 2);  // no extra field
    put(directory, 0x02014b50u, 4);
    put(directory, 20, 2);
    directory += common;
    put(directory, 0, 6);  // no comment, disk, internal attributes
    put(directory, 0, 4);
    put(directory, out.size(), 4);
    directory += name;
    put(out, 0x04034b50u, 4);
    out += common + name + content;
  }
  const std::size_t start = out.size();
  out += directory;
  put(out, 0x06054b50u, 4);
  put(out, 0, 4);
  put(out, files.size(), 2);
  put(out, files.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace flow::sim
