#include "runtime/frozen.hpp"

#include <fmt/format.h>

#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr std::int64_t kVersion = 1;

// Nothing when the member is missing, no number, or too large for what it counts.
std::optional<std::uint32_t> count(std::string_view object, std::string_view name) {
  const auto member = json_member(object, name);
  const auto value = member ? json_int(*member) : std::nullopt;
  if (!value || *value < 0 || *value > 0xffffffff) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<FrozenCall> read_call(std::string_view object) {
  const auto number = count(object, "call"), attempts = count(object, "attempts"),
             failures = count(object, "failures");
  const auto due = json_member(object, "due_us");
  const auto due_us = due ? json_int(*due) : std::nullopt;
  if (!number || !attempts || !failures || !due_us) return std::nullopt;
  const auto held = json_member(object, "held");
  return FrozenCall{*number, *attempts, *failures, *due_us, held && json_bool(*held).value_or(false)};
}

}  // namespace

std::string encode_frozen(const FrozenRun& run) {
  std::string waiting;
  for (const FrozenCall& call : run.waiting)
    waiting += fmt::format(R"({}{{"call":{},"attempts":{},"failures":{},"due_us":{}{}}})",
                           waiting.empty() ? "" : ",", call.number, call.attempts, call.failures, call.due_us,
                           call.is_held ? ",\"held\":true" : "");
  return fmt::format("{{\"version\":{},\"calls\":{},\"entered\":{},\"settings\":{},\"waiting\":[{}]}}\n",
                     kVersion, run.calls, run.has_entered, run.settings, waiting) +
         run.machine;
}

Result<FrozenRun> decode_frozen(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return error("the frozen run is cut off");
  const std::string_view head = bytes.substr(0, end);
  const auto version = count(head, "version");
  if (!version) return error("the frozen run is damaged: its first line is no JSON object with a version");
  if (*version != kVersion) return error(fmt::format("the frozen run has version {}", *version));
  const auto calls = count(head, "calls");
  const auto entered = json_member(head, "entered");
  const auto has_entered = entered ? json_bool(*entered) : std::nullopt;
  const auto settings = json_member(head, "settings");
  const auto list = json_member(head, "waiting");
  const auto waiting = list ? json_elements(*list) : std::nullopt;
  if (!calls || !has_entered || !waiting) return error("the frozen run is damaged: a member is missing");
  FrozenRun run{.calls = *calls,
                .has_entered = *has_entered,
                .settings = settings.value_or("{}"),
                .waiting = {},
                .machine = {}};
  for (const std::string& element : *waiting) {
    const auto call = read_call(element);
    if (!call) return error("the frozen run is damaged: a call it waits for cannot be read");
    run.waiting.push_back(*call);
  }
  run.machine = bytes.substr(end + 1);
  return run;
}

}  // namespace flow
