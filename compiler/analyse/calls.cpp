#include "compiler/analyse/calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/syntax/loop.hpp"

namespace flow {
namespace {

NodeId callee(const Tree& tree, NodeId call) {
  return tree.kids(call).empty() ? call : tree.kid(call, 0);
}

// ---- Bounds

NodeId list_of(const Tree& tree, NodeId loop) {
  const NodeKind kind = tree.kind(loop);
  if (kind == NodeKind::For || kind == NodeKind::ForExpr) return loop_parts(tree, loop).list;
  return kNoNode;
}

void report_unbounded(const Tree& tree, const Operation& operation, NodeId call, NodeId loop,
                      Diagnostics& diagnostics) {
  Diagnostic& d = diagnostics.report(
      Code::UnboundedCalls, tree.file, tree.span(callee(tree, call)),
      fmt::format("`{}` acts, and nothing says how often a run may call it", operation.name));
  d.note(fmt::format("a policy bounds it too, for all runs: `limit {} to 100 per 1h` before `do`",
                     operation.name));
  if (loop == kNoNode) return;
  const NodeId list = list_of(tree, loop);
  if (list == kNoNode) {
    d.label(tree.span(loop), "this may repeat it any number of times");
    return;
  }
  d.label(tree.span(list), "this list may have any number of items");
  const std::uint32_t end = tree.span(list).end;
  const bool is_loop = tree.kind(loop) == NodeKind::For || tree.kind(loop) == NodeKind::ForExpr;
  if (is_loop) d.fix({end, end}, " limit 100", "say how many at most: `limit 100`");
}

// ---- Quotas and policies

bool is_guarded(const Tree& tree, NodeId flow) {
  return std::ranges::any_of(tree.kids(flow), [&](NodeId kid) {
    const NodeKind kind = tree.kind(kid);
    return kind == NodeKind::OncePer || kind == NodeKind::LimitPolicy || kind == NodeKind::Protect ||
           kind == NodeKind::Within;
  });
}

// A call with `lease` that the operation undoes.
NodeId leased_call(const Library& library, const FlowPlan& plan, const Operation& undoing) {
  for (const auto& [index, node] : plan.leases) {
    const Operation& leased = library.operations[index];
    if (leased.connector == undoing.connector && leased.inverse == undoing.name) return node;
  }
  return kNoNode;
}

struct Load {
  std::uint64_t calls = 0;
  std::uint64_t most = 0;  // of the operation with most calls
  NodeId first = kNoNode;  // where that one is called
  const Quota* quota = nullptr;
};

void report_load(const Tree& tree, const std::string& group, const Load& load, Diagnostics& diagnostics) {
  const Quota& quota = *load.quota;
  const bool beats_minute = quota.per_minute > 0 && load.calls > quota.per_minute;
  const bool beats_hour = quota.per_hour > 0 && load.calls > quota.per_hour;
  if (!beats_minute && !beats_hour) return;
  diagnostics
      .report(
          Code::QuotaExceeded, tree.file, tree.span(callee(tree, load.first)),
          fmt::format("one run can make {} calls, and the quota `{}` allows {} {}", load.calls, group,
                      beats_hour ? quota.per_hour : quota.per_minute, beats_hour ? "an hour" : "a minute"))
      .note(beats_hour ? "the run would take more than an hour, and all other flows would wait for it"
                       : "the run would take more than a minute, and all other flows would wait for it")
      .note("call for fewer items, as by `list.take(50)`");
}

}  // namespace

void analyse_calls(const Tree& tree, const Library& library, const CheckedFile& checked,
                   const CheckedFlow& flow, const FlowPlan& plan, const AnalyseOptions& options,
                   Diagnostics& diagnostics) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  std::map<std::string, Load> loads;
  const auto first_call = [&](std::uint32_t operation) {
    if (const auto at = plan.first_call.find(operation); at != plan.first_call.end()) return at->second;
    // In a function.
    for (const auto& [node, call] : checked.calls)
      if (call.operation == operation) return node;
    return flow.node;
  };
  const auto add = [&](const Operation& operation, std::uint32_t times, NodeId node) {
    for (const Route& route : operation.routes) {
      if (times == 0 || (route.quota.per_minute == 0 && route.quota.per_hour == 0)) continue;
      Load& load = loads[route.quota.group];
      load.quota = &route.quota;
      load.calls += std::uint64_t{times} * route.pages.limit;
      if (times > load.most || load.first == kNoNode) load.most = times, load.first = node;
      break;  // the configuration chooses one
    }
  };
  for (const PlannedFetch& fetch : plan.fetches)
    if (const Operation* operation =
            library.operation(trigger.connector, trigger.entities[fetch.entity].operation))
      add(*operation, 1, fetch.first_use);
  for (const auto& [index, bound] : plan.calls) {
    const Operation& operation = library.operations[index];
    // What only ends leases comes as often as they are taken, of which is told there.
    if (const NodeId leased = leased_call(library, plan, operation);
        leased != kNoNode && !plan.first_call.contains(index)) {
      if (bound.times != kAnyNumber) add(operation, bound.times, leased);
      continue;
    }
    const NodeId node = first_call(index);
    if (bound.times == kAnyNumber) {
      const bool is_limited = std::ranges::any_of(
          flow.policies.limits,
          [called = index](const Policies::Limit& limit) { return limit.operation == called; });
      if (operation.effect == Effect::Act && !is_limited)
        report_unbounded(tree, operation, node, bound.loop, diagnostics);
      continue;
    }
    add(operation, bound.times, node);
    if (options.strict && !is_guarded(tree, flow.node) && operation.effect == Effect::Act && bound.times > 0)
      diagnostics
          .report(Code::NoGuardrail, tree.file, tree.span(callee(tree, node)),
                  fmt::format("`{}` acts, and no policy of this flow bounds what it does", operation.name))
          .note("policies that do: `once per`, `limit`, `protect`, `within`");
  }
  for (const auto& [group, load] : loads) report_load(tree, group, load, diagnostics);
}

void report_retiring(const Tree& tree, const Library& library, const CheckedFile& checked,
                     const AnalyseOptions& options, Diagnostics& diagnostics) {
  for (const auto& [node, call] : checked.calls) {
    const Operation& operation = library.operations[call.operation];
    if (operation.retires.empty()) continue;
    const bool is_over = !options.today.empty() && operation.retires <= options.today;
    Diagnostic& d =
        is_over ? diagnostics.report(
                      Code::Retired, tree.file, tree.span(callee(tree, node)),
                      fmt::format("`{}` was retired by its vendor on {}", operation.name, operation.retires))
                : diagnostics.report(
                      Code::Retiring, tree.file, tree.span(callee(tree, node)),
                      fmt::format("`{}` is retired by its vendor on {}", operation.name, operation.retires));
    if (!operation.replacement.empty()) d.note(fmt::format("`{}` takes its place", operation.replacement));
    if (!operation.source.empty()) d.note("documented at " + operation.source);
  }
}

}  // namespace flow
