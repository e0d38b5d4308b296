#include "compiler/plan/bounds.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "compiler/check/protection.hpp"
#include "compiler/plan/call_order.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/literal.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {
namespace {

class Counter {
 public:
  Counter(const Tree& tree, const Library& library, const CheckedFile& checked, const CheckedBody& body,
          const CheckedFlow* flow, const Bounds& known)
      : tree_(tree), library_(library), checked_(checked), body_(body), flow_(flow), known_(known) {}

  CallBounds of(NodeId node) {
    if (tree_.kind(node) == NodeKind::Repeat) return repeat(node);
    CallBounds counts = parts_of(node);
    if (const auto called = checked_.system_calls.find(node); called != checked_.system_calls.end())
      add(counts, once(called->second));
    return counts;
  }

 private:
  CallBounds parts_of(NodeId node) {
    const auto kids = tree_.kids(node);
    switch (tree_.kind(node)) {
      case NodeKind::Block: return block(kids);
      case NodeKind::If:
      case NodeKind::IfExpr: {
        CallBounds most = of(kids[1]);
        if (kids.size() == 3) raise(most, of(kids[2]));
        CallBounds counts = of(kids[0]);
        add(counts, most);
        return counts;
      }
      case NodeKind::For:
      case NodeKind::ForExpr: {
        const LoopParts parts = loop_parts(tree_, node);
        CallBounds counts = of(parts.list);
        std::uint32_t times = length_of(parts.list);
        for (const NodeId clause : parts.clauses) add(counts, of(clause));
        if (parts.limit != kNoNode)
          if (const auto limit = number(parts.limit))
            times = static_cast<std::uint32_t>(std::clamp<std::int64_t>(*limit, 0, times));
        add(counts, of(parts.body), times, node);
        return counts;
      }
      case NodeKind::Match:
      case NodeKind::MatchExpr: {
        CallBounds most;
        for (const NodeId arm : kids.subspan(1)) raise(most, of(arm));
        CallBounds counts = of(kids[0]);
        add(counts, most);
        return counts;
      }
      case NodeKind::Try: return guarded(node);
      case NodeKind::Parallel:  // a branch that ends does not keep the others from going on
      case NodeKind::ParallelAny: return sum(tree_.kids(kids[0]));
      case NodeKind::Call: return call(node);
      case NodeKind::Let:
        if (const Meaning& name = checked_.meaning[kids[0]]; name.kind == Meaning::Kind::Local)
          lengths_.insert_or_assign(name.index, length_of(kids.back()));
        return sum(kids);
      // Each of their parts comes at most once.
      case NodeKind::Var:
      case NodeKind::Assign:
      case NodeKind::Yield:
      case NodeKind::Return:
      case NodeKind::ExprStatement:
      case NodeKind::Log:
      case NodeKind::Stop:
      case NodeKind::Fail:
      case NodeKind::Text:
      case NodeKind::TextBlock:
      case NodeKind::Html:
      case NodeKind::Kql:
      case NodeKind::List:
      case NodeKind::Record:
      case NodeKind::Construct:
      case NodeKind::Entry:
      case NodeKind::Key:
      case NodeKind::Paren:
      case NodeKind::Field:
      case NodeKind::OptionalField:
      case NodeKind::Index:
      case NodeKind::NamedArgument:
      case NodeKind::Lambda:
      case NodeKind::Or:
      case NodeKind::And:
      case NodeKind::Not:
      case NodeKind::Compare:
      case NodeKind::Coalesce:
      case NodeKind::Sum:
      case NodeKind::Product:
      case NodeKind::Negate:
      case NodeKind::As:
      case NodeKind::MatchArm:
      case NodeKind::Catch:
      case NodeKind::Finally:
      case NodeKind::Steps:
      case NodeKind::Step:
      case NodeKind::Undo:
      case NodeKind::Wait:
      case NodeKind::WaitUntil:
      case NodeKind::Respond:
      case NodeKind::Await:
      case NodeKind::Attempt:
      case NodeKind::CallFlow:
      case NodeKind::StartFlow:
      case NodeKind::ModifiedCall:  // what the runtime repeats after an error is not counted
      case NodeKind::Retry:
      case NodeKind::Backoff:
      case NodeKind::Timeout:
      case NodeKind::Lease:
      case NodeKind::Within:
      case NodeKind::Else:
      case NodeKind::AtOnce:
      case NodeKind::OnErrorCollect:
      case NodeKind::OnErrorStop:
      case NodeKind::LoopLimit: return sum(kids);
      default: {  // whatever this is, it may come again and again
        CallBounds counts;
        add(counts, sum(kids), kAnyNumber, node);
        return counts;
      }
    }
  }

