// Functions: their signatures first, so that their order in the file does not matter; then, where a result is
// not written, the bodies that it follows from; then the others.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/resolve/type_syntax.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void Checker::functions() {
  for (std::uint32_t i = 0; i < files_.size(); ++i) {
    enter_constants(i);
    if (file_->root == kNoNode) continue;
    for (const NodeId kid : tree_.kids(file_->root))
      if (tree_.kind(kid) == NodeKind::Function) declare_function(kid);
  }
  const std::vector<std::uint32_t> inferred = inference_order();
  std::vector<std::uint8_t> is_done(out_.functions.size(), 0);
  for (const std::uint32_t index : inferred) {
    function_body(index);
    is_done[index] = 1;
  }
  for (std::uint32_t i = 0; i < out_.functions.size(); ++i)
    if (is_done[i] == 0) function_body(i);
  spread_effects();
  function_ = nullptr;
  body_ = nullptr;
}

void Checker::declare_function(NodeId node) {
  const NodeId ident = tree_.kid(node, 0);
  const std::string_view name = tree_.text(ident);
  const auto index = static_cast<std::uint32_t>(out_.functions.size());
  CheckedFunction function;
  function.node = node;
  function.name = file_->prefix + std::string(name);
  function.file = constants_.file;
  function.doc = tree_.doc_above(node);
  function.body = tree_.kids(node).back();
  std::uint32_t operation = 0;
  if (const auto [first, is_new] = file_->functions.emplace(name, index); !is_new)
    report(Code::DuplicateName, ident, fmt::format("function `{}` is declared twice", name))
        .label(tree_.span(tree_.kid(out_.functions[first->second].node, 0)), "first declared here");
  else if (operation_named(ident, operation) != nullptr)
    report(Code::DuplicateName, ident, fmt::format("`{}` is an operation", name))
        .note("give the function a name of its own");
  else if (name == "range")
    report(Code::DuplicateName, ident, "`range` is a function of the language")
        .note("give the function a name of its own");
  else
    is_taken(ident);
  parameters_.emplace_back();
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::Result) function.result = declared_type(tree_.kid(kid, 0));
    if (tree_.kind(kid) != NodeKind::ParameterDecl) continue;
    const auto parts = tree_.kids(kid);
    // A default is marked by its text; what it is, is in `defaults`.
    parameters_.back().push_back(
        {.name = std::string(tree_.text(parts[0])),
         .type = parameter_type(parts[1]),
         .default_json = parts.size() > 2 ? std::string(tree_.text(parts[2])) : std::string(),
         .doc = {}});
    function.defaults.push_back(parts.size() > 2 ? parts[2] : kNoNode);
  }
  if (tree_.find(node, NodeKind::Result) == kNoNode && tree_.kind(function.body) != NodeKind::Block)
    function.result = kNoType;
  out_.functions.push_back(std::move(function));
}

void Checker::inferred_callees(NodeId node, std::vector<std::uint32_t>& into) const {
  if (tree_.kind(node) == NodeKind::Call)
    if (const auto function = function_named(tree_.kid(node, 0)); function && is_inferred(*function))
      into.push_back(*function);
  for (const NodeId kid : tree_.kids(node)) inferred_callees(kid, into);
}

std::vector<std::uint32_t> Checker::inference_order() {
  enum class State : std::uint8_t { New, Open, Circular, Done };
  struct Visit {
    std::uint32_t function;
    std::vector<std::uint32_t> callees;
    std::size_t next = 0;
  };
  std::vector<State> states(out_.functions.size(), State::New);
  std::vector<std::uint32_t> order;
  std::vector<Visit> path;
  const auto open = [&](std::uint32_t function) {
    states[function] = State::Open;
    path.push_back({function, {}});
    file_ = &files_[out_.functions[function].file];
    inferred_callees(out_.functions[function].body, path.back().callees);
  };
  std::vector<std::uint32_t> circular;
  for (std::uint32_t first = 0; first < out_.functions.size(); ++first) {
    if (!is_inferred(first) || states[first] != State::New) continue;
    open(first);
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == visit.callees.size()) {
        states[visit.function] = State::Done;
        order.push_back(visit.function);
        path.pop_back();
        continue;
      }
      const std::uint32_t callee = visit.callees[visit.next++];
      if (states[callee] == State::New) {
        open(callee);  // `visit` is no longer valid
      } else if (states[callee] == State::Open) {
        states[callee] = State::Circular;
        circular.push_back(callee);
      }
    }
  }
  for (const std::uint32_t function : circular) {
    const NodeId ident = tree_.kid(out_.functions[function].node, 0);
    report(Code::TypeNotKnown, ident,
           fmt::format("the result of `{}` cannot be found, since `{}` calls itself", tree_.text(ident),
                       tree_.text(ident)))
        .note(fmt::format("write it: `fn {}(…) -> Type = …`", tree_.text(ident)));
    out_.functions[function].result = error_type();
  }
  return order;
}

void Checker::function_body(std::uint32_t index) {
  CheckedFunction& function = out_.functions[index];
  enter(function);
  function_ = &function;
  parameters(function.node);
  if (tree_.kind(function.body) == NodeKind::Block) {
    block(function.body);
    if (function.result != kNothingType && !is_error(function.result) && !ends(function.body) &&
        !has_mistake(function.body)) {
      const Span close{tree_.span(function.body).end - 1, tree_.span(function.body).end};
      diagnostics_
          .report(Code::MissingReturn, tree_.file, close,
                  fmt::format("`{}` can end here without its result, which is `{}`", function.name,
                              type_name(function.result)))
          .expecting("expected `return` before this");
    }
  } else if (is_inferred(index)) {
    function.result = kept_value(function.body);
  } else {
    expect(function.body, function.result, fmt::format("the result of `{}`", function.name));
  }
  report_unused();
}

