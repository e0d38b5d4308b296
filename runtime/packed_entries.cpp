#include "runtime/packed_entries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "runtime/compressed_text.hpp"

namespace flow {
namespace {

// Beyond so much a row is long enough.
constexpr std::size_t kMostBytes = 64 * 1024;
constexpr std::size_t kHeadBytes = 24;  // of an entry, about
constexpr std::size_t kShort = 512;     // less is not worth compressing

tl::unexpected<Error> damaged(std::string_view how) {
  return error(fmt::format("the journal is damaged: a row with several entries {}", how));
}

// Reads `NUMBER` and the character behind it.
std::optional<std::int64_t> number(std::string_view& text, char end) {
  std::int64_t value = 0;
  const auto [at, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || at == text.data() + text.size() || *at != end) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
  return value;
}

Result<std::vector<JournalRow>> read(std::string_view run, std::uint32_t last, std::int64_t time_us,
                                     std::string_view text) {
  std::vector<JournalRow> rows;
  while (!text.empty()) {
    const auto kind = number(text, ' '), after_us = kind ? number(text, ' ') : std::nullopt,
               size = after_us ? number(text, '\n') : std::nullopt;
    JournalRow row{.run = std::string(run), .kind = 0, .payload = {}};
    const bool is_whole = size && *size >= 0 && text.size() > static_cast<std::size_t>(*size) &&
                          text[static_cast<std::size_t>(*size)] == '\n' && *kind > 0 && *kind <= 0xffff &&
                          !__builtin_add_overflow(time_us, *after_us, &row.time_us);
    if (!is_whole) return damaged("cannot be read");
    row.kind = static_cast<int>(*kind);
    row.payload = text.substr(0, static_cast<std::size_t>(*size));
    text.remove_prefix(static_cast<std::size_t>(*size) + 1);
    rows.push_back(std::move(row));
  }
  const std::size_t count = rows.size();
  if (count == 0 || count > std::size_t{last} + 1) return damaged("has the wrong number of them");
  for (std::size_t i = 0; i < count; ++i) rows[i].sequence = static_cast<std::uint32_t>(last + 1 - count + i);
  return rows;
}

}  // namespace

std::size_t packable(std::span<const JournalRow> rows, std::size_t first) {
  std::size_t bytes = rows[first].payload.size();
  std::size_t end = first + 1;
  for (; end < rows.size(); ++end) {
    const JournalRow& row = rows[end];
    if (row.run != rows[first].run || row.sequence != rows[end - 1].sequence + 1) break;
    bytes += row.payload.size();
    if (bytes > kMostBytes) break;
  }
  return end - first;
}

Packed pack(std::span<const JournalRow> rows) {
  const JournalRow& first = rows.front();
  if (rows.size() == 1 && first.payload.size() < kShort) return {first.kind, first.payload};
  std::size_t bytes = 0;
  for (const JournalRow& row : rows) bytes += row.payload.size() + kHeadBytes;
  std::string text;
  text.reserve(bytes);
  for (const JournalRow& row : rows) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", row.kind, row.time_us - first.time_us,
                   row.payload.size());
    text.append(row.payload) += '\n';
  }
  if (auto shorter = compressed(text)) return {kCompressed, std::move(*shorter)};
  return {kPacked, std::move(text)};
}

Status unpack(const Packed& packed, std::string_view run, std::uint32_t last, std::int64_t time_us,
              std::vector<JournalRow>& rows) {
  std::string text;
  if (packed.kind == kCompressed) {
    auto read_back = decompressed(packed.bytes);
    if (!read_back) return damaged("cannot be decompressed");
    text = *std::move(read_back);
  }
  FLOW_TRY(std::vector<JournalRow> entries,
           read(run, last, time_us, packed.kind == kCompressed ? text : packed.bytes));
  std::ranges::move(entries, std::back_inserter(rows));
  return {};
}

}  // namespace flow
