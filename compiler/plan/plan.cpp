#include "compiler/plan/plan.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "compiler/check/protection.hpp"
#include "compiler/plan/call_order.hpp"
#include "compiler/plan/condition.hpp"
#include "compiler/plan/reach.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/literal.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {
namespace {

using Entities = std::uint32_t;  // a set of entities, one bit each

// What is surely there after an expression, by its truth; the same for values that are no Bool.
struct After {
  Entities when_true;
  Entities when_false;
};

class Planner {
 public:
  Planner(const Tree& tree, const Library& library, const CheckedFile& checked, const CheckedFlow& flow,
          const Bounds& bounds, const Reaches& reaches)
      : tree_(tree),
        checked_(checked),
        flow_(flow),
        library_(library),
        trigger_(checked.triggers[flow.trigger]),
        bounds_(bounds),
        reaches_(reaches),
        recipients_(tree, library, checked, flow) {}

  FlowPlan run() {
    Entities there = 0;
    if (flow_.condition != kNoNode) {
      plan_.condition_order = condition_order(tree_, checked_, flow_);
      plan_.poll_filter = poll_filter(tree_, checked_, flow_);
      place_ = PlannedFetch::Place::Condition;
      there = ordered_condition();
      place_ = PlannedFetch::Place::Body;
    }
    if (flow_.once_key != kNoNode) {
      place_ = PlannedFetch::Place::Condition;
      there = value(flow_.once_window, value(flow_.once_key, there));
      place_ = PlannedFetch::Place::Body;
      const auto once = library_.operation_names.find("flow.once");
      plan_.first_call.try_emplace(once->second, flow_.once_key);
    }
    if (flow_.is_value) {
      value(flow_.body, there);
    } else if (flow_.body != kNoNode) {
      statement(flow_.body, there);
    }
    if (flow_.handler != kNoNode) {
      ++branch_depth_;
      place_ = PlannedFetch::Place::Handler;
      statement(flow_.handler, 0);
      --branch_depth_;
    }
    plan_.calls = flow_bounds(tree_, library_, checked_, flow_, bounds_);
    plan_.recipients = recipients_.take();
    if (reads_what_was_before()) plan_.poll_filter.clear();
    for (const std::uint32_t entity : plan_.entities) need_argument(entity);
    for (const auto& [entity, fields] : reads_) {
      plan_.reads.emplace_back(trigger_.entities[entity].name, fields);
      note_expansion(entity, fields);
    }
    return std::move(plan_);
  }

 private:
  // ---- Fetches
  After both(Entities there) { return {there, there}; }

  Entities children(NodeId node, Entities there) {
    for (const NodeId kid : tree_.kids(node)) there = value(kid, there);
    return there;
  }
  Entities value(NodeId node, Entities there) {
    const After after = walk(node, there);
    return after.when_true & after.when_false;
  }

  After walk(NodeId node, Entities there) {
    note_meaning(node);
    switch (tree_.kind(node)) {
      case NodeKind::Ident: return both(use(node, there));
      case NodeKind::Paren: return walk(tree_.kid(node, 0), there);
      case NodeKind::Not: {
        const After after = walk(tree_.kid(node, 0), there);
        return {after.when_false, after.when_true};
      }
      case NodeKind::And: return chain(tree_.kids(node), there, true);
      case NodeKind::Or: return chain(tree_.kids(node), there, false);
      case NodeKind::IfExpr: {
        const After condition = walk(tree_.kid(node, 0), there);
        ++branch_depth_;
        const Entities a = value(tree_.kid(node, 1), condition.when_true);
        const Entities b = value(tree_.kid(node, 2), condition.when_false);
        --branch_depth_;
        return both(a & b);
      }
      case NodeKind::Coalesce: {
        const Entities after = value(tree_.kid(node, 0), there);
        ++branch_depth_;
        for (std::size_t i = 1; i < tree_.kids(node).size(); ++i) value(tree_.kid(node, i), after);
        --branch_depth_;
        return both(after);
      }
      case NodeKind::Field:
      case NodeKind::OptionalField:
        field_object_ = tree_.kid(node, 0);
        return both(value(field_object_, there));
      case NodeKind::Call: return both(call(node, there));
      case NodeKind::ForExpr: return both(loop(node, there));
      case NodeKind::MatchExpr: return both(match(node, there));
      // Where it may have failed, what was fetched within may not be there.
      case NodeKind::Attempt: children(node, there); return both(there);
      case NodeKind::ModifiedCall:
        if (call_parts(tree_, node).otherwise == kNoNode) return both(children(node, there));
        ++branch_depth_;
        children(node, there);
        --branch_depth_;
        return both(there);
      default: return both(children(node, there));
    }
  }

