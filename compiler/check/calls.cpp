#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/standard_functions.hpp"

namespace flow {
namespace {

// The parameters as a call may name them: `machine: MachineId, comment: String = …`.
std::string signature(std::string_view name, std::span<const Parameter> parameters, const TypeTable& types) {
  std::string out;
  for (const Parameter& parameter : parameters)
    out += fmt::format("{}{}: {}{}", out.empty() ? "" : ", ", parameter.name, types.name(parameter.type),
                       parameter.default_json.empty() ? "" : " = …");
  return fmt::format("{}({})", name, out);
}

// Names that share a word with `text`, as `stop_and_quarantine_file` does with `quarantine`.
std::vector<std::string> with_word_of(std::string_view text, const std::vector<std::string>& names) {
  constexpr std::size_t kShortest = 4, kMost = 6;
  std::vector<std::string> found;
  for (const std::string& name : names) {
    bool is_similar = false;
    for (std::size_t begin = 0; begin < text.size() && !is_similar;) {
      const std::size_t end = std::min(text.find('_', begin), text.size());
      const std::string_view word = text.substr(begin, end - begin);
      is_similar = word.size() >= kShortest && name.find(word) != std::string::npos;
      begin = end + 1;
    }
    if (is_similar && found.size() < kMost) found.push_back(fmt::format("`{}`", name));
  }
  return found;
}

}  // namespace

TypeId Checker::call(NodeId node) {
  const NodeId callee = tree_.kid(node, 0);
  if (tree_.kind(callee) == NodeKind::Ident) {
    if (const auto function = file_->functions.find(tree_.text(callee)); function != file_->functions.end())
      return invoke(node, function->second);
    if (tree_.text(callee) == "range") return range(node);
  }
  if (is_http(callee)) return http_call(node);
  std::uint32_t operation = 0;
  if (operation_named(callee, operation) != nullptr) return operation_call(node, operation);
  if (const File::Module* const module = module_of(callee)) {
    if (const auto function = function_named(callee)) return invoke(node, *function);
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return unknown_member(callee, *module, true);
  }
  if (needs_use(callee)) {
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return error_type();
  }
  if (tree_.kind(callee) == NodeKind::Field) return method(node, callee);
  if (tree_.kind(callee) == NodeKind::Ident && library_.function_names.contains(tree_.text(callee)))
    return standard_call(node, callee, kNoNode);
  const TypeId type = unknown_callee(callee);
  for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
  return type;
}

// An argument whose parameter is not known: mistakes within are found, and the names in it are used.
void Checker::lone_argument(NodeId node) {
  if (tree_.kind(node) == NodeKind::NamedArgument) node = tree_.kid(node, 1);
  if (tree_.kind(node) != NodeKind::Lambda && tree_.kind(node) != NodeKind::List && !is_loose_name(node))
    expression(node);
}

TypeId Checker::unknown_callee(NodeId callee) {
  const std::string_view text = tree_.text(callee);
  if (is_told(text)) return error_type();
  if (tree_.kind(callee) == NodeKind::OptionalField) {  // `value?.method()`
    const NodeId object = tree_.kid(callee, 0);
    const TypeId type = expression(object);
    if (is_error(type)) return type;
    if (out_.types.is_optional(type)) return may_be_null(object, type, "what a method is called on");
    report(Code::UnknownOperation, callee,
           fmt::format("{} is never null: a method of it is called by `.`", quoted(object)))
        .fix({tree_.span(object).end, tree_.span(tree_.kid(callee, 1)).begin}, ".", "write `.`");
    return error_type();
  }
  const std::string member = member_of_module(text, true);
  Diagnostic& d = report(Code::UnknownOperation, callee,
                         fmt::format("nothing that can be called is named {}", quoted(callee)));
  if (!member.empty()) {
    d.fix(tree_.span(callee), member, fmt::format("a module has one: `{}(…)`", member));
    return error_type();
  }
  if (const ForeignName* foreign = foreign_name(text)) {
    d.note(fmt::format("write {}", foreign->advice));
    return error_type();
  }
  for (const Operation& operation : library_.operations)
    if (operation.name == text && operation.connector != "http" &&
        library_.behind_use.contains(operation.connector)) {
      d.fix(tree_.span(callee), operation.full_name(),
            fmt::format("connector `{}` has one: `use {}`, and write `{}(…)`", operation.connector,
                        operation.connector, operation.full_name()));
      return error_type();
    }
  std::vector<std::string> known, short_names;
  for (const auto& [name, overloads] : library_.function_names) known.push_back(name);
  constexpr std::size_t kFewEnough = 1'000;  // to look through at each mistake
  if (out_.functions.size() < kFewEnough)
    for (const auto& [name, index] : file_->functions) known.emplace_back(name);
  for (const auto& [name, index] : library_.operation_names) {
    known.push_back(name);
    if (name.find('.') == std::string::npos) short_names.push_back(name);
  }
  if (const auto near = nearest_name(text, known))
    d.fix(tree_.span(callee), *near, fmt::format("did you mean `{}`?", *near));
  else if (const auto similar = with_word_of(text, short_names); !similar.empty())
    d.note(fmt::format("there is {}", fmt::join(similar, ", ")));
  else
    d.note("docs/generated/operations.md lists what can be called");
  return error_type();
}

bool Checker::check_effect(NodeId node, const Operation& operation) {
  const bool may_stand_here = !in_condition_ || operation.effect == Effect::Read;
  if (!may_stand_here)
    report(Code::ConditionActs, node,
           fmt::format("a condition must not change anything, and `{}` {}",
                       is_http(tree_.kid(node, 0)) ? "http" : operation.name,
                       operation.effect == Effect::Act ? "acts" : "notifies"))
        .note("move it behind `do`");
  return may_stand_here;
}

TypeId Checker::operation_call(NodeId node, std::uint32_t index) {
  const Operation& operation = library_.operations[index];
  if (operation.connector == "flow" && (operation.name == "call" || operation.name == "start")) {
    report(Code::UnknownOperation, tree_.kid(node, 0),
           fmt::format("{} is no operation that flows call by itself", quoted(tree_.kid(node, 0))))
        .note(fmt::format("write the flow's name behind it: `{} name(…)`", operation.name));
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return error_type();
  }
  if (operation.connector == "flow" && operation.name == "refuse") {
    report(Code::UnknownOperation, tree_.kid(node, 0),
           fmt::format("{} is no operation that flows call by itself", quoted(tree_.kid(node, 0))))
        .note("write `protect condition` at the flow; it is noted when it refuses an act");
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return error_type();
  }
  if (operation.connector == "http" && !is_http(tree_.kid(node, 0))) {
    report(Code::UnknownOperation, tree_.kid(node, 0),
           fmt::format("{} is no operation that flows call by itself", quoted(tree_.kid(node, 0))))
        .note("write `http(method: GET, url: …)`");
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return error_type();
  }
  CheckedCall checked{.operation = index,
                      .arguments = arguments(node, is_http(tree_.kid(node, 0)) ? "http" : operation.name,
                                             operation.parameters)};
  check_people(operation, checked.arguments);
  out_.calls.insert_or_assign(node, std::move(checked));
  note_operation(index);
  return check_effect(node, operation) ? operation.result : error_type();
}

TypeId Checker::invoke(NodeId node, std::uint32_t index) {
  const CheckedFunction& function = out_.functions[index];
  CheckedInvoke checked{.function = index, .arguments = arguments(node, function.name, parameters_[index])};
  for (std::size_t i = 0; i < checked.arguments.size(); ++i)
    if (checked.arguments[i] == kNoNode) checked.arguments[i] = function.defaults[i];
  for (std::size_t i = 0; i < checked.arguments.size(); ++i) {
    const TypeId wanted = parameters_[index][i].type;
    const TypeId list = list_of_either(wanted);
    if (list != wanted && checked.arguments[i] != kNoNode &&
        !out_.types.accepts(list, out_.type[checked.arguments[i]]))
      checked.as_list.insert(i);
  }
  body_->functions.insert(index);
  out_.invokes.insert_or_assign(node, std::move(checked));
  note_invoke(node, index);
  return is_inferred(index) ? error_type() : function.result;  // a circle, which is told
}

// `range(to)`, `range(from, to)`: the numbers from `from`, or 0, up to but without `to`.
TypeId Checker::range(NodeId node) {
  const auto given = tree_.kids(node).subspan(1);
  const bool has_name = std::ranges::any_of(
      given, [&](NodeId argument) { return tree_.kind(argument) == NodeKind::NamedArgument; });
  if (given.empty() || given.size() > 2 || has_name) {
    report(Code::TypeMismatch, node, "`range` is called as `range(end)` or `range(begin, end)`")
        .note("`range(3)` counts 0, 1, 2; `range(1, 3)` counts 1, 2");
    for (const NodeId argument : given) lone_argument(argument);
    return error_type();
  }
  CheckedMethod checked{.kind = CheckedMethod::Kind::Range, .arguments = {}};
  for (const NodeId argument : given) {
    expect(argument, kIntType, "a bound of `range`");
    checked.arguments.push_back(argument);
  }
  out_.methods.insert_or_assign(node, std::move(checked));
  return out_.types.list(kIntType);
}

std::vector<NodeId> Checker::arguments(NodeId node, std::string_view name,
                                       std::span<const Parameter> parameters) {
  std::vector<NodeId> arguments(parameters.size(), kNoNode);
  std::size_t position = 0;
  bool saw_named = false;
  bool is_wrong = false;  // so that a missing argument is told only when nothing else explains it
  const auto take = [&](std::size_t parameter, NodeId value, NodeId place) {
    if (arguments[parameter] != kNoNode)
      report(Code::DuplicateArgument, place, fmt::format("`{}` is given twice", parameters[parameter].name))
          .label(tree_.span(arguments[parameter]), "first given here");
    arguments[parameter] = value;
    expect(value, parameters[parameter].type, fmt::format("`{}` of `{}`", parameters[parameter].name, name));
  };
  for (const NodeId argument : tree_.kids(node).subspan(1)) {
    if (tree_.kind(argument) == NodeKind::NamedArgument) {
      const NodeId ident = tree_.kid(argument, 0);
      const auto found = std::ranges::find(parameters, tree_.text(ident), &Parameter::name);
      // In its own place, a name only says what stands there.
      const bool is_in_place = !saw_named && position < parameters.size() &&
                               found == parameters.begin() + static_cast<std::ptrdiff_t>(position);
      saw_named = !is_in_place;
      position += is_in_place ? 1 : 0;
      if (found != parameters.end()) {
        take(static_cast<std::size_t>(found - parameters.begin()), tree_.kid(argument, 1), ident);
        continue;
      }
      std::vector<std::string> names;
      for (const Parameter& parameter : parameters) names.push_back(parameter.name);
      Diagnostic& d = report(Code::UnknownArgument, ident,
                             fmt::format("`{}` has no parameter `{}`", name, tree_.text(ident)));
      if (const auto near = nearest_name(tree_.text(ident), names))
        d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
      else
        d.note(fmt::format("it is declared as {}", signature(name, parameters, out_.types)));
      is_wrong = true;
      lone_argument(argument);
    } else if (saw_named) {
      report(Code::PositionalAfterNamed, argument,
             "an argument without a name cannot follow one that is named out of its place")
          .note(fmt::format("it is declared as {}", signature(name, parameters, out_.types)));
      is_wrong = true;
      lone_argument(argument);
    } else if (position >= parameters.size()) {
      const auto all = tree_.kids(node).subspan(1);
      diagnostics_
          .report(Code::TooManyArguments, tree_.file,
                  {tree_.span(argument).begin, tree_.span(all.back()).end},
                  fmt::format("`{}` takes at most {} argument{}, and {} are given", name, parameters.size(),
                              parameters.size() == 1 ? "" : "s", all.size()))
          .note(fmt::format("it is declared as {}", signature(name, parameters, out_.types)));
      break;
    } else {
      take(position++, argument, argument);
    }
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (arguments[i] == kNoNode && parameters[i].default_json.empty())
      missing.push_back(fmt::format("`{}: {}`", parameters[i].name, type_name(parameters[i].type)));
  if (!missing.empty() && !is_wrong) {
    const Span end{tree_.span(node).end - 1, tree_.span(node).end};
    diagnostics_
        .report(Code::MissingArgument, tree_.file, end,
                fmt::format("`{}` needs {}", name, fmt::join(missing, ", ")))
        .expecting("expected before this")
        .note(fmt::format("it is declared as {}", signature(name, parameters, out_.types)));
  }
  return arguments;
}

}  // namespace flow
