// What was before a change. The API tells that an alert has changed, not what it was: so the last state of
// each that was seen is kept, in the commit that remembers its event, as long as a flow reads `previous`.
#include <algorithm>

#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::string_view kWire = "previous";
// What nobody has heard of for so long, or is the oldest of so many, has no `previous` any more.
constexpr std::int64_t kKeptUs = 90LL * 24 * 3'600'000'000;
constexpr std::uint32_t kKept = 50'000;            // of one trigger of one tenant
constexpr std::size_t kLongestState = 256 * 1024;  // bytes

}  // namespace

bool Runtime::Loop::reads_previous(const Subscriber& subscriber) {
  return std::ranges::any_of(subscriber.code().inputs, [](const Input& input) {
    return input.source == Input::Source::Binding && input.wire == kWire;
  });
}

// Two changes of one turn: the first is not in the store yet.
Result<std::optional<StateRow>> Runtime::Loop::state_before(const Source& source, const PolledEvent& event) {
  const auto is_same = [&](const StateRow& row) {
    return row.id == event.id && row.trigger == source.trigger && row.tenant == source.tenant;
  };
  const auto found = std::find_if(batch_.states.rbegin(), batch_.states.rend(), is_same);
  if (found != batch_.states.rend()) return std::optional<StateRow>(*found);
  return store_.last_state(source.tenant, source.trigger, event.id);
}

// An event that comes late, behind a newer one of its ID, is told nothing, and is no state to go by.
Result<std::string> Runtime::Loop::with_previous(const Source& source, const PolledEvent& event) {
  if (!source.keeps_states || event.id.empty()) return event.json;
  FLOW_TRY(const std::optional<StateRow> before, state_before(source, event));
  if (before && before->time_us >= event.time_us) return event.json;
  StateRow now{source.tenant, source.trigger, event.id, event.time_us, event.json};
  if (now.event.size() > kLongestState) now.event.clear();  // the one before it must not be told instead
  batch_.states.push_back(std::move(now));
  const std::size_t open = event.json.find('{');
  const std::size_t first =
      open == std::string::npos ? open : event.json.find_first_not_of(" \t\r\n", open + 1);
  if (!before || before->event.empty() || first == std::string::npos) return event.json;
  const std::string_view rest = std::string_view(event.json).substr(first);
  return "{\"previous\":" + before->event + (rest.starts_with('}') ? "" : ",") + std::string(rest);
}

void Runtime::Loop::forget_states(const Source& source) {
  if (source.keeps_states)
    batch_.forget_states.push_back({source.tenant, source.trigger, clock_.now_us() - kKeptUs, kKept});
}

}  // namespace flow
