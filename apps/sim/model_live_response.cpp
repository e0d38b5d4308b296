// Live response: a script of commands that a device runs one after the other, each with a result to be
// fetched.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/machine_actions.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostSessions = 50;
constexpr std::size_t kMostCommands = 100;
constexpr std::int64_t kQueuedUs = 2 * 3'600'000'000;  // so long a session waits for its device

struct CommandKind {
  std::string_view type;
  std::vector<std::string> keys;  // the first must be there
};

const std::vector<CommandKind>& command_kinds() {  // in the order they must have within a request
  static const std::vector<CommandKind> kAll{
      {"PutFile", {"FileName"}}, {"RunScript", {"ScriptName", "Args"}}, {"GetFile", {"Path"}}};
  return kAll;
}

const Json& parameter(const Json& command, std::string_view key) {
  static const Json kNone;
  for (const Json& pair : command["params"].items())
    if (pair["key"].text() == key) return pair["value"];
  return kNone;
}

std::optional<std::string> wrong_command(const Json& command, std::size_t& least) {
  if (const auto problem =
          body_problem({{"type", true}, {"params", false, {}, false, BodyKind::Objects}}, command))
    return problem->message;
  const auto kind = std::ranges::find(command_kinds(), command["type"].text(), &CommandKind::type);
  if (kind == command_kinds().end())
    return fmt::format("'{}' is no command; accepted: PutFile, RunScript, GetFile.", command["type"].text());
  const auto place = static_cast<std::size_t>(kind - command_kinds().begin());
  if (place < least) return "Commands must stand in the order PutFile, RunScript, GetFile.";
  least = place;
  for (const Json& pair : command["params"].items()) {
    if (const auto problem = body_problem({{"key", true, kind->keys}, {"value", true}}, pair))
      return problem->message;
  }
  if (!parameter(command, kind->keys.front()).is_text())
    return fmt::format("'{}' needs the parameter '{}'.", kind->type, kind->keys.front());
  return std::nullopt;
}

std::optional<std::string> wrong_commands(const Json& commands) {
  if (commands.items().empty()) return "'Commands' must hold at least one command.";
  if (commands.items().size() > kMostCommands) return "'Commands' holds more than 100 commands.";
  std::size_t least = 0;
  for (const Json& command : commands.items())
    if (auto problem = wrong_command(command, least)) return problem;
  return std::nullopt;
}

Json command_states(const Json& commands) {
  Json states = Json::list();
  std::int64_t index = 0;
  for (const Json& command : commands.items())
    states.add(Json::object(
        {{"index", index++},
         {"startTime", nullptr},
         {"endTime", nullptr},
         {"commandStatus", "Created"},
         {"errors", Json::list()},
         {"command",
          Json::object({{"type", command["type"]},
                        {"params", command["params"].is_list() ? command["params"] : Json::list()}})}}));
  return states;
}

// What a command cannot do, or empty: a file that the library lacks, and what was asked to fail.
std::string failure_of(const State& state, const MachineAction& action, const Json& command, bool is_last) {
  const std::string_view type = command["type"].text();
  const std::string name(parameter(command, type == "PutFile" ? "FileName" : "ScriptName").text());
  if (type != "GetFile" && !state.defender.library.contains(lower_ascii(name)))
    return "The library has no file `" + name + "`";
  if (is_last && action.outcome == "Failed")
    return action.plan.errors.empty() ? "The device reported a failure." : action.plan.errors;
  return {};
}

// Sets the commands as they are at `now`; each takes its share of the time between start and end.
void set_commands(State& state, MachineAction& action, std::int64_t now_us) {
  Json::List states = action.json["commands"].items();
  const auto count = static_cast<std::int64_t>(states.size());
  const std::int64_t share_us =
      std::max<std::int64_t>((action.ends_us - action.starts_us) / std::max<std::int64_t>(count, 1), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    Json& command = states[static_cast<std::size_t>(i)];
    const std::int64_t starts = action.starts_us + i * share_us;
    const std::int64_t ends = i + 1 == count ? action.ends_us : starts + share_us;
    if (now_us < starts) break;
    command.set("startTime", format_ticks(starts)).set("commandStatus", "Executing");
    if (now_us < ends) break;
    const std::string failure = failure_of(state, action, command["command"], i + 1 == count);
    command.set("endTime", format_ticks(ends)).set("commandStatus", failure.empty() ? "Completed" : "Failed");
    if (failure.empty()) continue;
    command.set("errors", Json::List{failure});
    action.outcome = "Failed";
    break;
  }
  action.json.set("commands", std::move(states));
}

}  // namespace

void advance_commands(State& state, MachineAction& action) {
  set_commands(state, action, state.now_us());
}

void finish_commands(State& state, MachineAction& action) {
  if (action.outcome != "TimeOut") set_commands(state, action, action.ends_us);
}

HttpAnswer run_live_response(State& state, const Call& call) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  const ActionKind kind{"LiveResponse",
                        {{"Comment", true}, {"Commands", true, {}, false, BodyKind::Objects}},
                        "",
                        {"Windows10", "Windows11", "WindowsServer", "macOS", "Linux"},
                        kQueuedUs};
  Json body;
  if (auto refusal = read_body(state, call, kind.fields, body)) return *refusal;
  if (const auto problem = wrong_commands(body["Commands"]))
    return bad_request(state, "InvalidRequestBody", *problem);
  if (auto refusal = refused_action(state, kind, *machine)) return *refusal;
  const auto sessions = std::ranges::count_if(
      state.open_actions, [&](std::size_t at) { return state.actions[at].type == "LiveResponse"; });
  if (static_cast<std::size_t>(sessions) >= kMostSessions) {
    HttpAnswer answer =
        defender_error(state, 429, "TooManyRequests",
                       "There are 50 live response sessions already. Try again in 30 seconds.");
    answer.headers.emplace_back("Retry-After", std::to_string(state.client_seconds(30)));
    return answer;
  }
  MachineAction& action = start_action(state, kind, *machine, body);
  action.json.set("commands", command_states(body["Commands"]));
  return shown_action(201, action);
}

HttpAnswer get_live_response_link(State& state, const Call& call) {
  const MachineAction* action = find_action(state, call.id);
  const std::string& text = call.captured[1];
  std::size_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size())
    return bad_request(state, "BadRequest", "The index must be a whole number, not '" + text + "'.");
  if (action == nullptr || action->type != "LiveResponse") return not_found(state, "Machine action", call.id);
  const Json::List& commands = action->json["commands"].items();
  const bool has_result = index < commands.size() && commands[index]["commandStatus"].text() == "Completed" &&
                          commands[index]["command"]["type"].text() != "PutFile";
  if (!has_result) return not_found(state, "Result of command", text);
  const bool is_script = commands[index]["command"]["type"].text() == "RunScript";
  return json_answer(
      200, Json::object(
               {{"@odata.context", defender_context("Edm.String")},
                {"value", download_link(state, call, {is_script ? "script" : "file", call.id, index, 0})}}));
}

}  // namespace flow::sim