void Checker::parameters(NodeId node) {
  const std::vector<Parameter>& known =
      parameters_[static_cast<std::size_t>(function_ - out_.functions.data())];
  for (std::size_t i = 0; i < known.size(); ++i) {
    const NodeId value = function_->defaults[i];
    if (value == kNoNode) continue;
    const bool is_parameter = tree_.kind(value) == NodeKind::Ident &&
                              std::ranges::find(known, tree_.text(value), &Parameter::name) != known.end();
    if (!is_parameter) expect(value, known[i].type, fmt::format("the default of `{}`", known[i].name));
    if (is_parameter || (!is_error(out_.type[value]) && !is_constant(value)))
      report(Code::DefaultIsNoConstant, value,
             fmt::format("the default of `{}` must be a constant", known[i].name))
          .note("constants are numbers, texts without holes, values of enums, and lists and maps of these");
  }
  std::size_t i = 0;
  for (const NodeId kid : tree_.kids(node))
    if (tree_.kind(kid) == NodeKind::ParameterDecl)
      declare_local(tree_.kid(kid, 0), list_of_either(known[i++].type));
}

TypeId Checker::parameter_type(NodeId node) {
  if (tree_.kind(node) != NodeKind::UnionType) return declared_type(node);
  if (uses_missing_module(node)) return error_type();
  const TypeId type = resolve_type(tree_, node, type_names(), out_.types, diagnostics_);
  if (is_error(type) || list_of_either(type) != type) return type;
  for (const NodeId kid : tree_.kids(node))
    if (is_error(resolve_type(tree_, kid, type_names(), out_.types, diagnostics_))) return error_type();
  report(Code::UnknownType, node, fmt::format("{} is no type of a function's parameter", quoted(node)))
      .note("of the types with `or` a function takes `T or List<T>`, which it then knows as `List<T>`");
  return error_type();
}

TypeId Checker::list_of_either(TypeId type) const {
  if (!out_.types.is(type, TypeKind::Union)) return type;
  const std::vector<TypeId>& members = out_.types.members(type);
  if (members.size() != 2) return type;
  const TypeId list = out_.types.is(members[0], TypeKind::List) ? members[0] : members[1];
  const TypeId item = list == members[0] ? members[1] : members[0];
  return out_.types.is(list, TypeKind::List) && out_.types[list].element == item ? list : type;
}

bool Checker::is_constant(NodeId node) const {
  switch (tree_.kind(node)) {
    case NodeKind::Int:
    case NodeKind::Float:
    case NodeKind::Duration:
    case NodeKind::True:
    case NodeKind::False:
    case NodeKind::Null:
    case NodeKind::RawText: return true;
    case NodeKind::Key: return !is_computed_key(tree_, node) || is_constant(tree_.kid(node, 0));
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::Html:
    case NodeKind::Kql: return !has_holes(tree_, node);
    case NodeKind::Ident:
    case NodeKind::Field: return out_.meaning[node].kind == Meaning::Kind::EnumValue;
    case NodeKind::Negate:
    case NodeKind::Paren:
    case NodeKind::List:
    case NodeKind::Record:
    case NodeKind::Entry:
      return std::ranges::all_of(tree_.kids(node), [&](NodeId kid) { return is_constant(kid); });
    case NodeKind::Construct:
      return std::ranges::all_of(tree_.kids(node).subspan(1), [&](NodeId kid) { return is_constant(kid); });
    default: return false;
  }
}

void Checker::return_statement(NodeId node) {
  const Span word{tree_.span(node).begin, tree_.span(node).begin + 6};
  const NodeId value = tree_.kids(node).empty() ? kNoNode : tree_.kid(node, 0);
  if (refuse_exit(node, 6, "`return` cannot leave a function")) {
    if (value != kNoNode) expression(value);
    return;
  }
  if (function_ == nullptr && trigger_ != nullptr && trigger_->kind == Trigger::Kind::Call)
    return return_from_flow(node, word, value);
  if (function_ == nullptr || tree_.kind(function_->body) != NodeKind::Block) {
    Diagnostic& d = diagnostics_.report(
        Code::MisplacedStatement, tree_.file, word,
        function_ == nullptr ? "`return` gives the result of a function, and this is a flow"
                             : "`return` cannot stand in a function that is declared with `=`");
    d.note(function_ == nullptr ? "to end the run write `stop`"
                                : "write its body in braces: `fn name(…) -> Type { … return value }`");
    if (value != kNoNode) expression(value);
  } else if (value == kNoNode) {
    if (function_->result != kNothingType && !is_error(function_->result))
      diagnostics_
          .report(Code::MissingReturn, tree_.file, word,
                  fmt::format("this `return` gives no result, and `{}` gives `{}`", function_->name,
                              type_name(function_->result)))
          .expecting("expected a value behind this");
  } else if (function_->result == kNothingType) {
    const TypeId type = expression(value);
    if (!is_error(type))
      report(Code::TypeMismatch, value, fmt::format("`{}` declares no result to return", function_->name))
          .note(type == kNullType || type == kNothingType
                    ? std::string("write `return` alone")
                    : fmt::format("declare it: `fn {}(…) -> {} {{ … }}`", function_->name, type_name(type)));
  } else {
    expect(value, function_->result, fmt::format("the result of `{}`", function_->name));
  }
}

}  // namespace flow
