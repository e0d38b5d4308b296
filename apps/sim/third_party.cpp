#include "apps/sim/third_party.hpp"

#include "base/text.hpp"

namespace flow::sim {
namespace {

template <auto kEntries>
HttpAnswer show(State& state, const Json&, const Target& target) {
  return json_answer(
      200, last_entries(target, third_party(state).*kEntries, [](const Json& entry) { return entry; }));
}
template <auto kEntries>
HttpAnswer show_by_id(State& state, const Json&, const Target& target) {
  std::vector<Json> list;
  for (const auto& [id, entry] : third_party(state).*kEntries) list.push_back(entry);
  return json_answer(200, last_entries(target, list, [](const Json& entry) { return entry; }));
}

// A text, or `{"value", "enabled", "allowed", "exp"}`.
bool is_secret(const Json& value) {
  return value.is_text() || (value.is_object() && value["value"].is_text());
}

// Names alone: secrets are not for looking at.
HttpAnswer show_secrets(State& state, const Json&, const Target&) {
  Json names = Json::list();
  for (const auto& [name, secret] : third_party(state).secrets) names.add(name);
  return json_answer(200, Json::object({{"value", names}}));
}
HttpAnswer post_secrets(State& state, const Json& body, const Target& target) {
  for (const Member& member : body.members())
    if (!is_secret(member.value))
      return refuse(400, "`" + member.name + "` must be a text, or an object with the text `value`");
  for (const Member& member : body.members()) third_party(state).secrets[member.name] = member.value;
  return show_secrets(state, body, target);
}

constexpr ControlPage kThirdPartyPages[] = {
    {"GET", "teams", show<&ThirdParty::teams>},
    {"GET", "slack", show<&ThirdParty::slack>},
    {"GET", "echo", show<&ThirdParty::echoes>},
    {"GET", "servicenow", show_by_id<&ThirdParty::servicenow>},
    {"GET", "jira", show_by_id<&ThirdParty::jira>},
    {"GET", "sentinel", show_by_id<&ThirdParty::sentinel>},
    {"GET", "secrets", show_secrets},
    {"POST", "secrets", post_secrets},
};

}  // namespace

ThirdParty& third_party(State& state) {
  if (state.third_party == nullptr) state.third_party = std::make_shared<ThirdParty>();
  return *state.third_party;
}

void remember(std::deque<Json>& entries, Json entry) {
  entries.push_back(std::move(entry));
  if (entries.size() > kMostEntries) entries.pop_front();
}

std::string basic_user(const HttpQuestion& question) {
  const std::string_view header = question.header("Authorization");
  if (!header.starts_with("Basic ")) return "";
  const std::string login = base64_decoded(header.substr(6)).value_or("");
  const std::size_t colon = login.find(':');
  return colon == std::string::npos || colon + 1 == login.size() ? "" : login.substr(0, colon);
}

bool has_login(const HttpQuestion& question) {
  const std::string_view header = question.header("Authorization");
  return !basic_user(question).empty() || (header.starts_with("Bearer ") && header.size() > 8);
}

std::int64_t over_rate(State& state, const std::string& group, std::int64_t seconds, std::int64_t most) {
  CallCounter& counter = state.call_counters[group];
  const std::int64_t now = state.now_us();
  const std::int64_t wait = state.quotas.is_on ? counter.wait_seconds(now, seconds, most) : 0;
  if (wait == 0) counter.add(now);
  return wait;
}

HttpAnswer text_answer(int status, std::string text) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = "text/plain";
  answer.body = std::move(text);
  return answer;
}

HttpAnswer throttled(HttpAnswer answer, std::int64_t wait) {
  answer.headers.emplace_back("Retry-After", std::to_string(wait));
  return answer;
}

std::vector<std::span<const SimOperation>> third_party_operations() {
  return {teams_operations(),    slack_operations(),         servicenow_operations(), jira_operations(),
          sentinel_operations(), log_analytics_operations(), key_vault_operations(),  echo_operations()};
}

std::span<const ControlPage> third_party_pages() {
  return kThirdPartyPages;
}

}  // namespace flow::sim
