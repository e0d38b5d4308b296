// The rows that a scheduled hunting query finds, as events. A row is known by what stands in it: one that an
// earlier query brought, to the last column, is not taken again.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "runtime/event_reader.hpp"

namespace flow {

class Hunter final : public EventReader {
 public:
  // `is_seen` knows the keys of rows that were taken before.
  using IsSeen = std::function<Result<bool>(const std::string& key)>;
  Hunter(CursorRow cursor, IsSeen is_seen) : cursor_(std::move(cursor)), is_seen_(std::move(is_seen)) {}

  std::string begin(const Trigger& trigger, const PollShape& shape, std::int64_t now_us) override;
  Result<PolledPage> take_page(std::string_view json) override;
  bool is_first(const std::string& key) override { return keys_.insert(key).second; }
  std::optional<std::string> next_page() override { return std::nullopt; }
  Done finish() override;

 private:
  Result<PolledEvent> batch(const std::vector<std::string>& rows, const std::vector<std::string>& keys);

  CursorRow cursor_;
  IsSeen is_seen_;
  Trigger trigger_;
  std::int64_t now_us_ = 0;
  std::int64_t firing_us_ = 0;
  std::unordered_set<std::string> keys_;
};

}  // namespace flow
