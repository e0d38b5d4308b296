#include "testing/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/lease.hpp"
#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "testing/json.hpp"
#include "vm/bytecode/stand_in.hpp"
#include "vm/interp/machine.hpp"

namespace flow::testing {
namespace {

constexpr std::int64_t kBeganUs = 1'789'997'400'000'000;  // 2026-09-21T13:30:00Z: a Monday, as good as any
constexpr std::uint32_t kMostRetries = 1'000;

std::string member(std::string_view json, std::string_view name) {
  for (const auto& [known, value] : members(json))
    if (known == name) return std::string(value);
  return {};
}

Fault fault(FaultKind kind, std::string message) {
  Fault made;
  made.kind = kind;
  made.message = std::move(message);
  return made;
}

std::string object(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out;
  for (const auto& [name, value] : members)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quoted(name), value);
  return "{" + out + "}";
}

}  // namespace

World::World(const Program& program)
    : program_(program), module_(program.module()), now_us_(kBeganUs), began_us_(kBeganUs) {}

// ---- Values

void World::give(const std::string& name, Value value) {
  if (name != "now") return void(given_[name] = std::move(value));
  if (const auto time = parse_time_us(text_of(value.json).value_or(""))) {
    if (now_us_ == began_us_) began_us_ = *time;
    now_us_ = *time;
  }
}

void World::give_param(const std::string& name, const Value& value) {
  std::string json = untyped(value);
  params_[name] = {.kind = Value::Kind::Json, .json = std::move(json), .names = {}, .items = {}};
}

Result<std::string> World::compute(std::uint32_t value, const std::string& event) {
  Machine machine(program_, value);
  Step step = machine.start(event, settings());
  constexpr int kMostSteps = 100'000;
  for (int steps = 0; steps < kMostSteps; ++steps) {
    if (const auto* ended = std::get_if<Ended>(&step)) {
      if (ended->how == Ended::How::Finished) return ended->result.empty() ? "null" : ended->result;
      return error(ended->how == Ended::How::Failed ? ended->fault.message : "it gave no value");
    }
    if (const auto* call = std::get_if<Call>(&step)) {
      const std::size_t before = calls_.size();
      const Caller caller{.flow = value, .event = event};
      const auto given = answer(caller, caller, *call);
      calls_.resize(before);  // what a test asks is no call of the run
      step = machine.resume(given ? given->outcome
                                  : Outcome(fault(FaultKind::Timeout, "nobody answers a test")));
    } else {
      step = machine.resume(Returned{"null"});
    }
  }
  return error("it does not end");
}

std::string World::untyped(const Value& value) {
  switch (value.kind) {
    case Value::Kind::Computed: return compute(value.flow, "{}").value_or("null");
    case Value::Kind::Json: return value.json;
    case Value::Kind::Object: {
      std::vector<std::pair<std::string, std::string>> out;
      for (std::size_t i = 0; i < value.names.size(); ++i)
        out.emplace_back(value.names[i], untyped(value.items[i]));
      return object(out);
    }
    case Value::Kind::List: {
      std::string out;
      for (const Value& item : value.items) out += (out.empty() ? "" : ",") + untyped(item);
      return "[" + out + "]";
    }
  }
  return "null";
}

