#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kAlertContext[] = "https://api.security.microsoft.com/api/$metadata#Alerts";

const EntitySet& alert_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{kAlertContext,
                              {{"alertCreationTime", Kind::Time},
                               {"lastUpdateTime", Kind::Time},
                               {"lastEventTime", Kind::Time},
                               {"incidentId", Kind::Number},
                               {"investigationId", Kind::Number},
                               {"id", Kind::Text},
                               {"assignedTo", Kind::Text},
                               {"detectionSource", Kind::Enum},
                               {"status", Kind::Enum, alert_statuses()},
                               {"severity", Kind::Enum, severities()},
                               {"category", Kind::Enum}},
                              "evidence",
                              10'000,
                              "https://api.security.microsoft.com/api/alerts"};
  return kSet;
}

// A list shows evidence only when asked to.
Json listed(const Json& alert, bool expanded) {
  Json shown = alert;
  if (!expanded) shown.set("evidence", Json::list());
  return shown;
}

HttpAnswer no_alert(State& state, const std::string& id) {
  return defender_error(state, 404, "ResourceNotFound", "Alert " + id + " was not found");
}

std::vector<const Json*> newest_first(const State& state, std::string_view machine_id) {
  std::vector<const Json*> alerts;
  for (auto alert = state.alerts.rbegin(); alert != state.alerts.rend(); ++alert)
    if (machine_id.empty() || (*alert)["machineId"].text() == machine_id) alerts.push_back(&*alert);
  return alerts;
}

HttpAnswer answer_query(State& state, const Call& call, std::string_view machine_id) {
  return answer_alerts(state, call, newest_first(state, machine_id));
}

std::vector<BodyField> update_fields() {
  return {{"status", false, {"New", "InProgress", "Resolved"}},
          {"assignedTo"},
          {"classification", false, classifications()},
          {"determination", false, determinations()},
          {"comment"}};
}

}  // namespace

void change_alert(State& state, Json& alert, const Json& body, const std::string& author) {
  const std::string now = format_ticks(state.now_us());
  for (const char* name : {"status", "assignedTo", "classification", "determination"})
    if (body.find(name) != nullptr) alert.set(name, body[name]);
  if (body["status"].is_text())
    alert.set("resolvedTime", body["status"].text() == "Resolved" ? Json(now) : Json());
  if (body["comment"].is_text()) {
    Json comments = alert["comments"];
    comments.add(Json::object({{"comment", body["comment"]}, {"createdBy", author}, {"createdTime", now}}));
    alert.set("comments", std::move(comments));
  }
  alert.set("lastUpdateTime", now);
}

namespace {

Status check_choice(const Json& given, const char* name, const std::vector<std::string>& values) {
  const Json& value = given[name];
  if (value.is_null()) return {};
  if (std::ranges::find(values, value.text()) != values.end()) return {};
  const auto near = nearest_name(value.text(), values);
  return error(fmt::format("`{}` is no {}{}", value.is_text() ? std::string(value.text()) : value.to_text(),
                           name, near ? "; did you mean `" + *near + "`?" : ""));
}

Status check_given(const Json& given) {
  if (!given.is_object()) return error(fmt::format("an alert must be an object, not {}", given.kind()));
  FLOW_TRY_STATUS(check_keys(given, alert_fields(), "an alert"));
  FLOW_TRY_STATUS(check_choice(given, "severity", severities()));
  FLOW_TRY_STATUS(check_choice(given, "status", alert_statuses()));
  for (const char* name :
       {"alertCreationTime", "firstEventTime", "lastEventTime", "lastUpdateTime", "resolvedTime"})
    if (!given[name].is_null() && !parse_ticks(given[name].text()))
      return error(fmt::format("`{}` must be a time as `2026-11-20T08:14:22.1043315Z`", name));
  for (const char* name : {"id", "title", "description", "category", "machineId", "computerDnsName"})
    if (!given[name].is_null() && !given[name].is_text())
      return error(fmt::format("`{}` must be a text", name));
  for (const char* name : {"mitreTechniques", "comments", "evidence"})
    if (given.find(name) != nullptr && !given[name].is_list())
      return error(fmt::format("`{}` must be a list", name));
  if (given.find("id") != nullptr && given["id"].text().empty()) return error("`id` must not be empty");
  return {};
}

}  // namespace