  After chain(std::span<const NodeId> operands, Entities there, bool is_and) {
    Entities on = there;  // all operands so far were what lets the next be evaluated
    Entities off = ~Entities{0};
    bool is_first = true;
    for (const NodeId operand : operands) {
      if (!is_first) ++branch_depth_;
      const After after = walk(operand, on);
      if (!is_first) --branch_depth_;
      is_first = false;
      off &= is_and ? after.when_false : after.when_true;
      on = is_and ? after.when_true : after.when_false;
    }
    return is_and ? After{on, off} : After{off, on};
  }

  // The conditions of `protect` that are asked before the call; what is there then, they may have to fetch.
  void ask_protections(NodeId node, const CheckedCall& call) {
    for (const auto& [operation, bound] : protection_bounds(tree_, library_, checked_, flow_, call))
      plan_.first_call.try_emplace(operation, node);
    ask_conditions(call.operation);
  }
  void ask_conditions(std::uint32_t operation) {
    for (const Protection& protection :
         protections_of(tree_, checked_, flow_, library_.operations[operation])) {
      ++branch_depth_;
      value(protection.condition, 0);
      --branch_depth_;
    }
  }
  Entities call(NodeId node, Entities there) {
    if (const auto method = checked_.methods.find(node); method != checked_.methods.end()) {
      if (method->second.receiver != kNoNode) there = value(method->second.receiver, there);
      const bool is_loop = method->second.has_lambda;
      branch_depth_ += is_loop;
      Entities after = there;
      for (const NodeId argument : method->second.arguments)
        if (argument != kNoNode) after = value(argument, after);
      branch_depth_ -= is_loop;
      return is_loop ? there : after;
    }
    if (const auto invoke = checked_.invokes.find(node); invoke != checked_.invokes.end()) {
      for (const NodeId argument : invoke->second.arguments)
        if (argument != kNoNode) there = value(argument, there);
      note_function(invoke->second.function);
      if (!flow_.protects.empty())
        for (const std::uint32_t operation : checked_.functions[invoke->second.function].effects.operations)
          ask_conditions(operation);
      return there;
    }
    if (const auto run = checked_.flow_calls.find(node); run != checked_.flow_calls.end()) {
      for (const NodeId argument : run->second.arguments) there = value(argument, there);
      note_run(node, run->second);
      return there;
    }
    const auto found = checked_.calls.find(node);
    if (found == checked_.calls.end()) return there;
    for (const NodeId argument : found->second.arguments)
      if (argument != kNoNode) there = value(argument, there);
    note_call(node, found->second);
    ask_protections(node, found->second);
    return there;
  }

  Entities use(NodeId node, Entities there) {
    const Meaning& meaning = checked_.meaning[node];
    if (meaning.kind == Meaning::Kind::Binding) plan_.bindings.insert(meaning.index);
    if (meaning.kind != Meaning::Kind::Entity && meaning.kind != Meaning::Kind::EntityField) return there;
    const Entities bit = Entities{1} << meaning.index;
    plan_.entities.insert(meaning.index);
    if ((there & bit) != 0) return there;
    plan_.ensure_before[node].push_back(meaning.index);
    const auto known = std::ranges::find(plan_.fetches, meaning.index, &PlannedFetch::entity);
    if (known == plan_.fetches.end())
      plan_.fetches.push_back({meaning.index, node, tree_.line(node), place_, branch_depth_ > 0});
    return there | bit;
  }

  void need_argument(std::uint32_t entity) {
    const auto binding =
        std::ranges::find(trigger_.bindings, trigger_.entities[entity].argument, &Trigger::Binding::name);
    if (binding != trigger_.bindings.end())
      plan_.bindings.insert(static_cast<std::uint32_t>(binding - trigger_.bindings.begin()));
  }

