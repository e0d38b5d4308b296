// `call flow(…)` and `start flow(…)`: a run of another flow, which says `on call` what it takes and gives.
// Flows are declared before any body is checked, so that their order does not matter; of modules those become
// part of the program that it calls.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/protection.hpp"
#include "compiler/syntax/file_name.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kMostDepth = 64;  // of runs that wait for each other

}  // namespace

void Checker::declare_flows() {
  for (std::uint32_t file = 0; file < files_.size(); ++file) {
    enter_constants(file);
    if (file_->root == kNoNode) continue;
    const SourceFile& source = *(tree_.parts.empty() ? tree_.source : tree_.parts[file].source);
    for (const NodeId kid : tree_.kids(file_->root)) {
      if (tree_.kind(kid) != NodeKind::Flow) continue;
      const bool is_named = tree_.kind(tree_.kid(kid, 0)) == NodeKind::Ident;
      const std::string name =
          is_named ? std::string(tree_.text(tree_.kid(kid, 0))) : name_from_file(source.name());
      const auto index = static_cast<std::uint32_t>(flow_signatures_.size());
      flow_signatures_.push_back({.node = kid, .file = file, .name = file_->prefix + name});
      file_->flows.emplace(name, index);
      if (file == 0) {
        flow_signatures_.back().flow = static_cast<std::uint32_t>(own_flows_.size());
        own_flows_.push_back(index);
      }
      const NodeId on = trigger_node(kid);
      if (on != kNoNode && tree_.kind(on) == NodeKind::OnCall) declare_called(flow_signatures_.back());
    }
  }
  file_flows_ = own_flows_.size();
}

void Checker::declare_called(FlowSignature& signature) {
  CheckedFlow checked;
  checked.node = signature.node;
  signature.is_called = true;
  signature.trigger = trigger(checked);
  signature.defaults = std::move(checked.argument_defaults);
  if (!signature.trigger) return;
  RecordType record{.name = fmt::format("arguments of {}", signature.name), .fields = {}, .doc = {}};
  const std::vector<Trigger::Binding>& bindings = out_.triggers[*signature.trigger].bindings;
  for (std::uint32_t i = 0; i < bindings.size(); ++i) {
    // A default is marked by its text, as that of a function's parameter.
    const auto given = signature.defaults.find(i);
    signature.parameters.push_back({.name = bindings[i].name,
                                    .type = bindings[i].type,
                                    .default_json = given == signature.defaults.end()
                                                        ? std::string()
                                                        : std::string(tree_.text(given->second)),
                                    .doc = {}});
    record.fields.push_back(
        {.name = bindings[i].name, .wire = bindings[i].wire, .type = bindings[i].type, .doc = {}});
  }
  signature.record = out_.types.add_record(std::move(record));
  for (std::uint32_t i = 0; i < bindings.size(); ++i) out_.fields_read.insert({signature.record, i});
}

// The flow that is named, which becomes part of the program; nullptr when there is none.
Checker::FlowSignature* Checker::flow_named(NodeId callee) {
  const File* file = file_;
  std::string_view name = tree_.text(callee);
  if (File::Module* const module = module_of(callee)) {
    if (!module->file) return nullptr;
    module->is_used = true;
    file = &files_[*module->file];
    name = tree_.text(tree_.kid(callee, 1));
  }
  const auto found = file->flows.find(name);
  if (found == file->flows.end()) return nullptr;
  FlowSignature& signature = flow_signatures_[found->second];
  if (!signature.flow && signature.is_called) {
    signature.flow = static_cast<std::uint32_t>(own_flows_.size());
    own_flows_.push_back(found->second);
  }
  return &signature;
}

