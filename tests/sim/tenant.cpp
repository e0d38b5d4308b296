#include "tenant.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

constexpr const char* kActionId = "2e0d9b74-a381-49aa-8c15-f7b01c526d3e";
constexpr std::int64_t kActionTakes = 8 * kMinute;

std::string text_of(std::string_view json, std::string_view name) {
  const auto member = json_member(json, name);
  return member ? json_string(*member).value_or("") : "";
}

CrashRule::Kind crash_rule(const Operation& operation) {
  if (!operation.routes.empty() && operation.routes[0].crash) return operation.routes[0].crash->kind;
  return operation.effect == Effect::Read ? CrashRule::Kind::Repeat : CrashRule::Kind::Ask;
}

std::string machine_json(const std::string& id) {
  return fmt::format(
      R"({{"id":{},"computerDnsName":"pc","firstSeen":"2026-01-01T00:00:00Z","lastSeen":"2026-01-01T00:00:00Z","osPlatform":"Windows11","healthStatus":"Active","onboardingStatus":"Onboarded","machineTags":[],"ipAddresses":[]}})",
      json_quoted(id));
}

std::string action_json(std::string_view status) {
  return fmt::format(
      R"({{"id":"{}","type":"Isolate","requestor":"flow","status":"{}","creationDateTimeUtc":"2026-01-01T00:00:00Z"}})",
      kActionId, status);
}

}  // namespace

TenantCounts& TenantCounts::operator+=(const TenantCounts& other) {
  calls += other.calls;
  acts += other.acts;
  throttled += other.throttled;
  unavailable += other.unavailable;
  lying += other.lying;
  lost_requests += other.lost_requests;
  lost_answers += other.lost_answers;
  broken += other.broken;
  garbled += other.garbled;
  refused += other.refused;
  doubled_answers += other.doubled_answers;
  slow += other.slow;
  lookups += other.lookups;
  lists += other.lists;
  return *this;
}

void Tenant::at(std::int64_t time_us, bool is_answer, std::function<void()> what) {
  events_.emplace(time_us, Event{std::move(what), is_answer});
}

std::int64_t Tenant::next_us() const {
  return events_.empty() ? kNever : events_.begin()->first;
}

void Tenant::pass_until(std::int64_t time_us) {
  while (!events_.empty() && events_.begin()->first <= time_us) {
    now_us_ = std::max(now_us_, events_.begin()->first);
    const auto what = std::move(events_.begin()->second.what);
    events_.erase(events_.begin());
    what();
  }
  now_us_ = std::max(now_us_, time_us);
}

void Tenant::cut_connections() {
  std::multimap<std::int64_t, Event> kept;
  for (auto& [time_us, event] : events_)
    if (!event.is_answer && random_() % 2 == 0) kept.emplace_hint(kept.end(), time_us, std::move(event));
  events_ = std::move(kept);
  recent_.clear();
}

Fault Tenant::fault(FaultKind kind, bool maybe_executed, std::int64_t retry_after_us) const {
  Fault made;
  made.kind = kind;
  made.message = "the simulated tenant says so";
  made.maybe_executed = maybe_executed;
  made.retry_after_us = retry_after_us;
  return made;
}

std::int64_t Tenant::latency() {
  if (!happens(weather_.slow)) return 2'000 + up_to(200'000);
  ++counts_.slow;
  return up_to(25 * kSecond);
}

void Tenant::add_alert(const std::string& id, const std::string& title, const std::string& machine,
                       std::int64_t ago_us) {
  alerts_.push_back(
      {fmt::format(
           R"({{"id":{},"alertCreationTime":"{}","severity":"High","status":"New","detectionSource":"Manual","category":"Malware","title":{},"description":"","machineId":"{}","mitreTechniques":[],"comments":[],"evidence":[]}})",
           json_quoted(id), format_time_us(now_us_ - ago_us), json_quoted(title), machine),
       now_us_ - ago_us});
}