  static CallBounds once(std::uint32_t operation) { return {{operation, {.times = 1, .loop = kNoNode}}}; }

  static std::uint32_t product(std::uint32_t a, std::uint32_t b) {
    if (a == 0 || b == 0) return 0;
    const std::uint64_t exact = std::uint64_t{a} * b;
    return a == kAnyNumber || b == kAnyNumber || exact >= kAnyNumber ? kAnyNumber
                                                                     : static_cast<std::uint32_t>(exact);
  }

  static void add(CallBounds& into, const CallBounds& more, std::uint32_t times = 1, NodeId loop = kNoNode) {
    for (const auto& [operation, bound] : more) {
      CallBound& total = into[operation];
      const std::uint32_t here = product(bound.times, times);
      const std::uint64_t exact = std::uint64_t{total.times} + here;
      total.times = static_cast<std::uint32_t>(std::min<std::uint64_t>(exact, kAnyNumber));
      if (total.times == kAnyNumber && total.loop == kNoNode)
        total.loop = bound.loop != kNoNode ? bound.loop : loop;
    }
  }

  // The greater one of each.
  static void raise(CallBounds& into, const CallBounds& other) {
    for (const auto& [operation, bound] : other) {
      CallBound& most = into[operation];
      if (bound.times > most.times) most = bound;
    }
  }

  CallBounds sum(std::span<const NodeId> nodes) {
    CallBounds counts;
    for (const NodeId node : nodes) add(counts, of(node));
    return counts;
  }

  // From the end: what follows an `if` that ends the run comes only when its block does not.
  CallBounds block(std::span<const NodeId> statements) {
    std::vector<CallBounds> counts;  // in order, since names are given before they are used
    std::vector<CallBounds> conditions(statements.size());
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (leaves_early(statements[i])) {
        conditions[i] = of(tree_.kid(statements[i], 0));
        counts.push_back(of(tree_.kid(statements[i], 1)));
      } else {
        counts.push_back(of(statements[i]));
      }
    }
    CallBounds rest;
    for (std::size_t i = statements.size(); i-- > 0;) {
      if (leaves_early(statements[i])) {
        raise(rest, counts[i]);
        add(rest, conditions[i]);
      } else {
        add(rest, counts[i]);
      }
    }
    return rest;
  }

  bool leaves_early(NodeId node) const {
    return tree_.kind(node) == NodeKind::If && tree_.kids(node).size() == 2 && ends(tree_.kid(node, 1));
  }