  Entities statement(NodeId node, Entities there) {
    switch (tree_.kind(node)) {
      case NodeKind::Block:
        for (const NodeId kid : tree_.kids(node)) there = statement(kid, there);
        return there;
      case NodeKind::If: {
        const After after = walk(tree_.kid(node, 0), there);
        ++branch_depth_;
        const Entities a = statement(tree_.kid(node, 1), after.when_true);
        const Entities b =
            tree_.kids(node).size() == 3 ? statement(tree_.kid(node, 2), after.when_false) : after.when_false;
        --branch_depth_;
        return a & b;
      }
      case NodeKind::For: return loop(node, there);
      case NodeKind::Match: return match(node, there);
      case NodeKind::Try: return guarded(node, there);
      case NodeKind::Repeat: return repeat(node, there);
      case NodeKind::Parallel:
      case NodeKind::ParallelAny: {
        const auto branches = tree_.kids(tree_.kid(node, 0));
        there = fetch_before(node, branches, there);
        for (const NodeId branch : branches) statement(branch, there);
        return there;
      }
      case NodeKind::Steps: {
        std::vector<NodeId> calls;
        for (const CheckedStep& step : checked_.steps.at(node).steps) calls.push_back(step.call);
        there = fetch_before(node, calls, there);
        ++branch_depth_;
        for (const NodeId call : calls) value(call, there);
        --branch_depth_;
        return there;
      }
      case NodeKind::Undo: {
        const NodeId body[] = {tree_.kid(node, 0)};
        there = fetch_before(node, body, there);
        ++branch_depth_;
        statement(body[0], there);
        --branch_depth_;
        return there;
      }
      case NodeKind::Wait:
      case NodeKind::WaitUntil: note_system(node); return children(node, there);
      case NodeKind::Let: recipients_.note_let(node); return value(tree_.kids(node).back(), there);
      case NodeKind::Var: return value(tree_.kids(node).back(), there);
      case NodeKind::Stop:
      case NodeKind::Fail: children(node, there); return ~Entities{0};  // nothing comes after
      default: return children(node, there);
    }
  }

  // The body may not come at all.
  Entities loop(NodeId node, Entities there) {
    const LoopParts parts = loop_parts(tree_, node);
    there = value(parts.list, there);
    for (const NodeId clause : parts.clauses) there = children(clause, there);
    const NodeId bodies[] = {parts.body};
    if (parts.at_once != kNoNode) there = fetch_before(node, bodies, there);
    ++branch_depth_;
    statement(parts.body, there);
    --branch_depth_;
    return there;
  }

  // Which arm it is, is not known.
  Entities match(NodeId node, Entities there) {
    there = value(tree_.kid(node, 0), there);
    Entities all = ~Entities{0};
    ++branch_depth_;
    for (const NodeId arm : tree_.kids(node).subspan(1)) {
      const NodeId body = tree_.kids(arm).back();
      all &= tree_.kind(body) == NodeKind::Block && tree_.kind(node) == NodeKind::Match
                 ? statement(body, there)
                 : value(body, there);
    }
    --branch_depth_;
    return all & there;
  }

  // Nothing that is fetched within is there for sure behind it, or where an error is handled.
  Entities guarded(NodeId node, Entities there) {
    const TryParts parts = try_parts(tree_, node);
    statement(parts.body, there);
    ++branch_depth_;
    for (const NodeId clause : parts.catches) statement(tree_.find(clause, NodeKind::Block), there);
    --branch_depth_;
    if (parts.finally != kNoNode) statement(parts.finally, there);
    return there;
  }

  // The body comes at least once.
  Entities repeat(NodeId node, Entities there) {
    const RepeatParts parts = repeat_parts(tree_, node);
    for (const NodeId clause : {parts.every, parts.within, parts.times})
      if (clause != kNoNode) there = value(clause, there);
    note_system(node);
    if (parts.within != kNoNode) note_first(operation_now(), node);
    there = statement(parts.body, there);
    if (parts.until != kNoNode) there = value(parts.until, there);
    if (parts.otherwise == kNoNode) return there;
    ++branch_depth_;
    statement(parts.otherwise, there);
    --branch_depth_;
    return there;
  }