// What is missing in a given record is made up, as far as the program reads it.
std::string World::filled(TypeId type, const Value* value, const std::string& name) {
  if (value == nullptr) return stand_in_json(module_.types, type, name, now_us_);
  const TypeId bare = module_.types.without_null(type);
  if (value->kind == Value::Kind::Object && module_.types.is(bare, TypeKind::Record)) {
    std::vector<std::pair<std::string, std::string>> out;
    const RecordType& record = module_.types.record(bare);
    for (const RecordField& field : record.fields) {
      const auto given = std::ranges::find(value->names, field.wire);
      if (given == value->names.end() && !field.default_json.empty()) continue;
      out.emplace_back(field.wire,
                       filled(field.type,
                              given == value->names.end()
                                  ? nullptr
                                  : &value->items[static_cast<std::size_t>(given - value->names.begin())],
                              field.name));
    }
    for (std::size_t i = 0; i < value->names.size(); ++i)
      if (std::ranges::find(record.fields, value->names[i], &RecordField::wire) == record.fields.end())
        out.emplace_back(value->names[i], untyped(value->items[i]));
    return object(out);
  }
  if (value->kind == Value::Kind::List && module_.types.is(bare, TypeKind::List)) {
    std::string out;
    for (const Value& item : value->items)
      out += (out.empty() ? "" : ",") + filled(module_.types[bare].element, &item, name);
    return "[" + out + "]";
  }
  return untyped(*value);
}

std::string World::settings() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Setting& setting : module_.settings) {
    const auto given = params_.find(setting.name);
    if (given != params_.end())
      out.emplace_back(setting.name, given->second.json);
    else if (setting.is_required)
      out.emplace_back(setting.name, stand_in_json(module_.types, setting.type, setting.name, now_us_));
  }
  return object(out);
}

std::string World::event_for(std::uint32_t flow,
                             const std::vector<std::pair<std::string, Value>>& arguments) {
  const FlowCode& code = module_.flows[flow];
  const Trigger& trigger = module_.triggers[code.trigger];
  std::vector<std::pair<std::string, std::string>> out;
  const auto has = [&](const std::string& wire) {
    return std::ranges::any_of(out, [&](const auto& member) { return member.first == wire; });
  };
  for (const auto& [wire, value] : arguments) {
    const auto binding = std::ranges::find(trigger.bindings, wire, &Trigger::Binding::wire);
    out.emplace_back(wire,
                     filled(binding == trigger.bindings.end() ? kJsonType : binding->type, &value, wire));
  }
  for (const Trigger::Binding& binding : trigger.bindings) {
    if (has(binding.wire)) continue;
    if (const auto given = given_.find(binding.name); given != given_.end())
      out.emplace_back(binding.wire, filled(binding.type, &given->second, binding.name));
  }
  if (!trigger.entities.empty()) {
    const Trigger::Entity& entity = trigger.entities.front();
    const auto given = given_.find(entity.name);
    const std::string record =
        filled(entity.type, given == given_.end() ? nullptr : &given->second, entity.name);
    // What nobody gave, and is made up as null, leaves room for what the trigger promises under the same
    // name.
    const auto is_promised = [&](const std::string& wire) {
      const bool is_given =
          given != given_.end() && std::ranges::find(given->second.names, wire) != given->second.names.end();
      return !is_given &&
             std::ranges::find(trigger.bindings, wire, &Trigger::Binding::wire) != trigger.bindings.end();
    };
    for (const auto& [wire, value] : members(record))
      if (!has(wire) && !(value == "null" && is_promised(wire))) out.emplace_back(wire, std::string(value));
  }
  for (const Trigger::Binding& binding : trigger.bindings) {
    if (has(binding.wire)) continue;
    const auto input = std::ranges::find(code.inputs, binding.name, &Input::name);
    const bool has_default = trigger.kind != Trigger::Kind::Poll && input != code.inputs.end() &&
                             module_.types.is_optional(input->type);
    if (!has_default) out.emplace_back(binding.wire, filled(binding.type, nullptr, binding.name));
  }
  return object(out);
}

// ---- Time

void World::advance_to(std::int64_t us) {
  now_us_ = std::max(now_us_, us);
  send_digests();
  for (std::size_t i = 0; i < leases_.size();) {
    if (leases_[i].at_us > now_us_) {
      ++i;
      continue;
    }
    const Lease ended = std::move(leases_[i]);
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(i));
    const bool is_held = std::ranges::any_of(leases_, [&](const Lease& other) {
      return other.call.operation == ended.call.operation && other.call.arguments == ended.call.arguments;
    });
    if (!is_held) calls_.push_back(ended.call);
  }
}

