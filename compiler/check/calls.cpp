#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"

namespace flow {
namespace {

struct TextMethod {
  std::string_view name;
  NativeId native;
  std::size_t arguments;
};
constexpr TextMethod kTextMethods[] = {
    {"lower", NativeId::lower, 0},       {"upper", NativeId::upper, 0},
    {"trim", NativeId::trim, 0},         {"length", NativeId::length, 0},
    {"contains", NativeId::contains, 1}, {"startsWith", NativeId::startsWith, 1},
    {"endsWith", NativeId::endsWith, 1}, {"matches", NativeId::matches, 1},
    {"replace", NativeId::replace, 2},
};
constexpr std::string_view kListMethods[] = {"length", "contains", "any", "all"};

// The parameters as a call may name them: `machine: MachineId, comment: String = …`.
std::string signature(const Operation& operation, const TypeTable& types) {
  std::string out;
  for (const Parameter& parameter : operation.parameters)
    out += fmt::format("{}{}: {}{}", out.empty() ? "" : ", ", parameter.name, types.name(parameter.type),
                       parameter.default_json.empty() ? "" : " = …");
  return fmt::format("{}({})", operation.name, out);
}

TypeId native_result(NativeId native) {
  switch (native) {
#define FLOW_NATIVE_RESULT_Text kStringType
#define FLOW_NATIVE_RESULT_Int kIntType
#define FLOW_NATIVE_RESULT_Bool kBoolType
#define FLOW_NATIVE(code, name, result, arguments, meaning) \
  case NativeId::name:                                      \
    return FLOW_NATIVE_RESULT_##result;
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
  }
  return kStringType;
}

}  // namespace

TypeId Checker::call(NodeId node) {
  const NodeId callee = tree_.kid(node, 0);
  std::uint32_t operation = 0;
  if (operation_named(callee, operation) != nullptr) return operation_call(node, operation);
  if (tree_.kind(callee) == NodeKind::Field) return method(node, callee);
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
  Diagnostic& d = report(Code::UnknownOperation, callee,
                         fmt::format("nothing that can be called is named {}", quoted(callee)));
  std::vector<std::string> known, short_names;
  for (const auto& [name, index] : library_.operation_names) {
    known.push_back(name);
    if (name.find('.') == std::string::npos) short_names.push_back(name);
  }
  if (const auto near = nearest_name(text, known))
    d.fix(tree_.span(callee), *near, fmt::format("did you mean `{}`?", *near));
  else if (short_names.size() <= 24)
    d.note(fmt::format("operations are {}", fmt::join(short_names, ", ")));
  return error_type();
}

bool Checker::check_effect(NodeId node, const Operation& operation) {
  const bool may_stand_here = !in_condition_ || operation.effect == Effect::Read;
  if (!may_stand_here)
    report(Code::ConditionActs, node,
           fmt::format("a condition must not change anything, and `{}` {}", operation.name,
                       operation.effect == Effect::Act ? "acts" : "notifies"))
        .note("move it behind `do`");
  if (!operation.retires.empty())
    report(Code::Retiring, tree_.kid(node, 0),
           fmt::format("`{}` is retired by its vendor on {}", operation.name, operation.retires));
  return may_stand_here;
}

TypeId Checker::operation_call(NodeId node, std::uint32_t index) {
  const Operation& operation = library_.operations[index];
  const auto& parameters = operation.parameters;
  CheckedCall checked{.operation = index, .arguments = std::vector<NodeId>(parameters.size(), kNoNode)};
  std::size_t position = 0;
  bool saw_named = false;
  bool is_wrong = false;  // so that a missing argument is told only when nothing else explains it
  const auto take = [&](std::size_t parameter, NodeId value, NodeId place) {
    if (checked.arguments[parameter] != kNoNode)
      report(Code::DuplicateArgument, place, fmt::format("`{}` is given twice", parameters[parameter].name))
          .label(tree_.span(checked.arguments[parameter]), "first given here");
    checked.arguments[parameter] = value;
    expect(value, parameters[parameter].type,
           fmt::format("`{}` of `{}`", parameters[parameter].name, operation.name));
  };
  for (const NodeId argument : tree_.kids(node).subspan(1)) {
    if (tree_.kind(argument) == NodeKind::NamedArgument) {
      saw_named = true;
      const NodeId ident = tree_.kid(argument, 0);
      const auto found = std::ranges::find(parameters, tree_.text(ident), &Parameter::name);
      if (found != parameters.end()) {
        take(static_cast<std::size_t>(found - parameters.begin()), tree_.kid(argument, 1), ident);
        continue;
      }
      std::vector<std::string> names;
      for (const Parameter& parameter : parameters) names.push_back(parameter.name);
      Diagnostic& d = report(Code::UnknownArgument, ident,
                             fmt::format("`{}` has no parameter `{}`", operation.name, tree_.text(ident)));
      if (const auto near = nearest_name(tree_.text(ident), names))
        d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
      else
        d.note(fmt::format("it is declared as {}", signature(operation, out_.types)));
      is_wrong = true;
      lone_argument(argument);
    } else if (saw_named) {
      report(Code::PositionalAfterNamed, argument, "an argument without a name cannot follow one with a name")
          .note(fmt::format("it is declared as {}", signature(operation, out_.types)));
      is_wrong = true;
      lone_argument(argument);
    } else if (position >= parameters.size()) {
      const auto all = tree_.kids(node).subspan(1);
      diagnostics_
          .report(Code::TooManyArguments, tree_.file,
                  {tree_.span(argument).begin, tree_.span(all.back()).end},
                  fmt::format("`{}` takes at most {} argument{}, and {} are given", operation.name,
                              parameters.size(), parameters.size() == 1 ? "" : "s", all.size()))
          .note(fmt::format("it is declared as {}", signature(operation, out_.types)));
      break;
    } else {
      take(position++, argument, argument);
    }
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (checked.arguments[i] == kNoNode && parameters[i].default_json.empty())
      missing.push_back(fmt::format("`{}: {}`", parameters[i].name, type_name(parameters[i].type)));
  if (!missing.empty() && !is_wrong) {
    const Span end{tree_.span(node).end - 1, tree_.span(node).end};
    diagnostics_
        .report(Code::MissingArgument, tree_.file, end,
                fmt::format("`{}` needs {}", operation.name, fmt::join(missing, ", ")))
        .expecting("expected before this")
        .note(fmt::format("it is declared as {}", signature(operation, out_.types)));
  }
  out_.calls.emplace(node, std::move(checked));
  return check_effect(node, operation) ? operation.result : error_type();
}

TypeId Checker::method(NodeId node, NodeId callee) {
  const NodeId receiver = tree_.kid(callee, 0);
  const std::string_view name = tree_.text(tree_.kid(callee, 1));
  const bool names_connector = tree_.kind(receiver) == NodeKind::Ident && is_loose_name(receiver) &&
                               std::ranges::find(library_.connectors, tree_.text(receiver),
                                                 &Connector::name) != library_.connectors.end();
  if (names_connector) return unknown_callee(callee);
  const TypeId type = expression(receiver);
  if (is_error(type)) return type;
  if (out_.types.is_optional(type))
    return may_be_null(receiver, type, fmt::format("what `{}` is called on", name));
  if (out_.types.is(type, TypeKind::List)) return list_method(node, receiver, type, name);
  if (out_.types.storage(type) == Storage::Text && type != kSecretType)
    return text_method(node, receiver, type, name);
  report(Code::UnknownOperation, tree_.kid(callee, 1),
         fmt::format("`{}` has no method `{}`", type_name(type), name));
  return error_type();
}

TypeId Checker::text_method(NodeId node, NodeId receiver, TypeId type, std::string_view name) {
  const NodeId callee = tree_.kid(node, 0);
  const auto found = std::ranges::find(kTextMethods, name, &TextMethod::name);
  if (found == std::end(kTextMethods)) {
    std::vector<std::string> names;
    for (const TextMethod& method : kTextMethods) names.emplace_back(method.name);
    Diagnostic& d = report(Code::UnknownOperation, tree_.kid(callee, 1),
                           fmt::format("`{}` has no method `{}`", type_name(type), name));
    if (const auto near = nearest_name(name, names))
      d.fix(tree_.span(tree_.kid(callee, 1)), *near, fmt::format("did you mean `{}`?", *near));
    else
      d.note(fmt::format("its methods are {}", fmt::join(names, ", ")));
    return error_type();
  }
  CheckedMethod method{
      .kind = CheckedMethod::Kind::Native, .native = found->native, .receiver = receiver, .arguments = {}};
  for (const NodeId argument : tree_.kids(node).subspan(1)) {
    if (method.arguments.size() == found->arguments) {
      report(
          Code::TooManyArguments, argument,
          fmt::format("`{}` takes {} argument{}", name, found->arguments, found->arguments == 1 ? "" : "s"));
      return error_type();
    }
    expect(argument, kStringType, fmt::format("the argument of `{}`", name));
    method.arguments.push_back(argument);
  }
  if (method.arguments.size() < found->arguments) {
    report(Code::MissingArgument, node,
           fmt::format("`{}` takes {} argument{}", name, found->arguments, found->arguments == 1 ? "" : "s"));
    return error_type();
  }
  out_.methods.emplace(node, std::move(method));
  const TypeId result = native_result(found->native);
  return result == kStringType ? type : result;
}

TypeId Checker::list_method(NodeId node, NodeId receiver, TypeId type, std::string_view name) {
  using Kind = CheckedMethod::Kind;
  const NodeId callee = tree_.kid(node, 0);
  const auto arguments = tree_.kids(node).subspan(1);
  const TypeId element = out_.types[type].element;
  if (name == "length" && arguments.empty()) {
    out_.methods.emplace(node,
                         CheckedMethod{.kind = Kind::ListLength, .receiver = receiver, .arguments = {}});
    return kIntType;
  }
  if (name == "contains" && arguments.size() == 1) {
    expect(arguments[0], element, "what is looked for");
    out_.methods.emplace(
        node, CheckedMethod{.kind = Kind::ListContains, .receiver = receiver, .arguments = {arguments[0]}});
    return kBoolType;
  }
  if ((name == "any" || name == "all") && arguments.size() == 1 &&
      tree_.kind(arguments[0]) == NodeKind::Lambda && tree_.kids(arguments[0]).size() == 2) {
    const std::size_t scope = scope_.size();
    CheckedMethod method{.kind = name == "any" ? Kind::Any : Kind::All,
                         .receiver = receiver,
                         .arguments = {tree_.kid(arguments[0], 1)}};
    method.parameter = declare_local(tree_.kid(arguments[0], 0), element);
    flow_->locals[method.parameter].is_used = true;
    boolean(tree_.kid(arguments[0], 1), fmt::format("what `{}` tests", name));
    leave_scope(scope);
    out_.methods.emplace(node, std::move(method));
    return kBoolType;
  }
  const bool is_known = std::ranges::find(kListMethods, name) != std::end(kListMethods);
  if (is_known) {
    report(Code::TypeMismatch, node,
           fmt::format("`{}` is called as {}", name,
                       name == "length"     ? "`list.length()`"
                       : name == "contains" ? "`list.contains(item)`"
                                            : "`list." + std::string(name) + "(x => …)`"));
  } else {
    std::vector<std::string> names(std::begin(kListMethods), std::end(kListMethods));
    Diagnostic& d = report(Code::UnknownOperation, tree_.kid(callee, 1),
                           fmt::format("a list has no method `{}` in this version of Flow", name));
    if (const auto near = nearest_name(name, names))
      d.fix(tree_.span(tree_.kid(callee, 1)), *near, fmt::format("did you mean `{}`?", *near));
    else
      d.note(fmt::format("its methods are {}", fmt::join(names, ", ")));
  }
  return error_type();
}

}  // namespace flow
