// What takes time: `wait`, `repeat`, and how calls are made.
#include <algorithm>

#include "base/lease.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void Checker::wait(NodeId node) {
  const bool is_until = tree_.kind(node) == NodeKind::WaitUntil;
  expect(tree_.kid(node, 0), is_until ? kTimeType : kDurationType,
         is_until ? "what `wait until` waits for" : "how long `wait` waits");
  note_system(node, is_until ? "waitUntil" : "wait");
}

// An operation of the runtime that a statement calls.
void Checker::note_system(NodeId node, std::string_view name) {
  if (FunctionEffects* here = effects()) here->waits = here->waits || name != "respond";
  const auto found = library_.operation_names.find(fmt::format("flow.{}", name));
  if (found == library_.operation_names.end()) {
    not_yet(node, fmt::format("`{}`", name));
    return;
  }
  out_.system_calls[node] = found->second;
  note_operation(found->second);
}

void Checker::repeat(NodeId node) {
  const RepeatParts parts = repeat_parts(tree_, node);
  const std::size_t assigned = assigned_.size();
  const Span word{tree_.span(node).begin, tree_.span(node).begin + 6};
  if (parts.every != kNoNode) expect(parts.every, kDurationType, "the pause of a `repeat`");
  if (parts.within != kNoNode) expect(parts.within, kDurationType, "the time of a `repeat`");
  if (parts.times != kNoNode) count(parts.times, "how often a `repeat` comes", 1);
  if (parts.times == kNoNode && (parts.within == kNoNode || parts.every == kNoNode))
    diagnostics_
        .report(Code::Unbounded, tree_.file, word,
                parts.within == kNoNode
                    ? "this `repeat` has no bound"
                    : "this `repeat` has a time and no pause, so that nothing says how often it comes")
        .note("write `every 30s within 1h`, or `at most 60 times`");
  if (parts.every != kNoNode) note_system(node, "wait");
  if (parts.within != kNoNode) note_now(node);
  forget_assigned(parts.body);
  block(parts.body, parts.until);
  if (parts.otherwise != kNoNode) block(parts.otherwise);
  const bool only_when_true = parts.otherwise == kNoNode || ends(parts.otherwise);
  if (parts.until != kNoNode && only_when_true && !ends(parts.body)) learn(parts.until, true, facts_);
  forget_since(assigned);
  if (parts.until != kNoNode && only_when_true && !ends(parts.body)) learn(parts.until, true, facts_);
}

void Checker::note_now(NodeId) {
  const auto found = library_.operation_names.find("flow.now");
  if (found != library_.operation_names.end()) note_operation(found->second);
}

// A duration that is known now; reports one that is not.
std::optional<std::int64_t> Checker::constant_duration(NodeId node, const char* what) {
  expect(node, kDurationType, what);
  if (is_error(out_.type[node])) return std::nullopt;
  const NodeId bare = tree_.kind(node) == NodeKind::Paren ? tree_.kid(node, 0) : node;
  Diagnostics told;
  if (tree_.kind(bare) == NodeKind::Duration) return duration_value_us(tree_, bare, told);
  report(Code::NotConstant, node, fmt::format("{} must be written as a duration, as `30s`", what))
      .note("how a call is made is part of the module, where no value is known yet");
  return std::nullopt;
}

// How long the lease is.
std::int64_t Checker::lease(const CallParts& parts, const Operation& operation) {
  const auto lease_us = constant_duration(parts.lease, "the time of a lease");
  if (operation.inverse.empty()) {
    report(
        Code::ModifierMismatch, parts.call,
        fmt::format("`lease` undoes what was done, and nothing is declared that undoes `{}`", operation.name))
        .note("operations with an inverse: " +
              operations_where([](const Operation& o) { return !o.inverse.empty(); }));
    return 0;
  }
  const Operation* const inverse = library_.operation(operation.connector, operation.inverse);
  const bool is_simple = inverse != nullptr && can_undo(operation, *inverse) &&
                         std::ranges::none_of(kept_parameters(operation, *inverse), [&](std::size_t i) {
                           return out_.types.is(inverse->parameters[i].type, TypeKind::Union);
                         });
  if (!is_simple) {
    report(Code::ModifierMismatch, parts.call,
           fmt::format("`{}` undoes `{}`, and needs more than what `{}` is given", operation.inverse,
                       operation.name, operation.name))
        .note("what undoes a leased call takes parameters of the same names and types, or with defaults");
    return 0;
  }
  if (lease_us && *lease_us <= 0)
    report(Code::InvalidLiteral, parts.lease, "a lease must have a length")
        .note("`0s` would undo at once what the call does");
  return lease_us.value_or(0);
}

