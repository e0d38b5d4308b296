// Entries of one run that are committed together as one row of the store: a row for each would cost more than
// what most of them say. It is a text, in which each entry is a line that says its kind, how many
// microseconds after the first it was written, and the length of its payload; the payload follows on a line
// of its own. A text that is long is compressed (LZ4), and then begins with its length on a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/store.hpp"

namespace flow {

// In place of the kind of an entry, of which none has these numbers: several entries, or one that is long.
inline constexpr int kPacked = 0;
inline constexpr int kCompressed = -1;

struct Packed {
  int kind = kPacked;
  std::string bytes;
};

// How many of the rows, from `first` on, are entries of one run that follow each other and go into one row.
// At least one.
std::size_t packable(std::span<const JournalRow> rows, std::size_t first);
// One short entry stays as it is.
Packed pack(std::span<const JournalRow> rows);
// Appends the entries to `rows`. The last of them has the sequence `last`, the first was written at
// `time_us`. An Error, and nothing is appended: what was packed is damaged.
Status unpack(const Packed& packed, std::string_view run, std::uint32_t last, std::int64_t time_us,
              std::vector<JournalRow>& rows);

}  // namespace flow
