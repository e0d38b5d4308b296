// The pages below /sim: what a demonstration or a test tells the tenant, and what it may look at. They need
// no token.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/control.hpp"
#include "apps/sim/graph_data.hpp"
#include "apps/sim/hunting.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {

HttpAnswer refuse(int status, const std::string& message) {
  return json_answer(
      status, Json::object({{"error", Json::object({{"code", status == 404 ? "NotFound" : "BadRequest"},
                                                    {"message", message}})}}));
}

std::size_t last_of(const Target& target, std::size_t count) {
  constexpr std::size_t kMostShown = 1'000;
  const std::string text = target.parameter("last").value_or("");
  const bool is_number =
      !text.empty() && text.size() < 9 && text.find_first_not_of("0123456789") == std::string::npos;
  return std::min<std::size_t>(count, is_number ? std::stoul(text) : kMostShown);
}

namespace {

HttpAnswer bad(const Error& problem) {
  return refuse(400, problem.message);
}

Json value_list(Json::List list) {
  return Json::object({{"value", Json(std::move(list))}});
}

HttpAnswer post_alerts(State& state, const Json& body) {
  const Json& list = body["value"].is_list() ? body["value"] : body;
  Json::List added;
  const Status status = load_alert_list(state, list.is_list() ? list : Json(Json::List{list}), added);
  return status ? json_answer(200, value_list(std::move(added))) : bad(status.error());
}

HttpAnswer show_alerts(State& state, const Target& target) {
  return json_answer(200, last_entries(target, state.alerts, [](const Json& alert) { return alert; }));
}

HttpAnswer post_machines(State& state, const Json& body) {
  Json::List added;
  for (const Json& given : body.is_list() ? body.items() : Json::List{body}) {
    auto machine = complete_machine(state, given);
    if (!machine) return bad(machine.error());
    added.push_back(std::move(*machine));
  }
  for (const Json& machine : added)
    if (const Status status = add_machine(state, machine); !status) return bad(status.error());
  return json_answer(200, value_list(std::move(added)));
}

HttpAnswer show_machines(const State& state) {
  Json::List list;
  for (const Json& machine : state.machines) {
    Json shown = machine;
    const std::string id(machine["id"].text());
    shown.set("isIsolated", state.isolated.contains(id)).set("isRestricted", state.restricted.contains(id));
    list.push_back(std::move(shown));
  }
  return json_answer(200, value_list(std::move(list)));
}

HttpAnswer show_actions(const State& state, const Target& target) {
  return json_answer(
      200, last_entries(target, state.actions, [](const MachineAction& action) { return action.json; }));
}

HttpAnswer show_mails(const State& state, const Target& target) {
  return json_answer(200, last_entries(target, state.mails, [](const Mail& mail) { return mail.json; }));
}

Json shown_request(const RequestRecord& entry) {
  return Json::object({{"time", format_ticks(entry.time_us)},
                       {"method", entry.method},
                       {"path", entry.path},
                       {"operation", entry.operation},
                       {"status", entry.status},
                       {"fault", entry.fault.empty() ? Json() : Json(entry.fault)}});
}

HttpAnswer show_requests(const State& state, const Target& target) {
  Json counts = Json::object();
  for (const auto& [key, calls] : state.request_counts) counts.set(key, calls);
  Json body = last_entries(target, state.requests, shown_request);
  return json_answer(200, body.set("total", state.requests_total).set("counts", std::move(counts)));
}

Json quota_json(const State& state) {
  Json groups = Json::object();
  for (const auto& [group, counter] : state.call_counters) {
    const auto [per_minute, per_hour] = quota_of(state, operation_named(group));
    const std::int64_t now = state.now_us();
    groups.set(group, Json::object({{"last_minute", counter.within(now, 60)},
                                    {"per_minute", per_minute},
                                    {"last_hour", counter.within(now, 3600)},
                                    {"per_hour", per_hour}}));
  }
  return Json::object({{"on", state.quotas.is_on}, {"groups", groups}});
}

HttpAnswer show_stats(const State& state) {
  std::map<std::string, std::int64_t> by_status, by_severity;
  for (const MachineAction& action : state.actions) ++by_status[std::string(action.json["status"].text())];
  for (const Json& alert : state.alerts) ++by_severity[std::string(alert["severity"].text())];
  Json statuses = Json::object(), severity_counts = Json::object(), executions = Json::object();
  for (const auto& [status, count] : by_status) statuses.set(status, count);
  for (const auto& [severity, count] : by_severity) severity_counts.set(severity, count);
  for (const auto& [name, count] : state.operation_counts)
    executions.set(name, Json::object({{"calls", count.calls}, {"executed", count.executed}}));
  Json isolated = Json::list();
  for (const std::string& id : state.isolated) {
    const Json* machine = find_machine(state, id);
    isolated.add(Json::object(
        {{"id", id}, {"computerDnsName", machine != nullptr ? (*machine)["computerDnsName"] : Json()}}));
  }
  Json body = Json::object({{"time", format_ticks(state.now_us())}, {"alerts", state.alerts.size()}});
  body.set("alerts_to_come", state.arriving.size()).set("severities", severity_counts);
  body.set("machines", state.machines.size()).set("isolated", isolated).set("actions", statuses);
  Json mails = Json::object();
  for (const char* via : {"graph", "smtp", "gmail", "acs"}) mails.set(via, state.mail_counts.at(via));
  body.set("mails", std::move(mails));
  body.set("calls", Json::object({{"last_minute", state.api_calls.within(state.now_us(), 60)},
                                  {"last_hour", state.api_calls.within(state.now_us(), 3600)}}));
  return json_answer(200, body.set("quota", quota_json(state)).set("operations", executions));
}

HttpAnswer post_day(State& state, const Json& body) {
  if (!body.is_object())
    return refuse(400, "the body must be an object, as {\"alerts\": 240, \"seconds\": 60}");
  if (const Status status = check_keys(body, {"alerts", "seconds"}, "a day"); !status)
    return bad(status.error());
  const std::int64_t alerts = body.find("alerts") != nullptr ? body["alerts"].integer() : 240;
  const double seconds = body.find("seconds") != nullptr ? body["seconds"].number() : 60;
  if (alerts < 1 || alerts > 50'000) return refuse(400, "`alerts` must be a number from 1 to 50000");
  if (!(seconds > 0) || seconds > 86'400)
    return refuse(400, "`seconds` must be a number above 0 and up to 86400");
  if (state.arriving.size() + static_cast<std::size_t>(alerts) > kMostAlerts)
    return refuse(400, "too many alerts are still to come");
  const std::int64_t start_us = state.now_us();
  for (const std::int64_t offset_us : arrivals_of_a_day(*state.random, static_cast<std::size_t>(alerts)))
    state.arriving.push_back(start_us +
                             static_cast<std::int64_t>(static_cast<double>(offset_us) * seconds / 86'400));
  std::ranges::sort(state.arriving);
  return json_answer(200, Json::object({{"alerts", alerts},
                                        {"seconds", seconds},
                                        {"from", format_ticks(start_us)},
                                        {"until", format_ticks(state.arriving.back())}}));
}

Json config_json(const State& state) {
  return Json::object({{"roles", Json::texts(state.roles)},
                       {"tenant_id", state.options.tenant_id},
                       {"client_id", state.options.client_id},
                       {"client_secret", state.options.client_secret},
                       {"token_seconds", state.options.token_seconds},
                       {"quota", state.quotas.is_on},
                       {"per_minute", state.quotas.per_minute},
                       {"per_hour", state.quotas.per_hour},
                       {"speed", state.speed},
                       {"action_seconds", state.options.action_seconds},
                       {"action_outcome", state.action_outcome}});
}

Result<std::vector<std::string>> read_roles(const Json& value) {
  if (!value.is_list()) return error("`roles` must be a list of texts");
  const std::vector<std::string> known = all_roles();
  std::vector<std::string> roles;
  for (const Json& role : value.items()) {
    if (std::ranges::find(known, role.text()) == known.end()) {
      const auto near = nearest_name(role.text(), known);
      return error(fmt::format("`{}` is no role that this tenant knows{}", role.text(),
                               near ? "; did you mean `" + *near + "`?" : ""));
    }
    roles.emplace_back(role.text());
  }
  return roles;
}

// One setting is read and checked into `next`, which replaces the state's only when all of them are right.
struct Settings {
  TenantOptions options;
  std::vector<std::string> roles;
  Quotas quotas;
  std::string action_outcome;
  double speed = 1;
};

Status read_text_setting(const Member& member, Settings& next) {
  if (!member.value.is_text() || member.value.text().empty())
    return error("`" + member.name + "` must be a text");
  const std::string value(member.value.text());
  if (member.name == "client_id") next.options.client_id = value;
  if (member.name == "client_secret") next.options.client_secret = value;
  if (member.name == "tenant_id") next.options.tenant_id = value;
  if (member.name != "action_outcome") return {};
  if (value != "Succeeded" && value != "Failed" && value != "TimeOut")
    return error("`action_outcome` must be Succeeded, Failed or TimeOut");
  next.action_outcome = value;
  return {};
}

Status read_number_setting(const Member& member, Settings& next) {
  const double value = member.value.number();
  if (member.name == "action_seconds") {
    if (!member.value.is_number() || value < 0 || value > 86'400)
      return error("`action_seconds` must be a number from 0 to 86400");
    next.options.action_seconds = value;
    return {};
  }
  if (member.name == "speed") {
    if (!member.value.is_number() || !(value >= 1) || value > kMostSpeed)
      return error("`speed` must be a number from 1 to 3600");
    next.speed = value;
    return {};
  }
  if (!member.value.is_int() || value < 1 || value > 1e9)
    return error("`" + member.name + "` must be a whole number above 0");
  if (member.name == "token_seconds") next.options.token_seconds = member.value.integer();
  if (member.name == "per_minute") next.quotas.per_minute = member.value.integer();
  if (member.name == "per_hour") next.quotas.per_hour = member.value.integer();
  return {};
}

Status read_setting(const Member& member, Settings& next) {
  if (member.name == "roles") {
    FLOW_TRY(next.roles, read_roles(member.value));
    return {};
  }
  if (member.name == "quota") {
    if (!member.value.is_bool()) return error("`quota` must be true or false");
    next.quotas.is_on = member.value.boolean();
    return {};
  }
  const bool is_number = member.name == "action_seconds" || member.name == "speed" ||
                         member.name == "token_seconds" || member.name == "per_minute" ||
                         member.name == "per_hour";
  return is_number ? read_number_setting(member, next) : read_text_setting(member, next);
}

}  // namespace

Status configure(State& state, const Json& body) {
  if (!body.is_object()) return error("the configuration must be an object");
  const Json shown = config_json(state);
  std::vector<std::string> known;
  for (const Member& member : shown.members()) known.push_back(member.name);
  if (const Status status = check_keys(body, known, "the configuration"); !status) return status;
  Settings next{state.options, state.roles, state.quotas, state.action_outcome, state.speed};
  for (const Member& member : body.members()) FLOW_TRY_STATUS(read_setting(member, next));
  state.options = std::move(next.options);
  state.roles = std::move(next.roles);
  state.quotas = next.quotas;
  state.action_outcome = std::move(next.action_outcome);
  if (next.speed != state.speed) state.set_speed(next.speed);
  return {};
}

namespace {

HttpAnswer post_config(State& state, const Json& body) {
  const Status status = configure(state, body);
  return status ? json_answer(200, config_json(state)) : bad(status.error());
}

// Settings, granted roles and issued tokens stay; everything that happened is gone.
HttpAnswer post_reset(State& state) {
  State fresh;
  fresh.options = state.options;
  fresh.clock = state.clock;
  fresh.random = state.random;
  fresh.roles = state.roles;
  fresh.quotas = state.quotas;
  fresh.action_outcome = state.action_outcome;
  fresh.tokens = std::move(state.tokens);
  fresh.token_order = std::move(state.token_order);
  fresh.identity = std::move(state.identity);
  fresh.machines = std::move(state.machines);
  fresh.machine_index = std::move(state.machine_index);
  fresh.machine_changes = state.machine_changes;
  fresh.device_changes = state.device_changes;
  fresh.speed = state.speed;
  fresh.sped_up_at_us = state.sped_up_at_us;
  fresh.clock_then_us = state.clock_then_us;
  state = std::move(fresh);
  fill_remediations(state);
  return json_answer(200, Json::object({{"machines", state.machines.size()}}));
}

HttpAnswer delete_faults(State& state) {
  state.faults.clear();
  return list_faults(state);
}

constexpr ControlPage kControlPages[] = {
    {"POST", "alerts", [](State& s, const Json& body, const Target&) { return post_alerts(s, body); }},
    {"GET", "alerts", [](State& s, const Json&, const Target& target) { return show_alerts(s, target); }},
    {"POST", "machines", [](State& s, const Json& body, const Target&) { return post_machines(s, body); }},
    {"GET", "machines", [](State& s, const Json&, const Target&) { return show_machines(s); }},
    {"GET", "actions", [](State& s, const Json&, const Target& target) { return show_actions(s, target); }},
    {"GET", "mails", [](State& s, const Json&, const Target& target) { return show_mails(s, target); }},
    {"GET", "requests", [](State& s, const Json&, const Target& target) { return show_requests(s, target); }},
    {"GET", "stats", [](State& s, const Json&, const Target&) { return show_stats(s); }},
    {"POST", "day", [](State& s, const Json& body, const Target&) { return post_day(s, body); }},
    {"POST", "faults", [](State& s, const Json& body, const Target&) { return add_faults(s, body); }},
    {"GET", "faults", [](State& s, const Json&, const Target&) { return list_faults(s); }},
    {"DELETE", "faults", [](State& s, const Json&, const Target&) { return delete_faults(s); }},
    {"POST", "config", [](State& s, const Json& body, const Target&) { return post_config(s, body); }},
    {"GET", "config", [](State& s, const Json&, const Target&) { return json_answer(200, config_json(s)); }},
    {"POST", "identity",
     [](State& s, const Json& body, const Target&) {
       const auto set = set_identity(s, body);
       return set ? json_answer(200, *set) : bad(set.error());
     }},
    {"GET", "identity",
     [](State& s, const Json&, const Target&) { return json_answer(200, shown_identity(s)); }},
    {"POST", "reset", [](State& s, const Json&, const Target&) { return post_reset(s); }},
};

std::vector<std::span<const ControlPage>> all_pages() {
  return {kControlPages, defender_pages(), hunting_pages(), graph_pages(), mail_pages(), third_party_pages()};
}

const ControlPage* find_page(std::string_view method, std::string_view name) {
  for (const auto& pages : all_pages())
    for (const ControlPage& page : pages)
      if (page.name == name && page.method == method) return &page;
  return nullptr;
}

HttpAnswer unknown_page(const std::string& method, const std::string& name) {
  std::vector<std::string> names;
  std::string methods;
  for (const auto& pages : all_pages())
    for (const ControlPage& page : pages) {
      names.emplace_back(page.name);
      if (page.name == name) methods += (methods.empty() ? "" : ", ") + std::string(page.method);
    }
  if (!methods.empty()) return refuse(405, "/sim/" + name + " does not take " + method + ", only " + methods);
  const auto near = nearest_name(name, names);
  return refuse(404, "there is no page /sim/" + name + (near ? "; did you mean /sim/" + *near + "?" : ""));
}

}  // namespace

Status check_keys(const Json& object, const std::vector<std::string>& known, std::string_view where) {
  for (const Member& member : object.members()) {
    if (std::ranges::find(known, member.name) != known.end()) continue;
    const auto near = nearest_name(member.name, known);
    return error(
        fmt::format("{} has no `{}`{}", where, member.name, near ? "; did you mean `" + *near + "`?" : ""));
  }
  return {};
}

Status load_alert_list(State& state, const Json& list, Json::List& added) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < list.items().size(); ++i) {
    const auto at = [&](const std::string& message) {
      return error(list.items().size() == 1 ? message : fmt::format("alert {}: {}", i + 1, message));
    };
    auto alert = complete_alert(state, list.items()[i]);
    if (!alert) return at(alert.error().message);
    const std::string id((*alert)["id"].text());
    if (!ids.insert(id).second || state.alert_index.contains(id))
      return at("there is already an alert `" + id + "`");
    added.push_back(std::move(*alert));
  }
  if (state.alerts.size() + added.size() > kMostAlerts)
    return error("the tenant is full (100000 alerts); POST /sim/reset empties it");
  for (const Json& alert : added) FLOW_TRY_STATUS(add_alert(state, alert));
  return {};
}

HttpAnswer control(State& state, const HttpQuestion& question, const Target& target) {
  if (target.segments.size() == 3 && target.segments[1] == "tables")
    return control_table(state, question, target);
  const std::string name = target.segments.size() == 2 ? target.segments[1] : "";
  const ControlPage* page = find_page(question.method, name);
  if (page == nullptr) return unknown_page(question.method, name);
  Json body;
  if (question.method == "POST" && !question.body.empty()) {
    auto read = parse_json(question.body);
    if (!read) return bad(read.error());
    body = std::move(*read);
  }
  return page->run(state, body, target);
}

}  // namespace flow::sim
