#include "compiler/plan/call_order.hpp"

namespace flow {
namespace {

// Nodes lie in the order of their ends, so what is within one lies right before it.
NodeId first_within(const Tree& tree, NodeId node) {
  while (!tree.kids(node).empty()) node = tree.kid(node, 0);
  return node;
}

class Ordering {
 public:
  Ordering(const Tree& tree, const CheckedFile& checked, Through through)
      : tree_(tree), checked_(checked), through_(through) {
    states_.resize(checked.functions.size() + checked.flows.size(), State::New);
    made_.is_circular.resize(checked.functions.size());
  }

  void visit(Callee first) {
    if (state(first) != State::New) return;
    open(first, first.is_flow ? checked_.flows[first.index].node : checked_.functions[first.index].body);
    while (!path_.empty()) {
      Visit& at = path_.back();
      if (at.next == at.callees.size()) {
        state(at.callee) = State::Done;
        made_.callees.push_back(at.callee);
        path_.pop_back();
        continue;
      }
      const Callee callee = at.callees[at.next++];  // `at` is not valid any more when the path grows
      if (state(callee) == State::New)
        open(callee,
             callee.is_flow ? checked_.flows[callee.index].node : checked_.functions[callee.index].body);
      else if (state(callee) == State::Open && !callee.is_flow)
        close_circle(callee);
    }
  }

  std::vector<Callee> called_in(NodeId part) const {
    std::vector<Callee> callees;
    const NodeId first = first_within(tree_, part);
    for (auto at = checked_.invokes.lower_bound(first); at != checked_.invokes.end() && at->first <= part;
         ++at)
      callees.push_back({.is_flow = false, .index = at->second.function});
    if (through_ == Through::Functions) return callees;
    for (auto at = checked_.flow_calls.lower_bound(first);
         at != checked_.flow_calls.end() && at->first <= part; ++at)
      callees.push_back({.is_flow = true, .index = at->second.flow});
    return callees;
  }

  CallOrder take() { return std::move(made_); }

 private:
  enum class State : std::uint8_t { New, Open, Done };
  struct Visit {
    Callee callee;
    std::vector<Callee> callees;
    std::size_t next = 0;
  };

  State& state(Callee callee) {
    return states_[callee.is_flow ? checked_.functions.size() + callee.index : callee.index];
  }

  void open(Callee callee, NodeId part) {
    state(callee) = State::Open;
    path_.push_back({.callee = callee, .callees = called_in(part), .next = 0});
  }

  void close_circle(Callee function) {
    for (std::size_t i = path_.size(); i-- > 0;) {
      const Callee on_path = path_[i].callee;
      if (!on_path.is_flow) made_.is_circular[on_path.index] = true;
      if (on_path == function) return;
    }
  }

  const Tree& tree_;
  const CheckedFile& checked_;
  const Through through_;
  std::vector<State> states_;
  std::vector<Visit> path_;
  CallOrder made_;
};

}  // namespace

CallOrder call_order(const Tree& tree, const CheckedFile& checked) {
  Ordering ordering(tree, checked, Through::Flows);
  for (std::uint32_t i = 0; i < checked.functions.size(); ++i) ordering.visit({.is_flow = false, .index = i});
  for (std::uint32_t i = 0; i < checked.flows.size(); ++i) ordering.visit({.is_flow = true, .index = i});
  return ordering.take();
}

CallOrder calls_of(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow, Through through) {
  Ordering ordering(tree, checked, through);
  for (const Callee callee : ordering.called_in(flow.node)) ordering.visit(callee);
  return ordering.take();
}

}  // namespace flow
