#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/state.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostFaults = 1'000;
constexpr std::size_t kLongestMatch = 200;

Json to_json(const InjectedFault& fault) {
  Json json = Json::object({{"match", fault.match}, {"times", fault.times}, {"used", fault.used}});
  if (fault.status != 0) json.set("status", fault.status);
  if (!fault.code.empty()) json.set("code", fault.code);
  if (!fault.message.empty()) json.set("message", fault.message);
  if (fault.delay_ms != 0) json.set("delay_ms", fault.delay_ms);
  if (fault.retry_after != 0) json.set("retry_after", fault.retry_after);
  if (!fault.reset.empty()) json.set("reset", fault.reset);
  if (!fault.body.empty()) json.set("body", fault.body);
  return json.set("executes", fault.executes);
}

Status read_number(const Json& json, const char* name, std::int64_t least, std::int64_t most,
                   std::int64_t& into) {
  const Json* value = json.find(name);
  if (value == nullptr) return {};
  if (!value->is_int() || value->integer() < least || value->integer() > most)
    return error(fmt::format("`{}` must be a number from {} to {}", name, least, most));
  into = value->integer();
  return {};
}

Status read_choice(const Json& json, const char* name, const std::vector<std::string>& choices,
                   std::string& into) {
  const Json* value = json.find(name);
  if (value == nullptr) return {};
  if (std::ranges::find(choices, value->text()) == choices.end()) {
    const auto near = nearest_name(value->text(), choices);
    return error(fmt::format("`{}` must be one of {}{}", name, fmt::join(choices, ", "),
                             near ? "; did you mean `" + *near + "`?" : ""));
  }
  into = std::string(value->text());
  return {};
}

Result<InjectedFault> read_fault(const Json& json) {
  if (!json.is_object()) return error(fmt::format("a fault must be an object, not {}", json.kind()));
  FLOW_TRY_STATUS(check_keys(
      json,
      {"match", "status", "times", "code", "message", "delay_ms", "retry_after", "reset", "body", "executes"},
      "a fault"));
  InjectedFault fault;
  fault.match = std::string(json["match"].text());
  if (fault.match.find(' ') == std::string::npos || fault.match.size() > kLongestMatch)
    return error("`match` must be a method and a path, as `POST /api/machines/*/isolate`, or `SMTP DATA`");
  std::int64_t status = 0;
  FLOW_TRY_STATUS(read_number(json, "status", 200, 599, status));
  FLOW_TRY_STATUS(read_number(json, "times", 1, 1'000'000'000, fault.times));
  FLOW_TRY_STATUS(read_number(json, "delay_ms", 0, 3'600'000, fault.delay_ms));
  FLOW_TRY_STATUS(read_number(json, "retry_after", 0, 86'400, fault.retry_after));
  FLOW_TRY_STATUS(read_choice(json, "reset", {"before", "after"}, fault.reset));
  FLOW_TRY_STATUS(read_choice(json, "body", {"malformed", "endless", "empty", "garbage", "cut"}, fault.body));
  fault.status = static_cast<int>(status);
  fault.code = std::string(json["code"].text());
  fault.message = std::string(json["message"].text());
  if (json.find("executes") != nullptr && !json["executes"].is_bool())
    return error("`executes` must be true or false");
  const bool refuses = fault.status != 0 || fault.reset == "before";
  fault.executes = json.find("executes") != nullptr ? json["executes"].boolean() : !refuses;
  if (fault.status == 0 && fault.delay_ms == 0 && fault.reset.empty() && fault.body.empty())
    return error("a fault needs `status`, `delay_ms`, `reset` or `body`");
  return fault;
}

HttpAnswer bad_request(const std::string& message) {
  return json_answer(400,
                     Json::object({{"error", Json::object({{"code", "BadRequest"}, {"message", message}})}}));
}

}  // namespace

// `*` stands for any characters, also none. Linear in both lengths but for the last star tried.
bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, after_star = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && equals_ignoring_case(pattern.substr(p, 1), text.substr(t, 1))) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::optional<InjectedFault> take_fault(State& state, const std::string& line) {
  for (InjectedFault& fault : state.faults) {
    if (fault.used >= fault.times || !glob_matches(fault.match, line)) continue;
    ++fault.used;
    return fault;
  }
  return std::nullopt;
}

HttpAnswer list_faults(const State& state) {
  Json list = Json::list();
  for (const InjectedFault& fault : state.faults) list.add(to_json(fault));
  return json_answer(200, Json::object({{"value", list}}));
}

HttpAnswer add_faults(State& state, const Json& body) {
  const Json::List given = body.is_list() ? body.items() : Json::List{body};
  std::vector<InjectedFault> faults;
  for (const Json& item : given) {
    auto fault = read_fault(item);
    if (!fault) return bad_request(fault.error().message);
    faults.push_back(std::move(*fault));
  }
  std::erase_if(state.faults, [](const InjectedFault& fault) { return fault.used >= fault.times; });
  if (state.faults.size() + faults.size() > kMostFaults) return bad_request("there are already 1000 faults");
  for (InjectedFault& fault : faults) state.faults.push_back(std::move(fault));
  return list_faults(state);
}

}  // namespace flow::sim