// What an act leases, and the leases that it ends: of what it does for good, and of what it undoes.
void World::note_leases(const Operation& operation, const Call& call, MadeCall made, std::int64_t at_us) {
  const bool is_leased = call.options && call.options->lease_us > 0;
  const auto inverse = module_.operation(operation.connector, operation.inverse);
  const std::string undoing = inverse ? module_.operations[*inverse].full_name() : std::string();
  const std::string kept = inverse ? kept_arguments(operation, *inverse, call.arguments) : std::string();
  std::erase_if(leases_, [&](const Lease& lease) {
    if (lease.call.operation == undoing) return !is_leased && lease.call.arguments == kept;
    return lease.call.operation == operation.full_name() &&
           std::ranges::all_of(members(lease.call.arguments), [&](const auto& given) {
             return member(call.arguments, given.first) == given.second;
           });
  });
  if (!is_leased || !inverse) return;
  made.operation = undoing;
  made.arguments = kept;
  made.at_us = at_us + call.options->lease_us;
  made.remark = "the lease ended";
  leases_.push_back({made.at_us, made});
}

// As the runtime does: the same recipients and key within the window share a mail.
void World::note_digest(const Call& call) {
  std::string to = member(call.arguments, "to");
  if (to.starts_with('"')) to = "[" + to + "]";
  std::string key = member(call.arguments, "key");
  const std::string subject = member(call.arguments, "subject");
  if (key.empty() || key == "null") key = subject;
  auto open = std::ranges::find_if(
      digests_, [&](const Digest& digest) { return digest.to == to && digest.key == key; });
  if (open == digests_.end()) {
    const std::int64_t within_us = duration_of(member(call.arguments, "within")).value_or(0);
    open = digests_.insert(open, {now_us_ + within_us, to, key, subject, {}, call.line});
  }
  open->text += format_time_us(now_us_).substr(11, 8) + "  " +
                text_of(member(call.arguments, "line")).value_or("") + "\n";
}

void World::send_digests() {
  for (std::size_t i = 0; i < digests_.size();) {
    if (digests_[i].at_us > now_us_) {
      ++i;
      continue;
    }
    const Digest ended = std::move(digests_[i]);
    digests_.erase(digests_.begin() + static_cast<std::ptrdiff_t>(i));
    calls_.push_back({.operation = "mail.mail",
                      .effect = Effect::Notify,
                      .arguments = object(
                          {{"to", ended.to}, {"subject", ended.subject}, {"body", json_quoted(ended.text)}}),
                      .line = ended.line,
                      .at_us = ended.at_us,
                      .runs_flow = false,
                      .remark = "the digest"});
  }
}

std::string World::kept_arguments(const Operation& leased, std::uint32_t inverse,
                                  const std::string& arguments) {
  const Operation& undoing = module_.operations[inverse];
  std::vector<std::pair<std::string, std::string>> kept;
  for (const std::size_t i : kept_parameters(leased, undoing))
    kept.emplace_back(undoing.parameters[i].name, member(arguments, undoing.parameters[i].name));
  return object(kept);
}

std::optional<std::int64_t> World::next_lease_us() const {
  std::optional<std::int64_t> first;
  for (const Lease& lease : leases_) first = std::min(first.value_or(lease.at_us), lease.at_us);
  for (const Digest& digest : digests_) first = std::min(first.value_or(digest.at_us), digest.at_us);
  return first;
}

// ---- Calls

bool is_meant(const ExpectedCall& expected, std::string_view operation) {
  const std::string_view name = expected.operation;
  return name.ends_with(".*") ? operation.starts_with(name.substr(0, name.size() - 1)) : operation == name;
}

