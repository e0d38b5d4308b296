// What a `limit` of a flow counts: calls of one operation by all runs of one flow in one tenant. No span of
// the limit's window ever holds more of them than it allows, however often each is retried and whatever
// happens to the process. A call counts by the time at which it went out last; while it is under way it
// counts whatever the time.
//
// The store has the truth. This keeps in memory what is within the windows, and who is under way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "runtime/store.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class CallCounts {
 public:
  struct Subject {
    std::string tenant;
    std::string flow;
    std::string operation;  // full name
    auto operator<=>(const Subject&) const = default;
  };
  using CallId = std::pair<std::string, std::uint32_t>;  // run and number
  using IsUnderWay = std::function<bool(const CallId&)>;

  // Lets the call have a place under the limit; one that has it keeps it. False when the limit is reached.
  // `is_under_way` says of a call that had a place whether it still needs it. An Error: the store could not
  // be read, and the call must not be made.
  Result<bool> hold(Store& store, const Subject& subject, const CallId& call, const Policies::Limit& limit,
                    std::int64_t now_us, const IsUnderWay& is_under_way);
  // The call goes out: what is to be committed with its intent. Only of one that holds a place.
  CountedCallRow note_sent(const Subject& subject, const CallId& call, const Policies::Limit& limit,
                           std::int64_t now_us);
  // The call certainly did not happen: what is to be taken from the store.
  CountedCallRow give_back(const Subject& subject, const CallId& call);

 private:
  struct Window {
    std::int64_t longest_us = 0;
    std::map<CallId, std::int64_t> times;
    std::set<std::pair<std::int64_t, CallId>> by_time;
    std::set<CallId> held;

    void put(const CallId& call, std::int64_t time_us);
    void remove(const CallId& call);
  };
  Status read(Store& store, const Subject& subject, std::int64_t window_us, std::int64_t now_us);

  std::map<Subject, Window> windows_;
};

}  // namespace flow
