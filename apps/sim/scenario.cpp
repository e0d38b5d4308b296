#include "apps/sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "apps/sim/json_place.hpp"
#include "apps/sim/scenario_events.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostEvents = 10'000;

using Problem = std::optional<ScenarioProblem>;

Problem at(std::vector<std::string> path, const Status& status) {
  if (status) return std::nullopt;
  return ScenarioProblem{std::move(path), status.error().message};
}

std::string index_of(std::size_t i) {
  return "[" + std::to_string(i) + "]";
}

// Each element of the list `name` through `add`.
Problem each(const Json& scenario, const char* name, const std::function<Status(const Json&)>& add) {
  const Json* list = scenario.find(name);
  if (list == nullptr) return std::nullopt;
  if (!list->is_list()) return ScenarioProblem{{name}, fmt::format("must be a list, not {}", list->kind())};
  for (std::size_t i = 0; i < list->items().size(); ++i)
    if (Problem problem = at({name, index_of(i)}, add(list->items()[i]))) return problem;
  return std::nullopt;
}

Status add_device(State& state, const Json& given) {
  if (given.is_object() && given.find("computerDnsName") == nullptr && given.find("id") == nullptr)
    return error("a device needs `computerDnsName`");
  Json completed = given;
  if (const Json* known = find_machine(state, given["computerDnsName"].text()); known != nullptr)
    if (completed.find("id") == nullptr) completed.set("id", (*known)["id"]);
  FLOW_TRY(Json machine, complete_machine(state, completed));
  return add_machine(state, std::move(machine));
}

Status add_user(State& state, const Json& given) {
  if (!given.is_object()) return error(fmt::format("a user must be an object, not {}", given.kind()));
  FLOW_TRY_STATUS(check_keys(given, {"name", "domain", "devices", "isDomainAdmin"}, "a user"));
  if (given["name"].text().empty()) return error("a user needs `name`");
  KnownUser user{std::string(given["name"].text()),
                 std::string(given["domain"].text()),
                 given["isDomainAdmin"].boolean(),
                 {}};
  if (user.domain.empty()) user.domain = "EXAMPLE";
  for (const Json& device : given["devices"].items()) {
    const Json* machine = find_machine(state, device.text());
    if (machine == nullptr) return error(fmt::format("there is no device `{}`", device.text()));
    user.machine_ids.emplace_back((*machine)["id"].text());
  }
  state.defender.users.push_back(std::move(user));
  return {};
}

Result<ScenarioEvent> read_event(const Json& given, std::int64_t begins_us) {
  if (!given.is_object()) return error(fmt::format("an event must be an object, not {}", given.kind()));
  std::vector<std::string> known = event_kinds();
  known.insert(known.end(), {"at", "as"});
  FLOW_TRY_STATUS(check_keys(given, known, "an event"));
  const auto after_us = parse_duration_us(given["at"].text());
  if (!after_us) return error("an event needs `at`, a duration since the beginning as `90s` or `1h30m`");
  ScenarioEvent event;
  event.at_us = begins_us + *after_us;
  for (const std::string& kind : event_kinds()) {
    const Json* body = given.find(kind);
    if (body == nullptr) continue;
    if (!event.kind.empty())
      return error(fmt::format("an event holds one thing, not `{}` and `{}`", event.kind, kind));
    event.kind = kind;
    event.body = *body;
  }
  if (event.kind.empty())
    return error(fmt::format("an event needs one of {}", fmt::join(event_kinds(), ", ")));
  event.alias = std::string(given["as"].text());
  if (given.find("as") != nullptr && (event.alias.empty() || event.kind != "alert"))
    return error("`as` gives an alert a name");
  return event;
}

Problem read_events(const Json& scenario, std::int64_t begins_us, std::vector<ScenarioEvent>& events) {
  return each(scenario, "events", [&](const Json& given) -> Status {
    if (events.size() == kMostEvents) return error("a scenario has at most 10000 events");
    FLOW_TRY(ScenarioEvent event, read_event(given, begins_us));
    event.index = events.size();
    events.push_back(std::move(event));
    return {};
  });
}

// What is there from the beginning on.
Problem set_the_scene(State& state, const Json& scenario) {
  if (scenario.find("settings") != nullptr)
    if (Problem problem = at({"settings"}, configure(state, scenario["settings"]))) return problem;
  const std::pair<const char*, Status (*)(State&, const Json&)> kParts[] = {
      {"devices", add_device},
      {"users", add_user},
      {"library", add_library_file},
      {"indicators", [](State& s, const Json& given) { return add_indicator(s, given, "portal"); }},
      {"outcomes", add_outcome}};
  for (const auto& [name, add] : kParts) {
    const auto function = add;
    if (Problem problem = each(scenario, name, [&](const Json& given) { return function(state, given); }))
      return problem;
  }
  return std::nullopt;
}