std::string Tenant::page(const std::string& arguments) const {
  const std::string filter = text_of(arguments, "filter");
  const auto bound = [&](const char* word) -> std::optional<std::int64_t> {
    const std::size_t at = filter.find(word);
    if (at == std::string::npos) return std::nullopt;
    const std::size_t begin = at + std::string_view(word).size();
    return parse_time_us(filter.substr(begin, filter.find('Z', begin) - begin + 1));
  };
  const std::int64_t from_us = bound(" ge ").value_or(0), until_us = bound(" lt ").value_or(kNever);
  const auto top = static_cast<std::size_t>(*json_int(json_member(arguments, "top").value_or("0")));
  auto skip = static_cast<std::size_t>(*json_int(json_member(arguments, "skip").value_or("0")));
  std::string list;
  std::size_t rows = 0;
  for (const Alert& alert : alerts_) {
    if (alert.created_us < from_us || alert.created_us >= until_us) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (rows++ == top) break;
    list += (list.empty() ? "" : ",") + alert.json;
  }
  return "[" + list + "]";
}

std::string Tenant::result_of(const OperationCall& call) const {
  const Operation& operation = call.module->operations[call.operation];
  if (operation.name == "list_alerts") return page(call.arguments);
  if (operation.name == "get_machine" || operation.name == "add_tag")
    return machine_json(text_of(call.arguments, "machine"));
  if (operation.connector == "mail") return "null";
  if (operation.name == "update_alert") return alerts_.front().json;
  return action_json("Pending");
}

void Tenant::carry_out(const OperationCall& call) {
  const Operation& operation = call.module->operations[call.operation];
  if (operation.effect == Effect::Read) return;
  ++counts_.acts;
  Deed& deed = deeds_[call.key];
  if (deed.times++ == 0) {
    deed.operation = operation.full_name();
    deed.key = call.key;
    deed.arguments = call.arguments;
    deed.time_us = now_us_;
  }
  deed.may_be_repeated = crash_rule(operation) == CrashRule::Kind::Repeat;
  if (on_done) on_done(deed);
}

void Tenant::answer(std::int64_t time_us, const std::function<void(Outcome)>& done, Outcome outcome) {
  at(time_us, true, [done, outcome] { done(outcome); });
  if (!happens(weather_.doubled)) return;
  ++counts_.doubled_answers;
  at(time_us + up_to(5 * kSecond), true, [done, outcome] { done(outcome); });
}

void Tenant::count_against_quota(const std::string& connector) {
  std::deque<std::int64_t>& recent = recent_[connector];
  while (!recent.empty() && recent.front() <= now_us_ - kMinute) recent.pop_front();
  recent.push_back(now_us_);
  std::size_t& most = most_in_a_minute_[connector];
  most = std::max(most, recent.size());
}

void Tenant::perform(OperationCall call, std::function<void(Outcome)> done) {
  if (is_cut && is_cut()) return;
  ++counts_.calls;
  if (on_sent) on_sent(call);
  const Operation& operation = call.module->operations[call.operation];
  count_against_quota(operation.connector);
  if (operation.effect != Effect::Read) sent_[call.key] = now_us_;
  const std::int64_t sent_us = now_us_;
  // `done` keeps the call's module, also when the process that made it is gone.
  const auto does = [this, call, done] { carry_out(call); };
  const std::int64_t there_us = sent_us + latency();
  const std::int64_t back_us = there_us + 1'000 + up_to(100'000);
  const std::int64_t deadline_us = sent_us + call.deadline_us;
  // Nobody waits for a server beyond the deadline: the call's own end tells that there was no answer.
  const auto no_answer = [&] {
    if (!happens(weather_.silent)) answer(deadline_us, done, fault(FaultKind::Timeout, true));
  };
  if (happens(weather_.throttled)) {
    ++counts_.throttled;
    return answer(back_us, done, fault(FaultKind::Throttled, false, up_to(40 * kSecond)));
  }
  if (happens(weather_.unavailable)) {
    ++counts_.unavailable;
    return answer(back_us, done, fault(FaultKind::Unavailable, false));
  }
  if (happens(weather_.refused)) {
    ++counts_.refused;
    return answer(back_us, done, fault(FaultKind::NotFound, false));
  }
  if (happens(weather_.lost_request)) {
    ++counts_.lost_requests;
    return no_answer();
  }
  if (happens(weather_.broken)) {
    ++counts_.broken;
    if (random_() % 2 == 0) at(there_us, false, does);
    return answer(sent_us + 1'000 + up_to(std::max<std::int64_t>(there_us - sent_us, 1'001) - 1'000), done,
                  fault(FaultKind::Unavailable, true));
  }
  at(there_us, false, does);
  if (happens(weather_.lost_answer)) {
    ++counts_.lost_answers;
    return no_answer();
  }
  if (happens(weather_.lying)) {
    ++counts_.lying;
    return answer(back_us, done, fault(FaultKind::Unavailable, true));
  }
  if (happens(weather_.garbled)) {
    ++counts_.garbled;
    return answer(back_us, done, Returned{"{\"id\": <html>"});
  }
  if (back_us > deadline_us) return answer(deadline_us, done, fault(FaultKind::Timeout, true));
  // What it sees is what is there when it is carried out.
  at(there_us, true, [this, call, done, back_us] { answer(back_us, done, Returned{result_of(call)}); });
}

