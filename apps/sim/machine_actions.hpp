// What is asked of devices and goes on after the answer: shared by model_actions.cpp and
// model_live_response.cpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/request_body.hpp"

namespace flow::sim {

struct ActionKind {
  std::string type;
  std::vector<BodyField> fields;
  std::string scope_field;                        // of the body; empty: no scope
  std::vector<std::string> platforms;             // prefixes of osPlatform it works on
  std::int64_t patience_us = 3 * 86'400'000'000;  // so long a device that does not report is waited for
};

MachineAction* find_action(State& state, const std::string& id);  // null when there is none
bool is_busy(const State& state, std::string_view machine_id, std::string_view type);
// The refusal of an action that the device cannot take: its platform, or one of that kind under way.
std::optional<HttpAnswer> refused_action(State& state, const ActionKind& kind, const Json& machine);
MachineAction& start_action(State& state, const ActionKind& kind, const Json& machine, const Json& body);
HttpAnswer shown_action(int status, const MachineAction& action);

// The commands of a live response: as far as they are by now, and their end.
void advance_commands(State& state, MachineAction& action);
void finish_commands(State& state, MachineAction& action);

// A link to what `download` says, made anew each time and valid for as long as the API's are; its
// `expires_us` may be 0 for the usual half an hour.
std::string download_link(State& state, const Call& call, Download download);

}  // namespace flow::sim
