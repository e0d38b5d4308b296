// Calls of standard functions: which overload is meant. `x.f(y)` and `f(x, y)` are the same.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/standard_functions.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

using Pattern = TypePattern::Kind;

}  // namespace

TypeId Checker::standard_call(NodeId node, NodeId ident, NodeId receiver) {
  const std::string_view name = tree_.text(ident);
  const auto given = tree_.kids(node).subspan(1);
  FunctionCall call{.node = node, .ident = ident, .first = receiver, .rest = {}};
  for (const NodeId argument : given) call.rest.push_back(argument);
  if (receiver == kNoNode) {
    const bool has_first = !given.empty() && tree_.kind(given[0]) != NodeKind::NamedArgument &&
                           tree_.kind(given[0]) != NodeKind::Lambda;
    if (!has_first) return no_such_form(call, library_.function_names.find(name)->second);
    call.first = given[0];
    call.rest.erase(call.rest.begin());
  }
  const auto found = library_.function_names.find(name);
  const TypeId type = first_argument(call, found == library_.function_names.end() ? nullptr : &found->second);
  if (is_error(type)) {
    for (const NodeId argument : call.rest) lone_argument(argument);
    return type;
  }
  std::vector<std::uint32_t> fitting;
  if (found != library_.function_names.end())
    for (const std::uint32_t index : found->second) {
      Bound bound(library_.functions[index].type_parameters.size(), kNoType);
      if (unify(library_.functions[index].parameters[0].type, type, bound, true)) fitting.push_back(index);
    }
  if (fitting.empty()) {
    for (const NodeId argument : call.rest) lone_argument(argument);
    return no_such_function(call, type);
  }
  if (fitting.size() > 1)
    std::erase_if(fitting, [&](std::uint32_t index) { return !has_form(call, library_.functions[index]); });
  if (fitting.empty()) {
    std::vector<std::uint32_t> all;
    for (const std::uint32_t index : found->second) {
      Bound bound(library_.functions[index].type_parameters.size(), kNoType);
      if (unify(library_.functions[index].parameters[0].type, type, bound, true)) all.push_back(index);
    }
    return no_such_form(call, all);
  }
  return checked_call(call, fitting.front(), type);
}

// The type of the first argument. A text in quotes takes the type that the functions of this name want.
TypeId Checker::first_argument(const FunctionCall& call, const std::vector<std::uint32_t>* overloads) {
  NodeId first = call.first;
  while (tree_.kind(first) == NodeKind::Paren) first = tree_.kid(first, 0);
  const bool is_literal = tree_.kind(first) == NodeKind::Text && !has_holes(tree_, first);
  TypeId wanted = kNoType;
  if (is_literal && overloads != nullptr)
    for (const std::uint32_t index : *overloads) {
      const TypePattern& pattern = library_.functions[index].parameters[0].type;
      const bool is_text = pattern.kind == Pattern::Variable ||
                           (pattern.kind == Pattern::Known && pattern.type == kStringType);
      if (is_text) {
        wanted = kNoType;
        break;
      }
      if (pattern.kind == Pattern::Known && is_plain_text(out_.types, pattern.type)) wanted = pattern.type;
    }
  const TypeId type = expression(call.first, wanted);
  if (is_error(type)) return type;
  const auto takes_all = [&](std::uint32_t index) {
    const StandardFunction& function = library_.functions[index];
    const TypePattern& pattern = function.parameters[0].type;
    return pattern.kind == Pattern::Variable && function.bounds[pattern.variable] == TypeBound::Any;
  };
  if (out_.types.is_optional(type) && !(overloads != nullptr && std::ranges::any_of(*overloads, takes_all)))
    return may_be_null(call.first, type, fmt::format("what `{}` is called on", tree_.text(call.ident)));
  if (type == kNothingType || type == kNullType) {
    report(Code::NotAValue, call.first, fmt::format("{} gives no value", quoted(call.first)));
    return error_type();
  }
  return type;
}

// Whether there are as many arguments as it takes, by these names, and lambdas where it takes lambdas.
bool Checker::has_form(const FunctionCall& call, const StandardFunction& function) const {
  std::vector<std::uint8_t> is_given(function.parameters.size(), 0);
  is_given[0] = 1;
  std::size_t next = 1;
  for (const NodeId argument : call.rest) {
    NodeId value = argument;
    std::size_t place = next++;
    if (tree_.kind(argument) == NodeKind::NamedArgument) {
      value = tree_.kid(argument, 1);
      const auto named = std::ranges::find(function.parameters, tree_.text(tree_.kid(argument, 0)),
                                           &StandardFunction::Parameter::name);
      place = static_cast<std::size_t>(named - function.parameters.begin());
    }
    if (place >= function.parameters.size() || is_given[place] != 0) return false;
    is_given[place] = 1;
    const TypePattern& pattern = function.parameters[place].type;
    const bool is_lambda = tree_.kind(value) == NodeKind::Lambda;
    if (is_lambda != (pattern.kind == Pattern::Function)) return false;
    if (is_lambda && tree_.kids(value).size() != pattern.children.size()) return false;
  }
  for (std::size_t i = 0; i < is_given.size(); ++i)
    if (is_given[i] == 0 && function.parameters[i].default_json.empty()) return false;
  return true;
}