// A call with how it is made: the type of its value.
TypeId Checker::flow_call(NodeId node, const CallParts& parts) {
  const NodeId callee = tree_.kid(parts.call, 0);
  const bool is_started = parts.kind == NodeKind::StartFlow;
  FlowSignature* const found = flow_named(callee);
  const auto pass_arguments = [&] {
    for (const NodeId argument : tree_.kids(parts.call).subspan(1)) lone_argument(argument);
    return error_type();
  };
  if (found == nullptr) {
    pass_arguments();
    return unknown_flow(parts.call, callee);
  }
  const FlowSignature& signature = *found;
  if (!signature.is_called) {
    const NodeId on = tree_.find(signature.node, NodeKind::On);
    Diagnostic& d =
        report(Code::ModifierMismatch, callee,
               fmt::format("{} is not called by other flows: it starts on its own trigger", quoted(callee)));
    if (on != kNoNode) d.label(tree_.span(on), "what starts it");
    d.note("put what both need into a flow `on call (name: Type, …)`, and let each call that");
    return pass_arguments();
  }
  if (!signature.trigger) return pass_arguments();  // told
  CheckedFlowCall checked{.flow = *signature.flow,
                          .record = signature.record,
                          .arguments = arguments(parts.call, signature.name, signature.parameters),
                          .is_started = is_started};
  for (const auto& [binding, given] : signature.defaults)
    if (checked.arguments[binding] == kNoNode) checked.arguments[binding] = given;
  const auto operation = library_.operation_names.find(is_started ? "flow.start" : "flow.call");
  if (operation == library_.operation_names.end()) return not_yet(node, "a call of a flow");
  note_operation(operation->second);
  if (FunctionEffects* here = effects()) {
    here->flows.insert(checked.flow);
    here->waits = here->waits || !is_started;
  }
  out_.flow_calls.insert_or_assign(parts.call, std::move(checked));
  const TypeId result = out_.triggers[*signature.trigger].result;
  const TypeId type = is_started ? kStringType : result == kNullType ? kNothingType : result;
  CallParts made = parts;
  check_flow_modifiers(made);
  return check_modifiers(node, made, library_.operations[operation->second], type);
}

TypeId Checker::unknown_flow(NodeId node, NodeId callee) {
  const std::string_view text = tree_.text(callee);
  const NodeId last = tree_.kind(callee) == NodeKind::Field ? tree_.kid(callee, 1) : callee;
  const File* file = file_;
  if (const File::Module* const module = module_of(callee)) {
    if (!module->file && module->connector.empty()) return error_type();  // told: it was not found
    if (module->file) file = &files_[*module->file];
  }
  if (is_told(tree_.text(last))) return error_type();
  Diagnostic& d =
      report(Code::UnknownOperation, last, fmt::format("there is no flow {} here", quoted(callee)));
  std::uint32_t operation = 0;
  const bool is_function = function_named(callee).has_value();
  if (is_function || operation_named(callee, operation) != nullptr) {
    std::uint32_t begin = tree_.span(node).begin;
    const std::string& source = tree_.source->text();
    while (begin > 0 && (source[begin - 1] == ' ' || source[begin - 1] == '\t' || source[begin - 1] == '\n'))
      --begin;
    while (begin > 0 && source[begin - 1] >= 'a' && source[begin - 1] <= 'z') --begin;
    d.fix({begin, tree_.span(node).begin}, "",
          fmt::format("`{}` is {}: write `{}(…)` alone", text, is_function ? "a function" : "an operation",
                      text));
    return error_type();
  }
  std::vector<std::string> names;
  for (const auto& [name, index] : file->flows)
    if (flow_signatures_[index].is_called) names.push_back(name);
  if (const auto near = nearest_name(tree_.text(last), names))
    d.fix(tree_.span(last), *near, fmt::format("did you mean `{}`?", *near));
  else if (names.empty())
    d.note("a flow that others call says so: `flow name on call (name: Type, …) -> Type do { … }`");
  else
    d.note(fmt::format("flows `on call` are {}", fmt::join(names, ", ")));
  return error_type();
}

// A flow is called once, by the runtime: what says how an attempt is made has no meaning. Takes those clauses
// out.
void Checker::check_flow_modifiers(CallParts& parts) {
  const auto refuse = [&](NodeId& clause, std::string_view word, std::string_view note) {
    if (clause == kNoNode) return;
    report(Code::ModifierMismatch, clause,
           fmt::format("`{}` is for calls of operations, and this is a run of a flow", word))
        .note(std::string(note));
    clause = kNoNode;
  };
  refuse(parts.retry, "retry", "a flow tries again what it calls itself");
  refuse(parts.backoff, "backoff", "a flow tries again what it calls itself");
  refuse(parts.timeout, "timeout", "`within` says how long its result is waited for");
  refuse(parts.lease, "lease", "say it where the flow acts");
  if (parts.kind != NodeKind::StartFlow || parts.within == kNoNode) return;
  report(Code::ModifierMismatch, parts.within,
         "`within` says how long is waited, and a flow that is started is not waited for")
      .note("write `call` for `start`");
  parts.within = kNoNode;
}

// ---- What could not be judged before all flows were known