  bool ends(NodeId node) const {
    switch (tree_.kind(node)) {
      case NodeKind::Stop:
      case NodeKind::Fail:
      case NodeKind::Return: return true;
      case NodeKind::Block:
        return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return ends(kid); });
      default: return false;
    }
  }

  // The body, the test behind `until` and the wait come each time, the `else` once.
  CallBounds repeat(NodeId node) {
    const RepeatParts parts = repeat_parts(tree_, node);
    CallBounds counts, turn = of(parts.body);
    for (const NodeId clause : {parts.every, parts.within, parts.times})
      if (clause != kNoNode) add(counts, of(clause));
    if (parts.until != kNoNode) add(turn, of(parts.until));
    if (const auto wait = checked_.system_calls.find(node); wait != checked_.system_calls.end())
      add(turn, once(wait->second));
    if (parts.within != kNoNode) {  // the time is asked at the beginning and at each turn
      const std::uint32_t now = library_.operation_names.find("flow.now")->second;
      add(turn, once(now));
      add(counts, once(now));
    }
    add(counts, turn, turns_of(parts), node);
    if (parts.otherwise != kNoNode) add(counts, of(parts.otherwise));
    return counts;
  }

  std::uint32_t turns_of(const RepeatParts& parts) const {
    std::uint32_t turns = kAnyNumber;
    if (parts.times != kNoNode)
      if (const auto most = number(parts.times))
        turns = static_cast<std::uint32_t>(std::clamp<std::int64_t>(*most, 1, kAnyNumber));
    const std::int64_t within = constant_us(parts.within), every = constant_us(parts.every);
    if (within < 0 || every <= 0) return turns;
    return static_cast<std::uint32_t>(std::min<std::int64_t>(turns, within / every + 1));
  }

  std::int64_t constant_us(NodeId node) const {
    Diagnostics told;  // by the checker
    if (node == kNoNode || tree_.kind(node) != NodeKind::Duration) return -1;
    return duration_value_us(tree_, node, told);
  }

  // One of the `catch` blocks at most.
  CallBounds guarded(NodeId node) {
    const TryParts parts = try_parts(tree_, node);
    CallBounds most;
    for (const NodeId clause : parts.catches) raise(most, of(clause));
    CallBounds counts = of(parts.body);
    add(counts, most);
    if (parts.finally != kNoNode) add(counts, of(parts.finally));
    return counts;
  }

  CallBounds call(NodeId node) {
    if (const auto method = checked_.methods.find(node);
        method != checked_.methods.end() && method->second.has_lambda) {
      CallBounds counts = of(method->second.receiver);
      const std::uint32_t times = length_of(method->second.receiver);
      for (const NodeId kid : tree_.kids(node).subspan(1)) {
        const bool is_named = tree_.kind(kid) == NodeKind::NamedArgument;
        const NodeId argument = is_named ? tree_.kid(kid, 1) : kid;
        if (tree_.kind(argument) == NodeKind::Lambda)
          add(counts, of(tree_.kids(argument).back()), times, node);
        else if (argument != method->second.receiver)
          add(counts, of(argument));
      }
      return counts;
    }
    CallBounds counts = sum(tree_.kids(node));
    if (const auto call = checked_.calls.find(node); call != checked_.calls.end()) {
      add(counts, once(call->second.operation));
      add(counts, at_end_of_lease(node, library_.operations[call->second.operation]));
      if (flow_ != nullptr) add(counts, asked_before(call->second));
    }
    if (const auto invoke = checked_.invokes.find(node); invoke != checked_.invokes.end())
      add(counts, known_.functions[invoke->second.function]);
    if (const auto run = checked_.flow_calls.find(node); run != checked_.flow_calls.end()) {
      const char* const operation = run->second.is_started ? "flow.start" : "flow.call";
      add(counts, once(library_.operation_names.find(operation)->second));
      add(counts, known_.flows[run->second.flow]);
    }
    return counts;
  }

  // What a leased call leads to, in a run of its own.
  CallBounds at_end_of_lease(NodeId node, const Operation& operation) const {
    if (!checked_.is_leased(node)) return {};
    const auto inverse = library_.operation_names.find(operation.connector + "." + operation.inverse);
    return inverse == library_.operation_names.end() ? CallBounds{} : once(inverse->second);
  }

  // The fetches for the conditions of `protect`, and what the conditions call.
  CallBounds asked_before(const CheckedCall& call) {
    CallBounds counts = protection_bounds(tree_, library_, checked_, *flow_, call);
    for (const Protection& protection :
         protections_of(tree_, checked_, *flow_, library_.operations[call.operation]))
      add(counts, Counter(tree_, library_, checked_, *flow_, nullptr, known_).of(protection.condition));
    return counts;
  }

  // How many items a list can have: known where it is written in place or cut, and of `range` with numbers.
  std::uint32_t length_of(NodeId list) const {
    switch (tree_.kind(list)) {
      case NodeKind::Paren: return length_of(tree_.kid(list, 0));
      case NodeKind::List: return static_cast<std::uint32_t>(tree_.kids(list).size());
      case NodeKind::IfExpr: return std::max(length_of(tree_.kid(list, 1)), length_of(tree_.kid(list, 2)));
      case NodeKind::Ident: {
        const Meaning& name = checked_.meaning[list];
        if (name.kind != Meaning::Kind::Local || body_.locals[name.index].is_var) return kAnyNumber;
        const auto known = lengths_.find(name.index);
        return known == lengths_.end() ? kAnyNumber : known->second;
      }
      case NodeKind::Call: return length_of_call(list);
      default: return kAnyNumber;
    }
  }

  std::uint32_t length_of_call(NodeId node) const {
    const auto found = checked_.methods.find(node);
    if (found == checked_.methods.end()) return kAnyNumber;
    const CheckedMethod& method = found->second;
    switch (method.kind) {
      case CheckedMethod::Kind::Range: {
        const auto begin =
            method.arguments.size() == 2 ? number(method.arguments[0]) : std::optional(std::int64_t{0});
        const auto end = number(method.arguments.back());
        if (!begin || !end) return kAnyNumber;
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*end - *begin, 0, kAnyNumber));
      }
      case CheckedMethod::Kind::ListTake: {
        const std::uint32_t most = length_of(method.receiver);
        const auto taken = number(method.arguments[0]);
        if (!taken) return most;
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*taken, 0, most));
      }
      // None of these has more items than what it is made of.
      case CheckedMethod::Kind::ListMap:
      case CheckedMethod::Kind::ListFilter:
      case CheckedMethod::Kind::ListSort:
      case CheckedMethod::Kind::ListSortBy:
      case CheckedMethod::Kind::ListDistinct:
      case CheckedMethod::Kind::ListSkip:
      case CheckedMethod::Kind::ListReverse: return length_of(method.receiver);
      default: return kAnyNumber;
    }
  }

  // A number in the text; counts are small, so greater ones need not be told apart.
  std::optional<std::int64_t> number(NodeId node) const {
    if (tree_.kind(node) != NodeKind::Int) return std::nullopt;
    Diagnostics told;  // by the checker
    return std::min<std::int64_t>(int_value(tree_, node, told), std::int64_t{1} << 40);
  }

  const Tree& tree_;
  const Library& library_;
  const CheckedFile& checked_;
  const CheckedBody& body_;
  const CheckedFlow* flow_;  // whose calls are counted, in it or in functions; or null
  const Bounds& known_;
  std::map<std::uint32_t, std::uint32_t> lengths_;  // of lists that `let` named
};

}  // namespace