std::optional<Outcome> World::ruled(const Operation& operation, const Call& call) {
  for (Rule& rule : rules_) {
    if (!is_meant(rule.call, operation.full_name()) || rule.left == 0) continue;
    const bool fits = std::ranges::all_of(rule.arguments, [&](const auto& wanted) {
      return member(call.arguments, wanted.first) == wanted.second;
    });
    if (!fits) continue;
    if (rule.left) --*rule.left;
    if (rule.result) return Returned{filled(operation.result, &*rule.result, operation.name)};
    has_failed_as_given_ = true;
    return fault(rule.fault, rule.message);
  }
  return std::nullopt;
}

// What the trigger speaks of, when it is what is asked for.
std::optional<std::string> World::entity(std::uint32_t flow, const Operation& operation,
                                         const std::string& event, const Call& call) {
  const Trigger& trigger = module_.triggers[module_.flows[flow].trigger];
  if (operation.connector != trigger.connector) return std::nullopt;
  const auto asked = members(call.arguments);
  for (const Trigger::Entity& entity : trigger.entities) {
    if (entity.operation != operation.name || asked.empty()) continue;
    const auto binding = std::ranges::find(trigger.bindings, entity.argument, &Trigger::Binding::name);
    const auto given = given_.find(entity.name);
    if (binding != trigger.bindings.end() && member(event, binding->wire) == asked[0].second)
      return filled(entity.type, given == given_.end() ? nullptr : &given->second, entity.name);
  }
  return std::nullopt;
}

const Policies::Limit* World::over_limit(std::uint32_t flow, const Call& call) {
  for (const Policies::Limit& limit : module_.flows[flow].policies.limits) {
    if (limit.operation != call.operation) continue;
    std::vector<std::int64_t>& times = limited_[{flow, call.operation}];
    std::erase_if(times, [&](std::int64_t at) { return at <= now_us_ - limit.window_us; });
    if (times.size() >= limit.count) return &limit;
    times.push_back(now_us_);
  }
  return nullptr;
}

bool is_flow_call(const Operation& operation) {
  return operation.connector == "flow" && (operation.name == "call" || operation.name == "start");
}

std::optional<Answer> World::answer(const Caller& caller, const Caller& origin, const Call& call) {
  const Operation& operation = module_.operations[call.operation];
  const std::uint32_t flow = caller.flow;
  const bool is_system = !operation.routes.empty() && operation.routes[0].protocol == Protocol::Runtime;
  auto record = entity(flow, operation, caller.event, call);
  if (!record) record = entity(origin.flow, operation, origin.event, call);
  if (record) {
    if (auto given = ruled(operation, call)) return now(std::move(*given));
    return now(Returned{*record});
  }
  MadeCall made{.operation = operation.full_name(),
                .effect = operation.effect,
                .arguments = call.arguments,
                .line = call.line,
                .at_us = now_us_,
                .runs_flow = is_flow_call(operation),
                .remark = {}};
  if (is_system) {
    if (operation.effect == Effect::Act || operation.effect == Effect::Notify || made.runs_flow)
      calls_.push_back(made);
    if (auto given = ruled(operation, call)) return now(std::move(*given));
    if (made.runs_flow) return std::nullopt;
    if (is_digest(operation)) note_digest(call);
    return system_answer(operation, flow, call);
  }
  if (const Policies::Limit* limit = over_limit(flow, call)) {
    using Otherwise = Policies::Limit::Otherwise;
    const auto approval = given_.find("approval");
    const bool is_approved =
        limit->otherwise == Otherwise::Ask && approval != given_.end() && untyped(approval->second) == "true";
    if (limit->otherwise == Otherwise::Skip)
      return now(Returned{stand_in_result(module_.types, operation, members(call.arguments), now_us_)});
    if (!is_approved)
      return now(fault(FaultKind::LimitReached, fmt::format("`{}` is over its limit", operation.name)));
  }
  std::optional<Outcome> outcome = ruled(operation, call);
  std::int64_t at_us = now_us_;
  const std::uint32_t retries = call.options ? call.options->retries.value_or(0) : 0;
  std::int64_t pause_us = call.options ? call.options->backoff_min_us : 0;
  std::uint32_t attempts = 1;
  while (outcome && std::holds_alternative<Fault>(*outcome) && attempts <= std::min(retries, kMostRetries)) {
    ++attempts;
    at_us += pause_us;
    if (call.options) pause_us = std::min(2 * pause_us, call.options->backoff_max_us);
    outcome = ruled(operation, call);
  }
  if (attempts > 1) made.remark = fmt::format("{} attempts", attempts);
  if (outcome)
    if (const auto* failed = std::get_if<Fault>(&*outcome))
      made.remark += fmt::format("{}failed: {}", made.remark.empty() ? "" : ", ", fault_name(failed->kind));
  if (!call.is_fetch) calls_.push_back(made);
  const bool has_failed = outcome && std::holds_alternative<Fault>(*outcome);
  if (operation.effect == Effect::Act && !has_failed) note_leases(operation, call, made, at_us);
  if (outcome) return Answer{at_us, std::move(*outcome)};
  return Answer{at_us, Returned{stand_in_result(module_.types, operation, members(call.arguments), now_us_)}};
}