TypeId Checker::no_such_form(const FunctionCall& call, const std::vector<std::uint32_t>& overloads) {
  std::string forms;
  for (const std::uint32_t index : overloads)
    forms += fmt::format("{}`{}`", forms.empty() ? "" : " or ", form_of_call(library_.functions[index]));
  report(Code::TypeMismatch, call.node, fmt::format("`{}` is called as {}", tree_.text(call.ident), forms));
  for (const NodeId argument : call.rest) lone_argument(argument);
  return error_type();
}

// For which types there is a function of the name.
std::string Checker::takers(const std::vector<std::uint32_t>& overloads) const {
  std::string types;
  for (const std::uint32_t index : overloads) {
    const std::string& key = library_.functions[index].key;  // `join(List<String>, String)`
    const std::size_t begin = key.find('(') + 1;
    std::size_t end = begin, depth = 0;
    for (; key[end] != ')' && (key[end] != ',' || depth > 0); ++end) {
      if (key[end] == '<') ++depth;
      if (key[end] == '>') --depth;
    }
    const std::string taken = fmt::format("`{}`", key.substr(begin, end - begin));
    if (types.find(taken) == std::string::npos) types += (types.empty() ? "" : ", ") + taken;
  }
  const StandardFunction& first = library_.functions[overloads.front()];
  return fmt::format("`{}` is for {}", first.name, types);
}

TypeId Checker::no_such_function(const FunctionCall& call, TypeId type) {
  const std::string_view name = tree_.text(call.ident);
  std::vector<std::string> names;
  for (const auto& [known, overloads] : library_.function_names)
    for (const std::uint32_t index : overloads) {
      const StandardFunction& function = library_.functions[index];
      Bound bound(function.type_parameters.size(), kNoType);
      if (unify(function.parameters[0].type, type, bound, true) && meets_bounds(function, bound) &&
          (names.empty() || names.back() != known))
        names.push_back(known);
    }
  const std::string what = out_.types.is(type, TypeKind::List)  ? "a list"
                           : out_.types.is(type, TypeKind::Map) ? "a map"
                                                                : fmt::format("`{}`", type_name(type));
  Diagnostic& d =
      report(Code::UnknownOperation, call.ident, fmt::format("{} has no method `{}`", what, name));
  const bool has_items = out_.types.is(type, TypeKind::Map) || out_.types.is(type, TypeKind::List);
  if (has_items && (name == "get" || name == "at") && call.rest.size() == 1 &&
      advise_index(call.node, call.first, call.rest[0], d))
    return error_type();
  const ForeignName* foreign = foreign_name(name);
  const auto near = nearest_name(name, names);
  if (foreign != nullptr && std::ranges::find(names, foreign->replacement) != names.end() &&
      !(near && equals_ignoring_case(*near, name)))
    d.fix(tree_.span(call.ident), std::string(foreign->replacement),
          fmt::format("write {}", foreign->advice));
  else if (foreign != nullptr && foreign->replacement.empty())
    d.note(fmt::format("write {}", foreign->advice));
  else if (near)
    d.fix(tree_.span(call.ident), *near, fmt::format("did you mean `{}`?", *near));
  else if (const auto known = library_.function_names.find(name); known != library_.function_names.end())
    d.note(takers(known->second));
  else if (constexpr std::size_t kFew = 40; names.size() <= kFew)
    d.note(fmt::format("its methods are {}", fmt::join(names, ", ")));
  else
    d.note("docs/generated/functions.md lists its methods");
  return error_type();
}

TypeId Checker::checked_call(const FunctionCall& call, std::uint32_t index, TypeId first_type) {
  const StandardFunction& function = library_.functions[index];
  const FunctionBinding* binding = function_binding(function.key);
  CheckedMethod method{.kind = binding == nullptr ? CheckedMethod::Kind::Native : binding->kind,
                       .native = binding == nullptr ? NativeId::lower : binding->native,
                       .function = index,
                       .receiver = call.first,
                       .arguments = {},
                       .locals = {},
                       .columns = {}};
  Bound bound(function.type_parameters.size(), kNoType);
  unify(function.parameters[0].type, first_type, bound, true);
  // `null` may be looked for in a list that holds it.
  const bool takes_null = method.kind == CheckedMethod::Kind::ListContains;
  const auto bounds_are_met = [&] {
    Bound held = bound;
    for (TypeId& type : held)
      if (takes_null && type != kNoType) type = out_.types.without_null(type);
    return bounds_hold(call, function, held);
  };
  if (!bounds_are_met()) return argument_mistakes(call);
  std::vector<NodeId> by_parameter;
  if (!sort_arguments(call, function, by_parameter)) return error_type();
  bool is_right = true;
  for (std::size_t i = 1; i < function.parameters.size(); ++i) {
    const NodeId argument = by_parameter[i];
    if (argument == kNoNode)
      method.arguments.push_back(kNoNode);
    else if (function.parameters[i].type.kind == Pattern::Function)
      is_right = lambda_argument(call, function, i, argument, bound, method) && is_right;
    else
      is_right = plain_argument(call, function, i, argument, bound, method) && is_right;
  }
  if (!is_right || !bounds_are_met()) return error_type();
  if (std::ranges::any_of(bound, [&](TypeId type) { return type != kNoType && is_error(type); }))
    return error_type();
  const TypeId result = substituted(function.result, bound);
  if (!special_rules(call, method, first_type, result)) return error_type();
  if (method.kind == CheckedMethod::Kind::Range) {  // has no receiver
    method.arguments.insert(method.arguments.begin(), method.receiver);
    method.receiver = kNoNode;
  }
  out_.methods.insert_or_assign(call.node, std::move(method));
  return result == kNoType ? error_type() : result;
}

}  // namespace flow