CallBounds protection_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                             const CheckedFlow& flow, const CheckedCall& call) {
  CallBounds counts;
  const Trigger& trigger = checked.triggers[flow.trigger];
  const Operation& operation = library.operations[call.operation];
  std::set<std::uint32_t> subjects;  // what one condition has asked about the next need not fetch
  for (const Protection& protection : protections_of(tree, checked, flow, operation)) {
    // The first that holds refuses the call, and that is noted.
    counts[library.operation_names.at("flow.refuse")].times = 1;
    if (!protection.subject || subjects.contains(*protection.subject) ||
        is_of_trigger(tree, checked, trigger, *protection.subject,
                      call.arguments[*target_parameter(operation)]))
      continue;
    subjects.insert(*protection.subject);
    const std::string name = trigger.connector + "." + trigger.entities[*protection.subject].operation;
    counts[library.operation_names.find(name)->second].times += 1;
  }
  return counts;
}

CallBounds function_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                           std::uint32_t index, bool is_circular, const CheckedFlow* flow,
                           const Bounds& known) {
  const CheckedFunction& function = checked.functions[index];
  CallBounds bounds = Counter(tree, library, checked, function, flow, known).of(function.body);
  if (is_circular)
    for (auto& [operation, bound] : bounds)
      bound = {.times = kAnyNumber, .loop = bound.loop != kNoNode ? bound.loop : function.node};
  return bounds;
}

ReplacedBounds protect_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                              const CheckedFlow& flow, Bounds& bounds) {
  ReplacedBounds replaced;
  const CallOrder order = calls_of(tree, checked, flow, Through::Functions);
  for (const Callee callee : order.callees)
    replaced.emplace(callee.index, std::exchange(bounds.functions[callee.index], {}));
  for (const Callee callee : order.callees)
    bounds.functions[callee.index] =
        function_bounds(tree, library, checked, callee.index, order.is_circular[callee.index], &flow, bounds);
  return replaced;
}

CallBounds flow_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const Bounds& known) {
  Counter counter(tree, library, checked, flow, &flow, known);
  CallBounds total;
  if (flow.once_key != kNoNode) total[library.operation_names.find("flow.once")->second].times = 1;
  for (const NodeId part : {flow.condition, flow.once_key, flow.once_window, flow.body, flow.handler}) {
    if (part == kNoNode) continue;
    for (const auto& [operation, bound] : counter.of(part)) {
      CallBound& sum = total[operation];
      const std::uint64_t exact = std::uint64_t{sum.times} + bound.times;
      sum.times = static_cast<std::uint32_t>(std::min<std::uint64_t>(exact, kAnyNumber));
      if (sum.loop == kNoNode) sum.loop = bound.loop;
    }
  }
  return total;
}

}  // namespace flow
