// Global protections, asked before each call that acts (admission.cpp). What the rules need to know of a
// target is fetched first, and the call is held meanwhile; it is asked for again when the answer is there.
// One answer serves all calls on the target that come within a minute. A target of which nothing can be
// learnt is protected.
#include <fmt/format.h>

#include "base/text.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::int64_t kFactsUs = 60'000'000;  // for so long an answer is good
constexpr std::int64_t kNoFactsUs = 5'000'000;
constexpr std::uint32_t kTries = 3;
constexpr std::size_t kMostFacts = 1'000;

// Of the rules of now: what is on its way for others is not for them.
std::string facts_key(std::uint64_t rules, const std::string& tenant, const std::string& entity,
                      const std::string& target) {
  return fmt::format("{}\n{}\n{}\n{}", rules, tenant, entity, target);
}

}  // namespace

Status Runtime::Loop::load_protections() {
  if (options_.protections.module.empty()) return {};
  FLOW_TRY(protecting_, engine_.load(options_.protections.module));
  return {};
}

bool Runtime::Loop::admit_unprotected(Run& run, std::uint32_t number) {
  const Operation& operation = run.operation(number);
  const bool is_asked = protecting_ != nullptr && operation.effect == Effect::Act &&
                        !run.waiting(number)->begun && !is_lease(run.row());
  if (!is_asked) return true;
  const std::string arguments = run.waiting(number)->call.arguments;
  const std::int64_t now_us = clock_.now_us();
  bool is_known = true;
  ProtectedAct act{.operation = operation.full_name(),
                   .flow = run.row().flow,
                   .tenant = run.row().tenant,
                   .target = {},
                   .facts = {}};
  for (const ProtectedKind& kind : options_.protections.kinds)
    for (std::string& target : targets_of(*run.module(), operation, arguments, kind)) {
      act.target = std::move(target);
      act.facts.clear();
      std::string unknown;
      if (!kind.fetch.empty()) {
        const Facts& facts = facts_of(run, number, kind, act.target);
        if (!facts.outcome) {
          is_known = false;
          continue;
        }
        if (const auto* returned = std::get_if<Returned>(&*facts.outcome)) act.facts = returned->json;
        if (const auto* fault = std::get_if<Fault>(&*facts.outcome))
          unknown =
              fmt::format("nothing can be learnt of {} {}: {}", kind.entity, act.target, fault->message);
      }
      const std::string event = event_for_rules(kind, act);
      for (const ProtectionRule& rule : kind.rules) {
        const std::string why =
            unknown.empty() ? refusal(engine_, *protecting_, rule, event, now_us) : unknown;
        if (why.empty()) continue;
        answer_instead(
            run, number, AnsweredBy::Protection,
            Fault{.kind = FaultKind::Protected,
                  .message = fmt::format("{} is refused by the protection `{}` of this deployment{}",
                                         act.operation, rule.name, why == "it holds" ? "" : "; " + why)});
        return false;
      }
    }
  return is_known;
}

// What is known of the target; when nothing is, it is asked for, and the call comes again.
const Runtime::Loop::Facts& Runtime::Loop::facts_of(const Run& run, std::uint32_t number,
                                                    const ProtectedKind& kind, const std::string& target) {
  const std::int64_t now_us = clock_.now_us();
  const std::string key = facts_key(rules_, run.row().tenant, kind.entity, target);
  const auto is_stale = [&](const Facts& facts) {
    if (!facts.outcome) return false;
    const std::int64_t good_us = std::holds_alternative<Fault>(*facts.outcome) ? kNoFactsUs : kFactsUs;
    return now_us - facts.at_us > good_us || now_us < facts.at_us;
  };
  if (facts_.size() > kMostFacts)
    std::erase_if(facts_, [&](const auto& each) { return is_stale(each.second); });
  auto found = facts_.find(key);
  if (found != facts_.end() && is_stale(found->second)) {
    facts_.erase(found);
    found = facts_.end();
  }
  if (found == facts_.end()) {
    found = facts_.emplace(key, Facts{}).first;
    found->second.kind = &kind;
    found->second.tenant = run.row().tenant;
    found->second.target = target;
    ask_facts(key);
  }
  if (!found->second.outcome) found->second.waiting.insert({run.row().id, number});
  return found->second;
}

void Runtime::Loop::ask_facts(const std::string& key) {
  const auto wanted = facts_.find(key);
  if (wanted == facts_.end()) return;  // there are other rules by now
  const Facts& facts = wanted->second;
  const std::size_t dot = facts.kind->fetch.find('.');
  const auto operation = protecting_->operation(std::string_view(facts.kind->fetch).substr(0, dot),
                                                std::string_view(facts.kind->fetch).substr(dot + 1));
  if (!operation || protecting_->operations[*operation].parameters.empty())
    return take_facts(key, Fault{.kind = FaultKind::NotFound,
                                 .message = fmt::format("{} is no operation", facts.kind->fetch)});
  Pending pending;
  pending.purpose = Pending::Purpose::Facts;
  pending.owner = key;
  pending.module = protecting_;
  pending.priority = Policies::Priority::High;
  pending.call.tenant = facts.tenant;
  pending.call.operation = *operation;
  pending.call.arguments =
      fmt::format("{{{}:{}}}", json_quoted(protecting_->operations[*operation].parameters.front().name),
                  json_quoted(facts.target));
  pending.call.deadline_us = options_.call_deadline_us;
  ask(std::move(pending));
}

void Runtime::Loop::take_facts(const std::string& key, const Outcome& outcome) {
  const auto wanted = facts_.find(key);
  if (wanted == facts_.end()) return;  // there are other rules by now
  Facts& facts = wanted->second;
  const auto* const fault = std::get_if<Fault>(&outcome);
  if (fault != nullptr && may_retry(fault->kind) && ++facts.failures < kTries) {
    at(clock_.now_us() + retry_delay_us(*fault, facts.failures, options_.retry, random_),
       [this, key] { ask_facts(key); });
    return;
  }
  facts.outcome = outcome;
  facts.at_us = clock_.now_us();
  for (const auto& [id, number] : std::exchange(facts.waiting, {}))
    at(facts.at_us, [this, id = id, number = number] { ask_again(id, number); });
}

}  // namespace flow
