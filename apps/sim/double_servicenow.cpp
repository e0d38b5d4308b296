// ServiceNow's Table API for incidents. sysparm_query takes `field=value` joined by `^`.
#include <algorithm>

#include "apps/sim/seeded_random.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

HttpAnswer failure(int status, const std::string& message, const std::string& detail) {
  return json_answer(status,
                     Json::object({{"error", Json::object({{"message", message}, {"detail", detail}})},
                                   {"status", "failure"}}));
}

std::optional<HttpAnswer> refused(State& state, const Call& call) {
  if (!has_login(call.question))
    return failure(401, "User Not Authenticated", "Required to provide Auth information");
  if (const std::int64_t wait = over_rate(state, "servicenow", 60, 100); wait > 0)
    return throttled(failure(429, "Rate limit exceeded", "Rejected by large requests rate limiting"), wait);
  return std::nullopt;
}

// `fields` narrows; references are objects unless asked for otherwise.
Json shown(const Call& call, const Json& incident) {
  const std::string fields = call.target.parameter("sysparm_fields").value_or("");
  const bool is_plain = call.target.parameter("sysparm_exclude_reference_link").value_or("") == "true";
  Json view = Json::object();
  for (const Member& member : incident.members()) {
    const bool is_named = ("," + fields + ",").find("," + member.name + ",") != std::string::npos;
    if (!fields.empty() && !is_named) continue;
    const bool is_reference =
        member.name == "caller_id" || member.name == "assignment_group" || member.name == "assigned_to";
    const bool has_link = is_reference && !is_plain && !member.value.text().empty();
    view.set(member.name,
             has_link ? Json::object({{"link", "https://instance.service-now.com/api/now/table/sys_user/" +
                                                   std::string(member.value.text())},
                                      {"value", member.value}})
                      : member.value);
  }
  return view;
}

bool matches(const Json& incident, std::string_view query) {
  while (!query.empty()) {
    const std::string_view term = query.substr(0, query.find('^'));
    query.remove_prefix(std::min(query.size(), term.size() + 1));
    const std::size_t equals = term.find('=');
    if (term.starts_with("ORDERBY") || term.empty()) continue;
    if (equals == std::string_view::npos) return false;
    if (incident[term.substr(0, equals)].text() != term.substr(equals + 1)) return false;
  }
  return true;
}

std::size_t number(const Call& call, const char* name, std::size_t otherwise) {
  const std::string text = call.target.parameter(name).value_or("");
  const bool is_number =
      !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? std::stoul(text) : otherwise;
}

HttpAnswer list(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const std::string query = call.target.parameter("sysparm_query").value_or("");
  const std::size_t most = number(call, "sysparm_limit", 10'000);
  std::size_t skip = number(call, "sysparm_offset", 0);
  Json result = Json::list();
  for (const auto& [id, incident] : third_party(state).servicenow) {
    if (!matches(incident, query)) continue;
    if (skip > 0)
      --skip;
    else if (result.items().size() < most)
      result.add(shown(call, incident));
  }
  return json_answer(200, Json::object({{"result", result}}));
}

HttpAnswer get(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const auto found = third_party(state).servicenow.find(call.id);
  if (found == third_party(state).servicenow.end())
    return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval");
  return json_answer(200, Json::object({{"result", shown(call, found->second)}}));
}

void take_fields(Json& incident, const Json& body) {
  for (const Member& member : body.members()) {
    if (member.name == "sys_id" || member.name == "number") continue;
    incident.set(member.name, member.value.is_null()   ? Json("")
                              : member.value.is_text() ? member.value
                                                       : Json(member.value.to_text()));
  }
}

HttpAnswer create(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object())
    return failure(400, "Exception while reading request", "The payload is not valid JSON");
  ThirdParty& own = third_party(state);
  if (own.servicenow.size() >= kMostEntries)
    return failure(403, "Operation Failed", "There are too many records");
  const std::string id = hex_digits(*state.random, 32), now = format_ticks(state.now_us()).substr(0, 19);
  Json incident =
      Json::object({{"sys_id", id}, {"number", "INC00" + std::to_string(own.next_number++)}, {"state", "1"}});
  for (const char* name :
       {"short_description", "description", "urgency", "impact", "category", "caller_id", "assignment_group",
        "assigned_to", "correlation_id", "correlation_display", "work_notes", "comments"})
    incident.set(name, "");
  incident.set("urgency", "3")
      .set("impact", "3")
      .set("sys_created_by", basic_user(call.question))
      .set("sys_created_on", now);
  take_fields(incident, *body);
  own.servicenow[id] = incident;
  HttpAnswer answer = json_answer(201, Json::object({{"result", shown(call, incident)}}));
  answer.headers.emplace_back("Location", "/api/now/table/incident/" + id);
  return answer;
}

HttpAnswer update(State& state, const Call& call) {
  if (auto answer = refused(state, call)) return *answer;
  const auto found = third_party(state).servicenow.find(call.id);
  if (found == third_party(state).servicenow.end())
    return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval");
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object())
    return failure(400, "Exception while reading request", "The payload is not valid JSON");
  take_fields(found->second, *body);
  found->second.set("sys_updated_on", format_ticks(state.now_us()).substr(0, 19));
  return json_answer(200, Json::object({{"result", shown(call, found->second)}}));
}

constexpr char kIncident[] = "/api/now/table/incident", kOneIncident[] = "/api/now/table/incident/{id}";
constexpr SimOperation kServicenowOperations[] = {
    {"servicenow.list", "GET", kIncident, Audience::None, "", 0, 0, list},
    {"servicenow.create", "POST", kIncident, Audience::None, "", 0, 0, create},
    {"servicenow.get", "GET", kOneIncident, Audience::None, "", 0, 0, get},
    {"servicenow.update", "PATCH", kOneIncident, Audience::None, "", 0, 0, update},
    {"servicenow.replace", "PUT", kOneIncident, Audience::None, "", 0, 0, update},
};

}  // namespace

std::span<const SimOperation> servicenow_operations() {
  return kServicenowOperations;
}

}  // namespace flow::sim
