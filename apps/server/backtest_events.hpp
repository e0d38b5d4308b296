// What flows are tried on: events of the past, from a file or from the tenant, by the trigger that would have
// brought them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "runtime/executor.hpp"

namespace flow {

struct PastEvent {
  std::int64_t time_us = 0;
  std::string json;
};
// Events of one polled trigger, by time. Polls are told apart by what they call and by which time they ask.
struct PastSource {
  std::string operation;     // `defender.list_alerts`
  std::string cursor_field;  // `alertCreationTime`
  std::size_t page_size = 0;
  std::vector<PastEvent> events;
};

// The polled triggers of the module, each once, without events.
std::vector<PastSource> past_sources(const Module& module);

// One JSON array, or one object a line. Each event goes to the triggers whose time it has; the error names
// the first that none of them could take, by its place.
Status add_events(const std::string& text, std::vector<PastSource>& sources);

// Asks the tenant for all since then. `ask` performs a read and waits for its answer.
Status fetch_events(const Module& module, std::int64_t since_us, std::int64_t now_us,
                    const std::function<Outcome(std::uint32_t operation, const std::string& arguments)>& ask,
                    std::vector<PastSource>& sources);

}  // namespace flow