void Tenant::progress(OperationCall call, std::string, std::function<void(Outcome)> done) {
  if (is_cut && is_cut()) return;
  ++counts_.calls;
  const std::int64_t back_us = now_us_ + latency();
  if (happens(weather_.unavailable) || happens(weather_.lost_answer))
    return answer(back_us, done, fault(FaultKind::Unavailable, false));
  at(back_us, true, [this, key = call.key, done] { done(Returned{progress_of(key)}); });
}

std::string Tenant::progress_of(const std::string& key) const {
  const auto deed = deeds_.find(key);
  const bool is_over = deed != deeds_.end() && now_us_ - deed->second.time_us > kActionTakes;
  return action_json(is_over ? "Succeeded" : "InProgress");
}

// A list that lies leaves some out, and one that is refused knows no such filter.
void Tenant::progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) {
  if (is_cut && is_cut()) return;
  ++counts_.calls;
  ++counts_.lists;
  const std::int64_t back_us = now_us_ + latency();
  if (happens(weather_.unavailable) || happens(weather_.lost_answer))
    return answer(back_us, done, fault(FaultKind::Unavailable, false));
  if (happens(weather_.refused)) return answer(back_us, done, fault(FaultKind::BadRequest, false));
  if (happens(weather_.lost_request)) return;
  std::vector<std::string> keys;
  for (const BegunCall& each : calls) keys.push_back(happens(weather_.lying) ? "" : each.call.key);
  at(back_us, true, [this, keys, done] {
    std::string rows;
    for (const std::string& key : keys)
      rows += (rows.empty() ? "" : ",") + (key.empty() ? std::string("null") : progress_of(key));
    done(Returned{"[" + rows + "]"});
  });
}

void Tenant::settle(OperationCall call, std::function<void(Settlement)> done) {
  if (is_cut && is_cut()) return;
  ++counts_.lookups;
  switch (crash_rule(call.module->operations[call.operation])) {
    case CrashRule::Kind::Repeat: return done(DidNotHappen{});
    case CrashRule::Kind::Ask: return done(NobodyKnows{fault(FaultKind::Failed, true)});
    case CrashRule::Kind::Lookup: break;
  }
  const std::int64_t there_us = now_us_ + latency();
  if (happens(weather_.unavailable) || happens(weather_.lost_request))
    return at(there_us, true, [done, why = fault(FaultKind::Unavailable, true)] { done(NobodyKnows{why}); });
  if (happens(weather_.throttled))
    return at(there_us, true,
              [done, why = fault(FaultKind::Throttled, true, 10 * kSecond)] { done(NobodyKnows{why}); });
  at(there_us, true, [this, call, done] {
    const auto found = deeds_.find(call.key);
    if (found == deeds_.end()) return done(DidNotHappen{});
    done(Happened{result_of(call)});
  });
}

}  // namespace flow::test
