// Reading one trigger of one tenant: which page to ask for next, which of its events are new, and how far
// everything has been read. Pure bookkeeping: the loop makes the calls and commits what comes out of them.
//
// A poll reads everything from `overlap` before the watermark, page by page, because events become visible
// later than their time says and in no promised order. So the watermark moves only when the last page has
// been worked through, and what was read before is told by its key. A poll that would need too many pages is
// narrowed: its time span is halved until it fits, and the next poll goes on where it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "runtime/event_reader.hpp"

namespace flow {

// Of a polled trigger: the key of an event is then its own and, behind a line feed, the time of the change.
bool tells_of_changes(const Trigger& trigger);

struct PollSettings {
  std::uint32_t pages_per_poll = 10;      // Defender answers 10,000 rows at most
  std::uint32_t keep_seen = 200'000;      // keys remembered per trigger
  std::size_t longest_key = 512;          // bytes; an event with a longer one is unusable
  std::int64_t narrowest_us = 1'000'000;  // a span is not halved below this
};

class Poller final : public EventReader {
 public:
  Poller(CursorRow cursor, PollSettings settings);

  std::string begin(const Trigger& trigger, const PollShape& shape, std::int64_t now_us) override;
  Result<PolledPage> take_page(std::string_view json) override;
  bool is_first(const std::string& key) override { return keys_.insert(key).second; }
  std::optional<std::string> next_page() override;
  Done finish() override;

 private:
  std::string arguments() const;
  bool narrow();
  PolledEvent read_event(std::string element, std::string& problem) const;

  CursorRow cursor_;
  PollSettings settings_;

  Trigger trigger_;
  PollShape shape_;
  std::int64_t now_us_ = 0;  // when the poll began
  std::int64_t from_us_ = 0;
  std::optional<std::int64_t> until_us_;   // of a narrowed poll, not included
  std::optional<std::int64_t> resume_us_;  // where the narrowed poll before this one ended
  std::uint64_t skip_ = 0;
  std::uint32_t pages_ = 0;
  std::string first_element_;  // of the page before
  bool is_last_full_ = false;
  bool is_cut_off_ = false;
  std::int64_t highest_us_ = 0;
  std::unordered_set<std::string> keys_;
};

}  // namespace flow