// A call with how it is made: the type of its value.
TypeId Checker::modified_call(NodeId node) {
  const CallParts parts = call_parts(tree_, node);
  if (parts.kind != NodeKind::Call) return flow_call(node, parts);
  const TypeId type = expression(parts.call);
  const auto called = out_.calls.find(parts.call);
  const bool is_operation = called != out_.calls.end();
  if (!is_operation) {
    if (!is_error(type))
      report(Code::ModifierMismatch, parts.call,
             fmt::format("{} is no call of an operation, which is what {} stands with", quoted(parts.call),
                         parts.is_awaited ? "`await`" : "this"))
          .note("`retry`, `timeout`, `lease`, `within` and `await` say how an operation is called");
    return error_type();
  }
  const Operation& operation = library_.operations[called->second.operation];
  return check_modifiers(node, parts, operation, type);
}

TypeId Checker::check_modifiers(NodeId node, const CallParts& parts, const Operation& operation,
                                TypeId type) {
  CallOptions options;
  const auto some_time = [&](NodeId duration, const char* what) {
    const std::int64_t us = constant_duration(duration, what).value_or(1);
    if (us == 0) report(Code::InvalidLiteral, duration, fmt::format("{} must be more than nothing", what));
    return us;
  };
  if (parts.retry != kNoNode) {
    Diagnostics told;
    count(parts.retry, "the number of retries", 0);
    if (tree_.kind(parts.retry) == NodeKind::Int)
      options.retries = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(int_value(tree_, parts.retry, told), 0, kMostRetries));
    else if (!is_error(out_.type[parts.retry]))
      report(Code::NotConstant, parts.retry, "the number of retries must be written as a number");
  }
  if (parts.backoff != kNoNode) {
    const auto kids = tree_.kids(parts.backoff);
    options.backoff_min_us = constant_duration(kids[0], "the pause before a retry").value_or(0);
    options.backoff_max_us = options.backoff_min_us;
    if (kids.size() > 1)
      options.backoff_max_us = constant_duration(kids[1], "the longest pause before a retry").value_or(0);
    if (options.backoff_max_us < options.backoff_min_us)
      report(Code::InvalidLiteral, kids[1], "the longest pause is shorter than the first");
  }
  if (parts.timeout != kNoNode)
    options.timeout_us = constant_duration(parts.timeout, "the time for one attempt").value_or(0);
  if (parts.lease != kNoNode) options.lease_us = lease(parts, operation);
  if (parts.is_awaited && !operation.completes)
    report(Code::ModifierMismatch, parts.call,
           fmt::format("`await` waits for what a call began to end, and `{}` is done when it returns",
                       operation.name))
        .note("call it without `await`; operations to wait for: " +
              operations_where([](const Operation& o) { return o.completes.has_value(); }));
  options.is_awaited = parts.is_awaited;
  const bool is_answered = is_system(operation);  // by the runtime, which may wait for somebody
  if (parts.within != kNoNode) {
    options.await_within_us = some_time(parts.within, "how long is waited");
    if (!parts.is_awaited && !is_answered)
      report(Code::ModifierMismatch, parts.within,
             fmt::format("`within` says how long is waited, and `{}` is not waited for", operation.name))
          .note(operation.completes ? "write `await` before the call, or `timeout` for one attempt"
                                    : "for the time of one attempt write `timeout`");
  }
  out_.options.insert_or_assign(parts.call, options);
  if (parts.within != kNoNode || parts.is_awaited)
    if (FunctionEffects* here = effects()) here->waits = true;
  if (parts.otherwise == kNoNode || is_error(type)) {
    if (parts.otherwise != kNoNode) expression(parts.otherwise);
    return type;
  }
  const TypeId other = expression(parts.otherwise, type);
  if (is_error(other)) return other;
  check_answer_without_one(operation, parts.call, parts.otherwise);
  if (const TypeId both = either(type, other); both != kNoType && type != kNothingType) return both;
  report(Code::TypeMismatch, parts.otherwise,
         fmt::format("behind `else` stands what the call gives, `{}`, and {} is `{}`", type_name(type),
                     quoted(parts.otherwise), type_name(other)));
  static_cast<void>(node);
  return error_type();
}

// `respond status, body`: to the request that started the run.
void Checker::respond(NodeId node) {
  const NodeId status = tree_.kid(node, 0);
  expect(status, kIntType, "the status of an answer");
  Diagnostics told;  // by the parser
  const std::int64_t number = tree_.kind(status) == NodeKind::Int ? int_value(tree_, status, told) : 200;
  if (number < 200 || number > 599)
    report(Code::InvalidLiteral, status, fmt::format("{} is no status of an answer", quoted(status)))
        .note("a status is a number from 200 to 599");
  if (tree_.kids(node).size() > 1) json_part(tree_.kid(node, 1), "the body of an answer");
  note_system(node, "respond");
}

std::string Checker::operations_where(bool (*holds)(const Operation&)) const {
  std::vector<std::string> names;
  for (const Operation& operation : library_.operations)
    if (holds(operation)) names.push_back(operation.name);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

bool Checker::is_system(const Operation& operation) const {
  return operation.connector == "flow";
}

}  // namespace flow
