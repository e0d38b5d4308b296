// Doubles of the services beside Defender and Graph, at wire level: each in a file of its own (double_*.cpp),
// all of them found by their real paths on the tenant's one port. What they were told is at GET /sim/NAME.
#pragma once

#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "apps/sim/control.hpp"
#include "apps/sim/state.hpp"

namespace flow::sim {

inline constexpr std::size_t kMostEntries = 10'000;  // of each service; more are refused, or the oldest goes

struct ThirdParty {
  std::deque<Json> teams, slack, echoes;
  std::map<std::string, Json> servicenow, jira, sentinel;  // by id
  std::map<std::string, Json> secrets{{"flow-secret", Json("s3cret-of-the-vault")}};
  std::int64_t next_number = 10'001;
};

ThirdParty& third_party(State& state);
void remember(std::deque<Json>& entries, Json entry);  // the oldest goes

// The login of an Authorization: Basic header; empty when there is none.
std::string basic_user(const HttpQuestion& question);
bool has_login(const HttpQuestion& question);  // Basic with a name and a secret, or any bearer token
// Counts a call of `group`; how many seconds to wait when it is more than `most` in `seconds`.
std::int64_t over_rate(State& state, const std::string& group, std::int64_t seconds, std::int64_t most);
HttpAnswer text_answer(int status, std::string text);
HttpAnswer throttled(HttpAnswer answer, std::int64_t wait);  // with Retry-After

std::span<const SimOperation> teams_operations();
std::span<const SimOperation> slack_operations();
std::span<const SimOperation> servicenow_operations();
std::span<const SimOperation> jira_operations();
std::span<const SimOperation> sentinel_operations();
std::span<const SimOperation> log_analytics_operations();
std::span<const SimOperation> key_vault_operations();
std::span<const SimOperation> echo_operations();
std::vector<std::span<const SimOperation>> third_party_operations();
std::span<const ControlPage> third_party_pages();

}  // namespace flow::sim
