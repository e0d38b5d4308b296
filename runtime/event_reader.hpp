// Reading the events of one trigger of one tenant by asking for them, page by page. Pure bookkeeping: the
// loop makes the calls and commits what comes out of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "runtime/store.hpp"

namespace flow {

// What all flows on the trigger need of the poll together.
struct PollShape {
  std::string filter;               // pushdown all of them agree on; empty: none
  std::vector<std::string> expand;  // wire names
};

struct PolledEvent {
  std::string json;  // the event's own text
  std::string key;
  std::string id;                 // of what it is about, when the trigger tells of changes: of each its last
                                  // state may be kept
  std::int64_t time_us = 0;       // when it has none, the time of the poll
  std::vector<std::string> with;  // keys of what else is seen when this is
};
struct PolledPage {
  std::vector<PolledEvent> events;    // in the order they came
  std::vector<std::string> unusable;  // why, one a bad element
  std::uint32_t too_old = 0;          // before what was asked for
};

class EventReader {
 public:
  virtual ~EventReader() = default;

  // Starts a poll and gives the arguments of its first page. Until it is done it goes by this declaration of
  // the trigger, whatever is deployed meanwhile.
  virtual std::string begin(const Trigger& trigger, const PollShape& shape, std::int64_t now_us) = 0;
  // Takes the page asked for last. An Error says that the answer is no list; the poll has failed then.
  virtual Result<PolledPage> take_page(std::string_view json) = 0;
  // Whether this is the first time that this poll brings the key.
  virtual bool is_first(const std::string& key) = 0;
  // To be called when every event of the page has been worked through. Arguments of the next page, or nothing
  // when the poll is done.
  virtual std::optional<std::string> next_page() = 0;

  struct Done {
    CursorRow cursor;
    ForgetRow forget;
    bool is_behind = false;  // there is more to read: poll again at once
    std::string problem;     // for a person; empty when all is well
  };
  virtual Done finish() = 0;
};

}  // namespace flow