Json* find_alert(State& state, const std::string& id) {
  const auto found = state.alert_index.find(id);
  return found != state.alert_index.end() ? &state.alerts[found->second] : nullptr;
}

HttpAnswer answer_alerts(State& state, const Call& call, const std::vector<const Json*>& alerts) {
  const auto body = query_entities(alert_set(), call.target.query, alerts, listed);
  if (!body) return defender_error(state, 400, "ODataError", body.error().message);
  return json_answer(200, *body);
}

HttpAnswer list_alerts(State& state, const Call& call) {
  return answer_query(state, call, "");
}

HttpAnswer get_alert(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  return alert != nullptr ? json_answer(200, with_context(kAlertContext, *alert)) : no_alert(state, call.id);
}

HttpAnswer get_alert_machine(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  if (alert == nullptr) return no_alert(state, call.id);
  const Json* machine = find_machine(state, (*alert)["machineId"].text());
  if (machine == nullptr)
    return defender_error(state, 404, "ResourceNotFound", "Alert " + call.id + " has no related machine");
  return json_answer(200, *machine);
}

HttpAnswer update_alert(State& state, const Call& call) {
  Json* alert = find_alert(state, call.id);
  if (alert == nullptr) return no_alert(state, call.id);
  Json body;
  if (auto refusal = read_body(state, call, update_fields(), body)) return *refusal;
  if (body.members().empty())
    return defender_error(state, 400, "InvalidRequestBody", "There is nothing to update.");
  change_alert(state, *alert, body, state.options.client_id);
  return json_answer(200, with_context(kAlertContext, *alert));
}

HttpAnswer update_alerts(State& state, const Call& call) {
  std::vector<BodyField> fields = update_fields();
  fields.push_back({"alertIds", true, {}, true});
  Json body;
  if (auto refusal = read_body(state, call, fields, body)) return *refusal;
  for (const Json& id : body["alertIds"].items())
    if (find_alert(state, std::string(id.text())) == nullptr) return no_alert(state, std::string(id.text()));
  for (const Json& id : body["alertIds"].items())
    change_alert(state, *find_alert(state, std::string(id.text())), body, state.options.client_id);
  return HttpAnswer{};
}

HttpAnswer list_machine_alerts(State& state, const Call& call) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr)
    return defender_error(state, 404, "ResourceNotFound", "Machine " + call.id + " was not found");
  return answer_query(state, call, (*machine)["id"].text());
}

HttpAnswer count_machine_alerts(State& state, const Call& call) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr)
    return defender_error(state, 404, "ResourceNotFound", "Machine " + call.id + " was not found");
  const auto count =
      count_entities(alert_set(), call.target.query, newest_first(state, (*machine)["id"].text()));
  if (!count) return defender_error(state, 400, "ODataError", count.error().message);
  return json_answer(200, *count);
}

Result<Json> complete_alert(State& state, const Json& given) {
  FLOW_TRY_STATUS(check_given(given));
  const auto ticks = parse_ticks(given["alertCreationTime"].text());
  const std::int64_t created_us = ticks ? *ticks / 10 : state.now_us();
  Json alert = make_alert(*state.random, state.machines, state.options.tenant_id, created_us);
  const std::string_view place = given.find("machineId") != nullptr ? "machineId" : "computerDnsName";
  if (given.find(place) != nullptr) {
    const Json* machine = given[place].is_null() ? nullptr : find_machine(state, given[place].text());
    put_on_machine(alert, machine != nullptr ? *machine : Json());
  }
  for (const Member& member : given.members()) alert.set(member.name, member.value);
  if (!given["evidence"].is_list()) return alert;
  Json evidence = Json::list();
  for (const Json& item : given["evidence"].items()) {
    FLOW_TRY(Json complete, complete_evidence(item, created_us));
    evidence.add(std::move(complete));
  }
  return std::move(alert.set("evidence", std::move(evidence)));
}

Status add_alert(State& state, Json alert) {
  if (state.alerts.size() >= kMostAlerts)
    return error("the tenant is full (100000 alerts); POST /sim/reset empties it");
  const std::string id(alert["id"].text());
  if (!state.alert_index.try_emplace(id, state.alerts.size()).second)
    return error("there is already an alert `" + id + "`");
  state.alerts.push_back(std::move(alert));
  return {};
}

}  // namespace flow::sim