std::optional<Answer> World::system_answer(const Operation& operation, std::uint32_t flow, const Call& call) {
  const auto arguments = members(call.arguments);
  const std::string first = arguments.empty() ? std::string() : std::string(arguments[0].second);
  if (operation.name == "now") return now(Returned{json_quoted(format_time_us(now_us_))});
  if (operation.name == "ago") {
    std::int64_t time_us = 0;
    if (__builtin_sub_overflow(now_us_, duration_of(first).value_or(0), &time_us)) time_us = now_us_;
    return now(Returned{json_quoted(format_time_us(time_us))});
  }
  if (operation.name == "uuid")
    return now(Returned{fmt::format("\"00000000-0000-4000-8000-{:012}\"", ++random_)});
  if (operation.name == "random") return now(Returned{fmt::format("0.{:02}", (37 * ++random_) % 100)});
  if (operation.name.starts_with("wait")) {
    if (const auto until = parse_time_us(text_of(first).value_or("")))
      return Answer{std::max(*until, now_us_), Returned{"null"}};
    return Answer{now_us_ + duration_of(first).value_or(0), Returned{"null"}};
  }
  if (operation.name == "once") {
    const std::int64_t window_us = arguments.size() < 2 ? 0 : duration_of(arguments[1].second).value_or(0);
    std::int64_t& until_us = once_[fmt::format("{} {}", flow, first)];
    const bool is_first = until_us <= now_us_;
    if (is_first) until_us = now_us_ + window_us;
    return now(Returned{is_first ? "true" : "false"});
  }
  if (operation.name == "approve" || operation.name == "ask" || operation.name == "receive")
    return late_answer(call, now_us_);
  return now(Returned{stand_in_result(module_.types, operation, members(call.arguments), now_us_)});
}

std::optional<Answer> World::late_answer(const Call& call, std::int64_t asked_us) {
  const Operation& operation = module_.operations[call.operation];
  const Value* given = nullptr;
  if (operation.name == "receive") {
    const auto arguments = members(call.arguments);
    const auto event = events_.find(arguments.empty() ? "" : text_of(arguments[0].second).value_or(""));
    if (event != events_.end()) given = &event->second;
  } else {
    const auto named = given_.find(operation.name == "ask" ? "answer" : "approval");
    if (named != given_.end()) given = &named->second;
  }
  if (given != nullptr) return now(Returned{filled(operation.result, given, operation.name)});
  const std::int64_t within_us = call.options ? call.options->await_within_us : 0;
  if (within_us > 0)
    return Answer{asked_us + within_us,
                  fault(FaultKind::Timeout, fmt::format("nobody answered `{}` in time", operation.name))};
  return std::nullopt;
}

}  // namespace flow::testing
