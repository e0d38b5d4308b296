// What must hold of leases, shadows, protections and the audit trail when all has come to rest.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "invariants.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/history.hpp"
#include "runtime/json_text.hpp"
#include "runtime/leases.hpp"
#include "runtime/shadow.hpp"

namespace flow::test {
namespace {

constexpr std::int64_t kSlack = 2 * kMinute;  // from an intent to the deed

std::string text_of(std::string_view json, std::string_view name) {
  return json_string(json_member(json, name).value_or("")).value_or("");
}

std::string machine_of(const Deed& deed) {
  return text_of(deed.arguments, "machine");
}

// As the flows of the simulation say it.
bool is_leased(const Deed& deed) {
  return deed.operation == "defender.isolate" && text_of(deed.arguments, "comment").starts_with("leased ");
}

std::int64_t length_us(std::string_view flow) {
  return flow == "leased" ? 40 * kMinute : flow == "confirmed" ? kHour : 30 * kMinute;
}

// Why the lease undid nothing, as its run was told; empty when it did, or was to.
std::string why_not(Store& store, const RunRow& lease, Problems& problems) {
  const auto history = show_run(store, lease.id);
  if (!history || !*history) {
    problems.push_back(fmt::format("run {} cannot be read", lease.id));
    return {};
  }
  for (const RunStep& step : (*history)->steps)
    if (step.kind == EntryKind::Answered && step.operation == "flow.leaseEnd" && !step.is_void)
      return json_string(step.result).value_or("");
  return {};
}

struct Machine {
  std::vector<const Deed*> leased, kept, undone;
  bool has_failed = false;  // a lease's end: the tenant refused it
};

}  // namespace

void check_leases(Store& store, const std::vector<RunRow>& runs, const Expected& expected,
                  const Tenant& tenant, Problems& problems) {
  std::map<std::string, Machine> machines;
  for (const auto& [key, deed] : tenant.deeds()) {
    Machine& machine = machines[machine_of(deed)];
    if (is_leased(deed)) machine.leased.push_back(&deed);
    if (deed.operation == "defender.isolate" && !is_leased(deed)) machine.kept.push_back(&deed);
    if (deed.operation == "defender.unisolate") machine.undone.push_back(&deed);
  }
  std::map<std::string, std::vector<const RunRow*>> leases;  // by the call's key
  std::map<std::string, std::string> flows;
  for (const RunRow& run : runs) {
    flows[run.id] = run.flow;
    if (const auto holder = holder_of(run))
      leases[fmt::format("{}/{}", holder->run, holder->call)].push_back(&run);
  }
  for (auto& [id, machine] : machines) {
    for (const Deed* deed : machine.leased) {
      const auto found = leases.find(deed->key);
      if (found == leases.end()) {
        problems.push_back(fmt::format("{} is leased, and no run would end it", deed->key));
        continue;
      }
      const std::int64_t length = length_us(flows[deed->key.substr(0, deed->key.find('/'))]);
      for (const RunRow* lease : found->second) {
        machine.has_failed |= lease->state == RunState::Failed;
        const std::string why = why_not(store, *lease, problems);
        if (why.starts_with("the call did not happen") && found->second.size() == 1)
          problems.push_back(fmt::format("{} happened, and its lease says that it did not", deed->key));
        for (const Deed* undone : machine.undone)
          if (undone->key.starts_with(lease->id + "/") && expected.is_clock_steady &&
              undone->time_us < deed->time_us + length - kSlack && found->second.size() == 1)
            problems.push_back(fmt::format("{} was leased, and undone too early", deed->key));
      }
    }
    if (machine.leased.empty() || !machine.kept.empty() || machine.has_failed) continue;
    const auto by_time = [](const Deed* one, const Deed* other) { return one->time_us < other->time_us; };
    const Deed& last = **std::ranges::max_element(machine.leased, by_time);
    const bool is_undone = std::ranges::any_of(
        machine.undone, [&](const Deed* undone) { return undone->time_us >= last.time_us; });
    if (!is_undone) problems.push_back(fmt::format("{} was leased, and is not undone", last.key));
  }
}

void check_shadows(const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems) {
  std::set<std::string> shadows;
  for (const RunRow& run : runs)
    if (is_shadow(run.flow)) shadows.insert(run.id);
  for (const auto& [key, deed] : tenant.deeds())
    if (shadows.contains(key.substr(0, key.find_first_of("/-"))))
      problems.push_back(fmt::format("{} ({}) is of a shadow", key, deed.operation));
}

void check_protected(const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems) {
  std::set<std::string> leases;
  for (const RunRow& run : runs)
    if (is_lease(run)) leases.insert(run.id);
  for (const auto& [key, deed] : tenant.deeds())
    if (machine_of(deed).ends_with(kProtectedEnding) && !leases.contains(key.substr(0, key.find('/'))))
      problems.push_back(fmt::format("{} ({}) acts on what is protected", key, deed.operation));
}

void check_trail(Store& store, Problems& problems) {
  const auto verdict = check_audit(store);
  if (!verdict) return problems.push_back("the audit trail cannot be read: " + verdict.error().message);
  if (verdict->problem) problems.push_back("the audit trail is broken: " + verdict->problem->text);
}

void check_audited(Store& store, const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems) {
  check_trail(store, problems);
  std::set<std::string> told;  // `intent RUN/CALL`, `started RUN`, `ended RUN`
  for (std::uint64_t after = 0;;) {
    const auto lines = store.audit(after, 1000);
    if (!lines) return problems.push_back(lines.error().message);
    if (lines->empty()) break;
    for (const AuditLine& each : *lines) {
      const std::string kind = text_of(each.line, "kind"), run = text_of(each.line, "run");
      const std::string call = json_member(each.line, "call").value_or("");
      told.insert(kind + " " + run + (kind == "intent" && !call.empty() ? "/" + call : ""));
      after = each.number;
    }
  }
  for (const auto& [key, deed] : tenant.deeds())
    if (key.find('-') == std::string::npos && !told.contains("intent " + key))
      problems.push_back(fmt::format("{} ({}) is not in the audit trail", key, deed.operation));
  for (const RunRow& run : runs)
    for (const char* kind : {"started ", "ended "})
      if (!told.contains(kind + run.id))
        problems.push_back(fmt::format("that run {} has {}is not in the audit trail", run.id, kind));
}

}  // namespace flow::test
