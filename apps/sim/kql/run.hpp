// What one query may use up, and what it has: every loop of the evaluation asks here before it goes on, so
// that a hostile query ends soon, however its joins explode.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "apps/sim/kql/value.hpp"

namespace re2 {
class RE2;
}

namespace flow::kql {

struct Limits {
  std::uint64_t steps = 50'000'000;      // a row looked at, a function called
  std::uint64_t bytes = 512u << 20;      // made in all, freed or not
  std::size_t result_rows = 100'000;     // what is beyond is left out
  std::size_t result_bytes = 50u << 20;  // of the rows as JSON
};

class Run {
 public:
  Run(const Limits& limits, std::int64_t now_us);
  ~Run();

  // False when the query has used up what it may; then everything returns at once, with any value.
  bool spend(std::uint64_t steps, std::uint64_t bytes = 0) {
    steps_ += steps;
    bytes_ += bytes;
    return steps_ <= limits_.steps && bytes_ <= limits_.bytes;
  }
  bool is_over() const { return steps_ > limits_.steps || bytes_ > limits_.bytes; }
  bool is_out_of_memory() const { return bytes_ > limits_.bytes; }
  std::uint64_t steps() const { return steps_; }
  // A row made; false when that is too much.
  bool add(Rows& rows, Row row) {
    if (!spend(1, 48 + row.size() * sizeof(Value))) return false;
    rows.push_back(std::make_shared<const Row>(std::move(row)));
    return true;
  }

  DateTime now() const { return now_; }
  // Null when the pattern is malformed. RE2, so its time is linear in the text.
  const re2::RE2* pattern(std::string_view text);

 private:
  Limits limits_;
  DateTime now_;
  std::uint64_t steps_ = 0, bytes_ = 0;
  std::map<std::string, std::unique_ptr<re2::RE2>, std::less<>> patterns_;
};

}  // namespace flow::kql