  // Branches share nothing that they fetch, so what they use is fetched before they begin.
  Entities fetch_before(NodeId node, std::span<const NodeId> bodies, Entities there) {
    for (const NodeId body : bodies) there = fetch_all_of(node, body, there);
    return there;
  }

  Entities fetch_one(NodeId place, NodeId node, std::uint32_t entity, Entities there) {
    const Entities bit = Entities{1} << entity;
    plan_.entities.insert(entity);
    if ((there & bit) == 0) {
      plan_.ensure_before[place].push_back(entity);
      if (std::ranges::find(plan_.fetches, entity, &PlannedFetch::entity) == plan_.fetches.end())
        plan_.fetches.push_back({entity, node, tree_.line(node), place_, branch_depth_ > 0});
    }
    return there | bit;
  }

  // What is asked before the calls of a branch, except of targets that only the run knows.
  Entities fetch_for_protections(NodeId place, NodeId node, Entities there) {
    if (const auto invoke = checked_.invokes.find(node); invoke != checked_.invokes.end())
      for (const std::uint32_t entity : needed_before(tree_, library_, checked_, flow_, invoke->second))
        there = fetch_one(place, node, entity, there);
    const auto call = checked_.calls.find(node);
    if (call == checked_.calls.end()) return there;
    const Operation& operation = library_.operations[call->second.operation];
    for (const Protection& protection : protections_of(tree_, checked_, flow_, operation)) {
      for (const std::uint32_t entity : needs_of(tree_, checked_, flow_, protection).other_entities)
        there = fetch_one(place, node, entity, there);
      if (protection.subject && is_of_trigger(tree_, checked_, trigger_, *protection.subject,
                                              call->second.arguments[*target_parameter(operation)]))
        there = fetch_one(place, node, *protection.subject, there);
    }
    return there;
  }

  Entities fetch_all_of(NodeId place, NodeId node, Entities there) {
    if (!flow_.protects.empty()) there = fetch_for_protections(place, node, there);
    const Meaning& meaning = checked_.meaning[node];
    if (meaning.kind == Meaning::Kind::Entity || meaning.kind == Meaning::Kind::EntityField) {
      there = fetch_one(place, node, meaning.index, there);
    }
    for (const NodeId kid : tree_.kids(node)) there = fetch_all_of(place, kid, there);
    return there;
  }

  // ---- The condition
  Entities ordered_condition() {
    const std::span<const NodeId> order = plan_.condition_order.empty()
                                              ? condition_operands(tree_, flow_)
                                              : std::span<const NodeId>(plan_.condition_order);
    return order.size() == 1 ? walk(order[0], 0).when_true : chain(order, 0, true).when_true;
  }

  // ---- Counts, reads, what leaves
  void note_meaning(NodeId node) {
    const Meaning& meaning = checked_.meaning[node];
    if (meaning.kind == Meaning::Kind::EntityField) {
      const RecordType& record = checked_.types.record(trigger_.entities[meaning.index].type);
      reads_[meaning.index].insert(record.fields[meaning.field].name);
    } else if (meaning.kind == Meaning::Kind::RecordField) {
      const Meaning& object = checked_.meaning[tree_.kid(node, 0)];
      if (object.kind == Meaning::Kind::Entity)
        reads_[object.index].insert(checked_.types.record(meaning.type).fields[meaning.field].name);
    } else if (meaning.kind == Meaning::Kind::Entity) {
      std::set<std::string>& fields = reads_[meaning.index];
      if (node == field_object_) return;
      // Given a name, or to a function: whatever is read of such records anywhere may be read of it.
      const TypeId type = trigger_.entities[meaning.index].type;
      for (auto at = checked_.fields_read.lower_bound({type, 0});
           at != checked_.fields_read.end() && at->first == type; ++at)
        fields.insert(checked_.types.record(type).fields[at->second].name);
    }
  }

  // What was before is what the poll brought then: it must bring each state of what is polled, also those
  // that the condition does not want, and all of it that is read.
  bool reads_what_was_before() {
    for (const std::uint32_t index : plan_.bindings) {
      const Trigger::Binding& binding = trigger_.bindings[index];
      if (binding.wire != "previous" || trigger_.entities.empty()) continue;
      const TypeId type = trigger_.entities[0].type;
      std::set<std::string> fields;
      for (auto at = checked_.fields_read.lower_bound({type, 0});
           at != checked_.fields_read.end() && at->first == type; ++at)
        fields.insert(checked_.types.record(type).fields[at->second].name);
      note_expansion(0, fields);
      return true;
    }
    return false;
  }

