// What a run that sleeps leaves behind: a line of JSON that a person can read, with what the runtime knows of
// the calls it waits for, and behind it the machine's snapshot (vm/interp/snapshot.hpp). It only saves time:
// when it cannot be read, the journal, which is kept whole, says the same.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow {

struct FrozenCall {
  std::uint32_t number = 0;
  std::uint32_t attempts = 0;
  std::uint32_t failures = 0;
  std::int64_t due_us = 0;  // kNever: no time brings its answer
  bool is_held = false;     // it has not gone out: people are asked first
};
struct FrozenRun {
  std::uint32_t calls = 0;  // that the run has made so far
  bool has_entered = false;
  std::string settings = "{}";  // JSON object
  std::vector<FrozenCall> waiting;
  std::string machine;
};

std::string encode_frozen(const FrozenRun& run);
// The error says what is damaged, or that a newer version wrote it.
Result<FrozenRun> decode_frozen(std::string_view bytes);

}  // namespace flow
