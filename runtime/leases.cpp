#include "runtime/leases.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/lease.hpp"
#include "base/text.hpp"
#include "runtime/journal.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr std::string_view kPrefix = "lease.";

}  // namespace

std::string lease_flow(std::string_view operation) {
  return fmt::format("{}{}", kPrefix, operation);
}

bool is_lease(const RunRow& row) {
  return row.trigger == kLeaseTrigger;
}

// The key is `run/call`, and `run/call/attempt` when the call was made anew after a lease of it was over.
std::optional<Caller> holder_of(const RunRow& row) {
  const std::size_t slash = row.key.find('/');
  if (!is_lease(row) || slash == std::string::npos) return std::nullopt;
  const std::size_t end = row.key.find('/', slash + 1);
  const auto number = json_int(std::string_view(row.key).substr(
      slash + 1, end == std::string::npos ? std::string::npos : end - slash - 1));
  if (!number || *number < 0) return std::nullopt;
  return Caller{row.key.substr(0, slash), static_cast<std::uint32_t>(*number)};
}

std::optional<std::string> lease_event(const Module& module, std::string_view operation,
                                       std::string_view arguments, std::int64_t lease_us) {
  const auto trigger = std::ranges::find_if(module.triggers, [&](const Trigger& each) {
    return each.kind == Trigger::Kind::Lease && each.endpoint == operation;
  });
  if (trigger == module.triggers.end()) return std::nullopt;
  std::string event =
      fmt::format("{{{}:{}", json_quoted(kLeaseMember), json_quoted(format_duration_us(lease_us)));
  for (const Trigger::Binding& binding : trigger->bindings)
    if (const auto given = json_member(arguments, binding.wire); given && binding.wire != kLeaseMember)
      event += fmt::format(",{}:{}", json_quoted(binding.wire), *given);
  return event + "}";
}

bool is_same_target(std::string_view event, std::string_view arguments) {
  const auto leased = json_members(event), given = json_members(arguments);
  if (!leased || !given) return false;
  return std::ranges::all_of(*leased, [&](const auto& member) {
    if (member.first == kLeaseMember) return true;
    const auto same = given->find(member.first);
    return same != given->end() && same->second == member.second;
  });
}

std::int64_t lease_length_us(std::string_view event) {
  const auto said = json_member(event, kLeaseMember);
  const auto text = said ? json_string(*said) : std::nullopt;
  return text ? parse_duration_us(*text).value_or(0) : 0;
}

Result<LeasedCall> leased_call(const std::vector<JournalRow>& journal, std::uint32_t call, bool is_awaited,
                               std::int64_t begun_us) {
  LeasedCall found{.state = LeasedCall::State::Happened, .since_us = begun_us, .problem = {}};
  for (const JournalRow& row : journal) {
    const auto kind = entry_numbered(row.kind);
    if (!kind) continue;
    FLOW_TRY(const Entry entry, decode_entry(*kind, row.payload));
    if (const auto* intent = std::get_if<IntentEntry>(&entry); intent != nullptr && intent->call == call) {
      const auto state = is_awaited ? LeasedCall::State::UnderWay : LeasedCall::State::Happened;
      found = {.state = state, .since_us = row.time_us, .problem = {}};
    } else if (const auto* retry = std::get_if<RetryEntry>(&entry); retry != nullptr && retry->call == call) {
      found.state = is_awaited ? LeasedCall::State::UnderWay : LeasedCall::State::DidNotHappen;
      found.problem = retry->fault ? retry->fault->message : "it was not made";
    } else if (const auto* begun = std::get_if<BegunEntry>(&entry); begun != nullptr && begun->call == call) {
      return LeasedCall{.state = LeasedCall::State::Happened, .since_us = row.time_us, .problem = {}};
    } else if (const auto* told = std::get_if<OutcomeEntry>(&entry); told != nullptr && told->call == call) {
      const auto* const fault = std::get_if<Fault>(&told->outcome);
      if (fault == nullptr) {
        found = {.state = LeasedCall::State::Happened, .since_us = row.time_us, .problem = {}};
      } else if (fault->maybe_executed) {
        found.state = LeasedCall::State::Happened;
      } else {
        found = {
            .state = LeasedCall::State::DidNotHappen, .since_us = row.time_us, .problem = fault->message};
      }
    }
  }
  return found;
}

}  // namespace flow