  void note_expansion(std::uint32_t entity, const std::set<std::string>& fields) {
    const RecordType& record = checked_.types.record(trigger_.entities[entity].type);
    for (const std::string& name : fields) {
      const std::string& wire = record.fields[*record.field(name)].wire;
      const auto& expandable = trigger_.entities[entity].expand_only;
      const bool is_wanted = entity == 0 && std::ranges::find(expandable, wire) != expandable.end();
      if (is_wanted && std::ranges::find(plan_.poll_expand, wire) == plan_.poll_expand.end())
        plan_.poll_expand.push_back(wire);
    }
  }

  void note_call(NodeId node, const CheckedCall& call) {
    plan_.first_call.try_emplace(call.operation, node);
    if (checked_.is_leased(node)) plan_.leases.try_emplace(call.operation, node);
    recipients_.note_call(call, false);
  }

  void note_first(std::uint32_t operation, NodeId node) { plan_.first_call.try_emplace(operation, node); }

  void note_system(NodeId node) {
    if (const auto called = checked_.system_calls.find(node); called != checked_.system_calls.end())
      note_first(called->second, node);
  }

  std::uint32_t operation_now() const { return library_.operation_names.find("flow.now")->second; }

  void note_function(std::uint32_t function) {
    const Reach& reach = reaches_.functions[function];
    add(reach);
    plan_.flows.insert(reach.flows.begin(), reach.flows.end());
    plan_.leases.insert(reach.leases.begin(), reach.leases.end());
  }

  // A run of another flow: what that calls is called for this one.
  void note_run(NodeId node, const CheckedFlowCall& run) {
    note_first(library_.operation_names.find(run.is_started ? "flow.start" : "flow.call")->second, node);
    plan_.flows.try_emplace({run.flow, run.is_started}, node);
    add(reaches_.flows[run.flow]);
  }

  void add(const Reach& reach) {
    plan_.first_call.insert(reach.first_calls.begin(), reach.first_calls.end());
    recipients_.note_all(reach.recipients);
  }

  const Tree& tree_;
  const CheckedFile& checked_;
  const CheckedFlow& flow_;
  const Library& library_;
  const Trigger& trigger_;
  const Bounds& bounds_;
  const Reaches& reaches_;
  Recipients recipients_;
  FlowPlan plan_;
  std::map<std::uint32_t, std::set<std::string>> reads_;
  int branch_depth_ = 0;
  NodeId field_object_ = kNoNode;  // of the field that is looked at
  PlannedFetch::Place place_ = PlannedFetch::Place::Body;
};

}  // namespace

std::vector<FlowPlan> plan(const Tree& tree, const Library& library, const CheckedFile& checked) {
  std::vector<FlowPlan> plans(checked.flows.size());
  Bounds bounds{.functions = std::vector<CallBounds>(checked.functions.size()),
                .flows = std::vector<CallBounds>(checked.flows.size())};
  Reaches reaches{.functions = std::vector<Reach>(checked.functions.size()),
                  .flows = std::vector<Reach>(checked.flows.size())};
  const CallOrder order = call_order(tree, checked);
  for (const auto [is_flow, index] : order.callees) {
    if (!is_flow) {
      bounds.functions[index] =
          function_bounds(tree, library, checked, index, order.is_circular[index], nullptr, bounds);
      reaches.functions[index] = reach_of_function(tree, library, checked, checked.functions[index], reaches);
      continue;
    }
    const CheckedFlow& flow = checked.flows[index];
    ReplacedBounds unprotected;
    if (!flow.protects.empty()) unprotected = protect_bounds(tree, library, checked, flow, bounds);
    plans[index] = Planner(tree, library, checked, flow, bounds, reaches).run();
    for (auto& [function, bound] : unprotected) bounds.functions[function] = std::move(bound);
    bounds.flows[index] = plans[index].calls;
    reaches.flows[index] = reach_of_flow(tree, library, checked, flow, reaches);
  }
  return plans;
}

}  // namespace flow