Problem begin(State& state, const Json& scenario, std::vector<ScenarioEvent> events) {
  state.defender.scenario = {};
  state.defender.users.clear();
  if (Problem problem = set_the_scene(state, scenario)) return problem;
  Scenario& story = state.defender.scenario;
  story.name = std::string(scenario["name"].text());
  story.description = std::string(scenario["description"].text());
  story.began_us = state.now_us();
  std::ranges::stable_sort(events, {}, &ScenarioEvent::at_us);
  story.to_come.assign(events.begin(), events.end());
  return std::nullopt;
}

// Everything to the last event, on a copy and with chance of its own.
Problem rehearse(const State& state, const Json& scenario, const std::vector<ScenarioEvent>& events) {
  State stage = state;
  SeededRandom chance(1);
  stage.random = &chance;
  if (Problem problem = begin(stage, scenario, events)) return problem;
  while (!stage.defender.scenario.to_come.empty()) {
    const ScenarioEvent event = stage.defender.scenario.to_come.front();
    stage.defender.scenario.to_come.pop_front();
    if (const Status status = happen(stage, event); !status)
      return ScenarioProblem{{"events", index_of(event.index), event.kind}, status.error().message};
  }
  return std::nullopt;
}

}  // namespace

std::string ScenarioProblem::text() const {
  std::string place;
  for (const std::string& step : path) place += (place.empty() || step[0] == '[' ? "" : ".") + step;
  return place.empty() ? message : place + ": " + message;
}

std::optional<ScenarioProblem> try_scenario(State& state, const Json& scenario) {
  if (!scenario.is_object())
    return ScenarioProblem{{}, fmt::format("a scenario must be an object, not {}", scenario.kind())};
  static const std::vector<std::string> kKeys{"name",    "description", "settings", "devices", "users",
                                              "library", "indicators",  "outcomes", "events"};
  if (Problem problem = at({}, check_keys(scenario, kKeys, "a scenario"))) return problem;
  std::vector<ScenarioEvent> events;
  if (Problem problem = read_events(scenario, state.now_us(), events)) return problem;
  if (Problem problem = rehearse(state, scenario, events)) return problem;
  if (Problem problem = begin(state, scenario, std::move(events))) return problem;
  advance_scenario(state);
  return std::nullopt;
}

Status begin_scenario(State& state, const Json& scenario) {
  const auto problem = try_scenario(state, scenario);
  if (problem) return error(problem->text());
  return {};
}

Status begin_scenario_text(State& state, std::string_view text) {
  const auto place = [](const TextPlace& where) { return fmt::format("{}:{}: ", where.line, where.column); };
  const auto scenario = parse_json(text);
  if (!scenario) return error(place(first_mistake(text).value_or(TextPlace{})) + scenario.error().message);
  const auto problem = try_scenario(state, *scenario);
  if (problem) return error(place(place_of(text, problem->path)) + problem->text());
  return {};
}

void advance_scenario(State& state) {
  Scenario& story = state.defender.scenario;
  while (!story.to_come.empty() && story.to_come.front().at_us <= state.now_us()) {
    const ScenarioEvent event = story.to_come.front();
    story.to_come.pop_front();
    const Status status = happen(state, event);
    Json told =
        Json::object({{"time", format_ticks(event.at_us)}, {"kind", event.kind}, {"event", event.body}});
    if (!status) told.set("error", status.error().message);
    story.happened.push_back(std::move(told));
  }
}

Json scenario_json(const State& state) {
  const Scenario& story = state.defender.scenario;
  Json to_come = Json::list();
  for (const ScenarioEvent& event : story.to_come)
    to_come.add(
        Json::object({{"time", format_ticks(event.at_us)}, {"kind", event.kind}, {"event", event.body}}));
  Json alerts = Json::object();
  for (const auto& [alias, id] : story.alerts) alerts.set(alias, id);
  return Json::object({{"name", story.name.empty() ? Json() : Json(story.name)},
                       {"description", story.description.empty() ? Json() : Json(story.description)},
                       {"began", story.began_us == 0 ? Json() : Json(format_ticks(story.began_us))},
                       {"alerts", std::move(alerts)},
                       {"happened", Json(story.happened)},
                       {"to_come", std::move(to_come)}});
}

}  // namespace flow::sim
