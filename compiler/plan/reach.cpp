#include "compiler/plan/reach.hpp"

#include "compiler/syntax/clauses.hpp"

namespace flow {
namespace {

class Reacher {
 public:
  Reacher(const Tree& tree, const Library& library, const CheckedFile& checked, const CheckedBody& body,
          const Reaches& known)
      : tree_(tree),
        library_(library),
        checked_(checked),
        known_(known),
        recipients_(tree, library, checked, body) {}

  void note(std::uint32_t operation, NodeId node) { made_.first_calls.try_emplace(operation, node); }

  void note_calls_in(NodeId node) {
    if (const auto call = checked_.calls.find(node); call != checked_.calls.end()) {
      note(call->second.operation, node);
      if (checked_.is_leased(node)) made_.leases.try_emplace(call->second.operation, node);
      recipients_.note_call(call->second, true);
    }
    if (const auto invoke = checked_.invokes.find(node); invoke != checked_.invokes.end()) {
      const Reach& function = known_.functions[invoke->second.function];
      add(function);
      made_.flows.insert(function.flows.begin(), function.flows.end());
      made_.leases.insert(function.leases.begin(), function.leases.end());
    }
    if (const auto run = checked_.flow_calls.find(node); run != checked_.flow_calls.end()) {
      note(operation_named(run->second.is_started ? "flow.start" : "flow.call"), node);
      made_.flows.try_emplace({run->second.flow, run->second.is_started}, node);
      add(known_.flows[run->second.flow]);
    }
    if (const auto called = checked_.system_calls.find(node); called != checked_.system_calls.end())
      note(called->second, node);
    if (tree_.kind(node) == NodeKind::Repeat && repeat_parts(tree_, node).within != kNoNode)
      note(operation_named("flow.now"), node);
    for (const NodeId kid : tree_.kids(node)) note_calls_in(kid);
  }

  std::uint32_t operation_named(const char* name) const {
    return library_.operation_names.find(name)->second;
  }

  Reach take() {
    made_.recipients = recipients_.take();
    return std::move(made_);
  }

 private:
  void add(const Reach& reach) {
    made_.first_calls.insert(reach.first_calls.begin(), reach.first_calls.end());
    recipients_.note_all(reach.recipients);
  }

  const Tree& tree_;
  const Library& library_;
  const CheckedFile& checked_;
  const Reaches& known_;
  Recipients recipients_;
  Reach made_;
};

}  // namespace

Reach reach_of_function(const Tree& tree, const Library& library, const CheckedFile& checked,
                        const CheckedFunction& function, const Reaches& known) {
  Reacher reacher(tree, library, checked, function, known);
  reacher.note_calls_in(function.body);
  return reacher.take();
}

Reach reach_of_flow(const Tree& tree, const Library& library, const CheckedFile& checked,
                    const CheckedFlow& flow, const Reaches& known) {
  Reacher reacher(tree, library, checked, flow, known);
  if (flow.once_key != kNoNode) reacher.note(reacher.operation_named("flow.once"), flow.once_key);
  for (const NodeId part : {flow.condition, flow.once_key, flow.once_window, flow.body, flow.handler})
    if (part != kNoNode) reacher.note_calls_in(part);
  return reacher.take();
}

}  // namespace flow
