#include "compiler/check/check.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/file_name.hpp"

namespace flow {

Checker::Checker(const Tree& tree, const Library& library, const Modules& modules, Diagnostics& diagnostics)
    : tree_(tree), library_(library), modules_(modules), diagnostics_(diagnostics) {
  out_.types = library.types;
  out_.type.assign(tree.nodes.size(), kNoType);
  out_.meaning.resize(tree.nodes.size());
  out_.is_unwrapped.assign(tree.nodes.size(), 0);
  out_.is_widened.assign(tree.nodes.size(), 0);
  out_.is_json_made.assign(tree.nodes.size(), 0);
  for (const Node& node : tree.nodes)
    if (node.kind == NodeKind::Bad) unread_.push_back({node.begin, node.end});
  // The machine makes values of it, so all its fields are needed wherever it is used.
  if (library.error_type != 0)
    for (std::uint32_t field = 0; field < library.types.record(library.error_type).fields.size(); ++field)
      out_.fields_read.insert({library.error_type, field});
}

CheckedFile Checker::run() {
  const auto kids = tree_.kids(tree_.root);
  const auto count = [&](NodeKind kind) {
    return std::ranges::count_if(kids, [&](NodeId kid) { return tree_.kind(kid) == kind; });
  };
  const auto flows = count(NodeKind::Flow), tested = count(NodeKind::Test);
  if (flows == 0 && count(NodeKind::Bad) == 0 && !diagnostics_.has_errors())
    report_no_flow(kids.size(), tested);
  open_files();
  declare_types();
  settings();
  declare_flows();
  functions();
  // Those of modules are added while others are checked that call them.
  for (std::size_t i = 0; i < own_flows_.size(); ++i) flow(flow_signatures_[own_flows_[i]], flows == 1);
  file_ = &files_[0];
  for (const NodeId kid : tree_.kids(tree_.root)) {
    if (tree_.kind(kid) == NodeKind::Connector)
      report(Code::MisplacedDeclaration, tree_.kid(kid, 0),
             "a connector is declared in a file of its own, without flows");
    if (tree_.kind(kid) == NodeKind::NativeFunction)
      report(Code::MisplacedDeclaration, tree_.kid(kid, 0),
             "a native function is declared by the library; write `fn` and what it does");
  }
  tests();
  pass_settings();
  report_unused_settings();
  report_unused_modules();
  judge_invokes();
  judge_flow_calls();
  return std::move(out_);
}

// A module need not have one, nor what is only tested; what holds nothing else than tests tests nothing.
void Checker::report_no_flow(std::size_t declarations, std::size_t tests) {
  const bool has_functions = tree_.find(tree_.root, NodeKind::Function) != kNoNode;
  if (tests > 0 && declarations > tests) return;
  if (tests == 0 && declarations > 0 && modules_.is_module) return;
  diagnostics_
      .report(Code::NoFlow, tree_.file, {0, 0},
              tests > 0       ? "this file declares tests, and nothing that they could test"
              : has_functions ? "this file declares functions and no flow that calls them"
                              : "this file declares no flow")
      .note("the smallest flow: on alert.new when severity == High do isolate(machineId)");
}

void Checker::flow(const FlowSignature& signature, bool is_only) {
  const NodeId node = signature.node;
  CheckedFlow checked;
  checked.node = node;
  checked.doc = tree_.doc_above(node);
  const NodeId ident = tree_.kind(tree_.kid(node, 0)) == NodeKind::Ident ? tree_.kid(node, 0) : kNoNode;
  const NodeId on = trigger_node(node);
  checked.name = signature.name;
  checked.file = signature.file;
  file_ = &files_[signature.file];
  const bool is_of_module = signature.file != 0;  // where only what is called is looked at
  if (ident == kNoNode && !is_only && !is_of_module)
    report(Code::UnnamedFlow, on == kNoNode ? node : on, "a file with several flows must name each")
        .fix({tree_.span(node).begin, tree_.span(node).begin}, "flow NAME ", "write `flow NAME` before `on`");
  if (ident != kNoNode && !is_of_module) {
    const auto [first, is_new] = flow_names_.emplace(tree_.text(ident), out_.flows.size());
    if (!is_new)
      report(Code::DuplicateName, ident, fmt::format("flow `{}` is declared twice", checked.name))
          .label(tree_.span(tree_.kid(out_.flows[first->second].node, 0)), "first declared here");
    else if (const auto function = function_named(ident))
      report(Code::DuplicateName, ident, fmt::format("`{}` is a function already", checked.name))
          .label(tree_.span(tree_.kid(out_.functions[*function].node, 0)), "first declared here");
    else
      is_taken(ident);
  }
  enter(checked);
  flow_ = &checked;
  checked.argument_defaults = signature.defaults;
  if (const auto index = signature.is_called ? signature.trigger : trigger(checked)) {
    checked.trigger = *index;
    trigger_ = &out_.triggers[*index];
    if (const NodeId when = tree_.find(node, NodeKind::When); when != kNoNode) condition(when);
    policies(node);
    if (const NodeId body = tree_.find(node, NodeKind::Do); body != kNoNode) {
      checked.body = tree_.kid(body, 0);
      block(checked.body);
      check_result();
    }
    facts_.clear();
    if (const NodeId error = tree_.find(node, NodeKind::OnError); error != kNoNode) handler(error);
    report_unused();
  }
  flow_ = nullptr;
  body_ = nullptr;
  trigger_ = nullptr;
  out_.flows.push_back(std::move(checked));
}

void Checker::enter(CheckedBody& body) {
  leave_scope(0);
  body_ = &body;
  file_ = &files_[body.file];
  flow_ = nullptr;
  function_ = nullptr;
  trigger_ = nullptr;
  yielded_ = nullptr;
  branches_.clear();
  facts_.clear();
  assigned_.clear();
}

void Checker::condition(NodeId node) {
  flow_->condition = tree_.kid(node, 0);
  in_condition_ = true;
  boolean(flow_->condition, "the condition after `when`");
  in_condition_ = false;
  learn(flow_->condition, true, facts_);
}

void Checker::handler(NodeId node) {
  const std::size_t scope = scope_.size();
  const NodeId ident = tree_.find(node, NodeKind::Ident);
  flow_->handler = tree_.find(node, NodeKind::Block);
  if (ident != kNoNode) {
    refuse_kind_as_name(ident, false);
    flow_->error_local = declare_error(ident);
    flow_->has_error_local = true;
  }
  in_handler_ = true;
  if (flow_->handler != kNoNode) block(flow_->handler);
  in_handler_ = false;
  leave_scope(scope);
}

// What could not be read may use any name.
bool Checker::is_read_wholly(NodeId node) const {
  const Span span = tree_.span(node);
  return std::ranges::none_of(
      unread_, [&](Span unread) { return unread.begin >= span.begin && unread.end <= span.end; });
}

void Checker::report_unused() {
  if (!is_read_wholly(body_->node)) return;
  for (const Local& local : body_->locals)
    if (!local.is_used && !is_error(local.type) && local.declared != kNoNode && !local.name.starts_with('_'))
      report(Code::UnusedValue, local.declared, fmt::format("`{}` is never used", local.name))
          .note(fmt::format("remove it, or call it `_{}` to keep it on purpose", local.name));
}

CheckedFile check(const Tree& tree, const Library& library, Diagnostics& diagnostics,
                  const Modules& modules) {
  return Checker(tree, library, modules, diagnostics).run();
}

}  // namespace flow