void Checker::judge_flow_calls() {
  for (CheckedFlow& flow : out_.flows)
    for (const std::uint32_t function : flow.functions) {
      const FunctionEffects& more = out_.functions[function].effects;
      flow.effects.operations.insert(more.operations.begin(), more.operations.end());
      flow.effects.flows.insert(more.flows.begin(), more.flows.end());
    }
  report_flow_circles();
  report_unasked_protections();
}

// The call that leads from one flow to the other: in it, or in a function.
NodeId Checker::place_of_flow_call(std::uint32_t from, std::uint32_t to) const {
  NodeId found = kNoNode;
  const Span within = tree_.span(out_.flows[from].node);
  for (const auto& [node, call] : out_.flow_calls) {
    if (call.flow != to) continue;
    const Span place = tree_.span(node);
    if (within.begin <= place.begin && place.end <= within.end) return tree_.kid(node, 0);
    if (found == kNoNode) found = tree_.kid(node, 0);
  }
  return found;
}

// How often a run calls an operation must be known, with all the runs that it leads to.
void Checker::report_flow_circles() {
  enum class State : std::uint8_t { New, Open, Done };
  std::vector<State> states(out_.flows.size(), State::New);
  std::vector<std::uint32_t> depths(out_.flows.size());  // runs below each other that one leads to
  struct Visit {
    std::uint32_t flow;
    std::set<std::uint32_t>::const_iterator next;
  };
  for (std::uint32_t first = 0; first < out_.flows.size(); ++first) {
    if (states[first] != State::New) continue;
    std::vector<Visit> path{{first, out_.flows[first].effects.flows.begin()}};
    states[first] = State::Open;
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == out_.flows[visit.flow].effects.flows.end()) {
        states[visit.flow] = State::Done;
        std::uint32_t deepest = 0, through = visit.flow;
        for (const std::uint32_t callee : out_.flows[visit.flow].effects.flows)
          if (depths[callee] > deepest) deepest = depths[callee], through = callee;
        depths[visit.flow] = deepest + 1;
        if (deepest == kMostDepth) {
          report(Code::RecursiveCalls, place_of_flow_call(visit.flow, through),
                 fmt::format("flows call each other at most {} deep, and this one leads deeper", kMostDepth))
              .note("make functions of those that only this flow needs");
          depths[visit.flow] = 0;  // told once
        }
        path.pop_back();
        continue;
      }
      const std::uint32_t callee = *visit.next++;
      if (states[callee] == State::New) {
        states[callee] = State::Open;
        path.push_back({callee, out_.flows[callee].effects.flows.begin()});
        continue;
      }
      if (states[callee] == State::Done) continue;
      std::string circle;
      bool is_within = false;
      for (const Visit& on : path) {
        is_within = is_within || on.flow == callee;
        if (is_within) circle += fmt::format("`{}` calls ", out_.flows[on.flow].name);
      }
      report(Code::RecursiveCalls, place_of_flow_call(path.back().flow, callee),
             fmt::format("a flow cannot come back to itself, by `call` or by `start`: {}`{}`", circle,
                         out_.flows[callee].name))
          .note("how much one run can lead to must be known; go through a list with `for` instead");
    }
  }
}

// The `protect` of a flow is asked about what it calls itself: a flow that it calls is another run, with the
// protections that it says itself.
void Checker::report_unasked_protections() {
  for (std::uint32_t i = 0; i < out_.flows.size(); ++i) {
    if (out_.flows[i].protects.empty()) continue;
    std::set<std::uint32_t> seen;
    for (const std::uint32_t called : out_.flows[i].effects.flows) {
      std::vector<std::uint32_t> waiting{called};
      while (!waiting.empty()) {
        const std::uint32_t at = waiting.back();
        waiting.pop_back();
        if (!out_.flows[at].protects.empty() || !seen.insert(at).second) continue;
        const FunctionEffects& effects = out_.flows[at].effects;
        waiting.insert(waiting.end(), effects.flows.begin(), effects.flows.end());
        const auto acts = std::ranges::find_if(effects.operations, [&](std::uint32_t operation) {
          return !protections_of(tree_, out_, out_.flows[i], library_.operations[operation]).empty();
        });
        if (acts == effects.operations.end()) continue;
        report(Code::NoGuardrail, place_of_flow_call(i, called),
               fmt::format("`{}` calls `{}`, and the `protect` of `{}` is not asked there",
                           out_.flows[at].name, library_.operations[*acts].name, out_.flows[i].name))
            .note("a flow that is called holds to its own policies: give it a `protect`");
      }
    }
  }
}

}  // namespace flow
