// Calls of standard functions: which overload is meant, what its type parameters stand for, and whether the
// arguments fit. `x.f(y)` and `f(x, y)` are the same.
#include <algorithm>

#include "base/text.hpp"
#include "base/time_pattern.hpp"
#include "base/time_zone.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/literals.hpp"
#include "compiler/check/standard_functions.hpp"
#include "compiler/syntax/literal.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

using Pattern = TypePattern::Kind;

bool is_editable_text(const TypeTable& types, TypeId type) {
  return types.storage(type) == Storage::Text && !types.is_optional(type) && type != kSecretType &&
         type != kHtmlType && type != kKqlType;
}

// `list.first(test: T => Bool)`, or `first(list, …)` when it is called so.
std::string form(const StandardFunction& function) {
  // The signature's parameters, behind the first.
  std::string_view rest = function.signature;
  rest.remove_prefix(rest.find('(') + 1);
  rest = rest.substr(0, rest.rfind(") ->"));
  if (function.parameters.empty()) return function.name + "()";
  std::size_t depth = 0, end = rest.size();
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '<' || rest[i] == '(') ++depth;
    if ((rest[i] == '>' && rest[i - 1] != '=') || rest[i] == ')') --depth;
    if (rest[i] == ',' && depth == 0) {
      end = i;
      break;
    }
  }
  const std::string_view others = end == rest.size() ? std::string_view() : rest.substr(end + 2);
  return fmt::format("{}.{}({})", function.parameters[0].name, function.name, others);
}

}  // namespace

// ---- Types of patterns

bool Checker::unify(const TypePattern& pattern, TypeId type, Bound& bound, bool is_first) {
  switch (pattern.kind) {
    case Pattern::Known:
      if (is_first && pattern.type == kStringType) return is_editable_text(out_.types, type);
      return out_.types.accepts(pattern.type, type);
    case Pattern::Variable: {
      TypeId& known = bound[pattern.variable];
      if (known == kNoType) known = type;
      return out_.types.accepts(known, type);
    }
    case Pattern::Optional:
      return type == kNullType || unify(pattern.children[0], out_.types.without_null(type), bound, false);
    case Pattern::List:
      return out_.types.is(type, TypeKind::List) &&
             unify(pattern.children[0], out_.types[type].element, bound, false);
    case Pattern::Map:
      return out_.types.is(type, TypeKind::Map) &&
             unify(pattern.children[0], out_.types[type].key, bound, false) &&
             unify(pattern.children[1], out_.types[type].element, bound, false);
    case Pattern::Entry:
    case Pattern::Function: break;
  }
  return false;
}

// The type that the pattern is, or kNoType when a type parameter is not known yet.
TypeId Checker::substituted(const TypePattern& pattern, const Bound& bound) {
  const auto child = [&](std::size_t i) { return substituted(pattern.children[i], bound); };
  switch (pattern.kind) {
    case Pattern::Known: return pattern.type;
    case Pattern::Variable: return bound[pattern.variable];
    case Pattern::Optional: {
      const TypeId element = child(0);
      return element == kNoType ? kNoType : out_.types.optional(element);
    }
    case Pattern::List: {
      const TypeId element = child(0);
      return element == kNoType ? kNoType : out_.types.list(element);
    }
    case Pattern::Map:
    case Pattern::Entry: {
      const TypeId key = child(0), element = child(1);
      if (key == kNoType || element == kNoType) return kNoType;
      return pattern.kind == Pattern::Map ? out_.types.map(key, element) : entry_type(key, element);
    }
    case Pattern::Function: break;
  }
  return kNoType;
}

TypeId Checker::entry_type(TypeId key, TypeId value) {
  const auto [at, is_new] = entry_types_.emplace(std::pair(key, value), kNoType);
  if (is_new) {
    RecordType record{.name = "Entry", .fields = {}, .doc = {}};
    record.fields.push_back({.name = "key", .wire = "key", .type = key, .doc = {}});
    record.fields.push_back({.name = "value", .wire = "value", .type = value, .doc = {}});
    at->second = out_.types.add_record(std::move(record));
  }
  return at->second;
}

// ---- Which function is meant

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
      if (pattern.kind == Pattern::Known && is_editable_text(out_.types, pattern.type)) wanted = pattern.type;
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
    forms += fmt::format("{}`{}`", forms.empty() ? "" : " or ", form(library_.functions[index]));
  report(Code::TypeMismatch, call.node, fmt::format("`{}` is called as {}", tree_.text(call.ident), forms));
  for (const NodeId argument : call.rest) lone_argument(argument);
  return error_type();
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
  else
    d.note(fmt::format("its methods are {}", fmt::join(names, ", ")));
  return error_type();
}

// ---- Whether the arguments fit

bool Checker::meets(TypeBound bound, TypeId type) const {
  const TypeTable& types = out_.types;
  switch (bound) {
    case TypeBound::Any: return true;
    case TypeBound::Text: return is_editable_text(types, type);
    case TypeBound::Ordered: return types.is_orderable(type);
    case TypeBound::Comparable: return types.is_equatable(type);
    case TypeBound::Key: return types.is_map_key(type);
    case TypeBound::Number: return type == kIntType || type == kFloatType || type == kDurationType;
    case TypeBound::Row:
      return types.is(type, TypeKind::Record) ||
             (types.is(type, TypeKind::Map) && types[type].key == kStringType);
  }
  return false;
}

bool Checker::meets_bounds(const StandardFunction& function, const Bound& bound) const {
  for (std::size_t i = 0; i < bound.size(); ++i)
    if (bound[i] != kNoType && !is_error(bound[i]) && !meets(function.bounds[i], bound[i])) return false;
  return true;
}

// Reports the first type parameter that stands for what it cannot.
bool Checker::bounds_hold(const FunctionCall& call, const StandardFunction& function, const Bound& bound) {
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const TypeId type = bound[i];
    if (type == kNoType || is_error(type) || meets(function.bounds[i], type)) continue;
    const std::string shown = type_name(type);
    const bool by_lambda = std::ranges::any_of(
        function.parameters, [](const auto& parameter) { return parameter.type.kind == Pattern::Function; });
    const auto refuse = [&](const std::string& message, std::string_view note) {
      Diagnostic& d = report(Code::OperatorMismatch, call.ident, message);
      if (!note.empty()) d.note(std::string(note));
      return false;
    };
    const std::string& name = function.name;
    switch (function.bounds[i]) {
      case TypeBound::Ordered:
        return refuse(fmt::format("`{}` needs values with an order, and `{}` has none", name, shown),
                      by_lambda        ? "numbers, texts, times, durations and ordered enums have one"
                      : name == "sort" ? "say by what to sort: `list.sortBy(x => …)`"
                                       : "take a value of each first: `list.map(x => …)`");
      case TypeBound::Number:
        return refuse(fmt::format("`{}` adds numbers, and this list holds `{}`", name, shown),
                      type == kStringType ? "to join texts write `list.join(\", \")`"
                                          : "take a number of each first: `list.sum(x => …)`");
      case TypeBound::Comparable:
        return refuse(fmt::format("values of `{}` cannot be compared", shown),
                      name == "contains" ? "test its items: `list.any(x => …)`"
                                         : "take a value of each first: `list.map(x => …)`");
      case TypeBound::Key:
        return refuse(fmt::format("`{}` cannot be the key of a map", shown),
                      "keys are String, Int, Bool, enums, and types kept as text, as Email");
      case TypeBound::Row:
        return refuse(fmt::format("`{}` makes rows of records and of maps with texts as keys, and this list "
                                  "holds `{}`",
                                  name, shown),
                      "make a map of each first: `list.map(x => { name: x })`");
      default: return refuse(fmt::format("`{}` does not take `{}`", name, shown), "");
    }
  }
  return true;
}

TypeId Checker::checked_call(const FunctionCall& call, std::uint32_t index, TypeId first_type) {
  const StandardFunction& function = library_.functions[index];
  const FunctionBinding* binding = function_binding(function.key);
  CheckedMethod method{.kind = binding == nullptr ? CheckedMethod::Kind::Native : binding->kind,
                       .native = binding == nullptr ? NativeId::lower : binding->native,
                       .function = index,
                       .receiver = call.first,
                       .arguments = {}};
  Bound bound(function.type_parameters.size(), kNoType);
  unify(function.parameters[0].type, first_type, bound, true);
  if (function.name == "contains" && !bound.empty() && function.bounds[0] == TypeBound::Comparable &&
      out_.types.is_optional(bound[0])) {
    Bound bare{out_.types.without_null(bound[0])};  // `null` may be looked for
    if (!bounds_hold(call, function, bare)) return argument_mistakes(call);
  } else if (!bounds_hold(call, function, bound)) {
    return argument_mistakes(call);
  }
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
  if (!is_right || !bounds_hold(call, function, bound)) return error_type();
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

TypeId Checker::argument_mistakes(const FunctionCall& call) {
  for (const NodeId argument : call.rest) lone_argument(argument);
  return error_type();
}

// The arguments by parameter; kNoNode takes the default.
bool Checker::sort_arguments(const FunctionCall& call, const StandardFunction& function,
                             std::vector<NodeId>& by_parameter) {
  by_parameter.assign(function.parameters.size(), kNoNode);
  by_parameter[0] = call.first;
  std::size_t next = 1;
  const std::string declared = fmt::format("it is declared as {}", function.signature);
  bool is_right = true, saw_named = false;
  for (const NodeId argument : call.rest) {
    std::size_t place = next;
    if (tree_.kind(argument) == NodeKind::NamedArgument) {
      saw_named = true;
      const NodeId ident = tree_.kid(argument, 0);
      const auto named =
          std::ranges::find(function.parameters, tree_.text(ident), &StandardFunction::Parameter::name);
      place = static_cast<std::size_t>(named - function.parameters.begin());
      if (named == function.parameters.end() || place == 0) {
        std::vector<std::string> names;
        for (const auto& parameter : function.parameters) names.push_back(parameter.name);
        names.erase(names.begin());
        Diagnostic& d = report(Code::UnknownArgument, ident,
                               fmt::format("`{}` has no parameter `{}`", function.name, tree_.text(ident)));
        if (const auto near = nearest_name(tree_.text(ident), names))
          d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
        else
          d.note(declared);
        is_right = false;
        continue;
      }
      if (by_parameter[place] != kNoNode) {
        report(Code::DuplicateArgument, ident, fmt::format("`{}` is given twice", tree_.text(ident)))
            .label(tree_.span(by_parameter[place]), "first given here");
        is_right = false;
      }
      by_parameter[place] = tree_.kid(argument, 1);
      continue;
    }
    if (saw_named) {
      report(Code::PositionalAfterNamed, argument, "an argument without a name cannot follow one with a name")
          .note(declared);
      is_right = false;
      break;
    }
    if (place >= function.parameters.size()) {
      const std::size_t most = function.parameters.size() - 1;
      report(Code::TooManyArguments, argument,
             fmt::format("`{}` takes {} argument{}", function.name, most == 0 ? "no" : std::to_string(most),
                         most == 1 ? "" : "s"))
          .note(declared);
      is_right = false;
      break;
    }
    by_parameter[next++] = argument;
  }
  for (std::size_t i = 1; i < by_parameter.size() && is_right; ++i)
    if (by_parameter[i] == kNoNode && function.parameters[i].default_json.empty()) {
      const Span end{tree_.span(call.node).end - 1, tree_.span(call.node).end};
      diagnostics_
          .report(Code::MissingArgument, tree_.file, end,
                  fmt::format("`{}` needs `{}`", function.name, function.parameters[i].name))
          .expecting("expected before this")
          .note(declared);
      is_right = false;
    }
  if (!is_right) argument_mistakes(call);
  return is_right;
}

bool Checker::plain_argument(const FunctionCall& call, const StandardFunction& function, std::size_t place,
                             NodeId argument, Bound& bound, CheckedMethod& method) {
  static_cast<void>(call);
  const StandardFunction::Parameter& parameter = function.parameters[place];
  const std::string what = fmt::format("`{}` of `{}`", parameter.name, function.name);
  method.arguments.push_back(argument);
  if (tree_.kind(argument) == NodeKind::Lambda) {
    report(Code::TypeMismatch, argument, fmt::format("{} is a value, and no lambda", what));
    return false;
  }
  const TypeId wanted = substituted(parameter.type, bound);
  if (wanted != kNoType) {
    const std::size_t before = diagnostics_.all().size();
    expect(argument, wanted, what);
    if (is_error(out_.type[argument]) || diagnostics_.all().size() != before) return false;
    return method.kind != CheckedMethod::Kind::Native || literal_fits(method.native, place, argument);
  }
  const TypeId type = kept_value(argument);
  if (is_error(type)) return false;
  if (unify(parameter.type, type, bound, false)) return true;
  report(Code::TypeMismatch, argument,
         fmt::format("{} does not take {}, which is `{}`", what, quoted(argument), type_name(type)))
      .note(fmt::format("it is declared as {}", function.signature));
  return false;
}

bool Checker::lambda_argument(const FunctionCall& call, const StandardFunction& function, std::size_t place,
                              NodeId argument, Bound& bound, CheckedMethod& method) {
  static_cast<void>(call);
  const StandardFunction::Parameter& parameter = function.parameters[place];
  const TypePattern& pattern = parameter.type;
  const auto kids = tree_.kids(argument);
  if (tree_.kind(argument) != NodeKind::Lambda || kids.size() != pattern.children.size()) {
    report(Code::TypeMismatch, call.node,
           fmt::format("`{}` is called as `{}`", function.name, form(function)));
    lone_argument(argument);
    return false;
  }
  const std::size_t scope = scope_.size();
  for (std::size_t i = 0; i + 1 < kids.size(); ++i) {
    const TypeId type = substituted(pattern.children[i], bound);
    const std::uint32_t local = declare_local(kids[i], type == kNoType ? error_type() : type);
    body_->locals[local].is_used = true;
    method.locals.push_back(local);
  }
  const NodeId body = kids.back();
  method.arguments.push_back(body);
  method.has_lambda = true;
  const TypePattern& result = pattern.children.back();
  bool is_right = true;
  if (const TypeId wanted = substituted(result, bound); wanted != kNoType) {
    const std::size_t before = diagnostics_.all().size();
    expect(body, wanted,
           wanted == kBoolType ? fmt::format("what `{}` tests", function.name)
                               : fmt::format("what the lambda of `{}` gives", function.name));
    is_right = diagnostics_.all().size() == before;
  } else {
    const TypeId type = kept_value(body);
    if (is_error(type)) {
      is_right = false;
    } else if (!unify(result, type, bound, false)) {
      Diagnostic& d =
          report(Code::OperatorMismatch, call.ident,
                 fmt::format("`{}` joins lists, and its lambda gives `{}`", function.name, type_name(type)));
      d.note("to make one item of each write `list.map(x => …)`");
      is_right = false;
    }
  }
  leave_scope(scope);
  return is_right;
}

// What a native can say of a literal before the run: patterns and time zones.
bool Checker::literal_fits(NativeId native, std::size_t place, NodeId argument) {
  const NativeInfo& row = *native_info(native);
  if (place >= row.argument_count) return true;
  const NodeKind kind = tree_.kind(argument);
  if ((kind != NodeKind::Text && kind != NodeKind::RawText) || has_holes(tree_, argument)) return true;
  Diagnostics told;
  const std::string text = plain_text(tree_, argument, told);
  std::string wrong;
  const char* what = "";
  std::optional<std::string> near;
  switch (row.arguments[place].role) {
    case NativeType::Role::Regex:
      wrong = regex_mistake(text);
      what = "regular expression";
      break;
    case NativeType::Role::TimePattern:
      wrong = time_pattern_mistake(text);
      what = "pattern of a time";
      break;
    case NativeType::Role::DurationPattern:
      wrong = duration_pattern_mistake(text);
      what = "pattern of a duration";
      break;
    case NativeType::Role::Zone:
      if (TimeZone::named(text)) return true;
      wrong = "write one as `Europe/Berlin` or `UTC`";
      what = "time zone";
      near = nearest_time_zone(text);
      break;
    default: return true;
  }
  if (wrong.empty()) return true;
  Diagnostic& d =
      report(Code::InvalidLiteral, argument, fmt::format("{} is no {}: {}", quoted(argument), what, wrong));
  if (near) d.fix(tree_.span(argument), json_quoted(*near), fmt::format("did you mean `{}`?", *near));
  return false;
}

// ---- What types alone do not say

void Checker::read_all_fields(TypeId type, std::set<TypeId>& seen) {
  if (!seen.insert(type).second) return;
  const Type& shape = out_.types[type];
  switch (shape.kind) {
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: return read_all_fields(shape.element, seen);
    case TypeKind::Record:
      for (std::uint32_t i = 0; i < out_.types.record(type).fields.size(); ++i) {
        out_.fields_read.insert({type, i});
        read_all_fields(out_.types.record(type).fields[i].type, seen);
      }
      return;
    default: return;
  }
}

bool Checker::special_rules(const FunctionCall& call, CheckedMethod& method, TypeId first, TypeId result) {
  using Kind = CheckedMethod::Kind;
  switch (method.kind) {
    case Kind::ToJson: {
      std::set<TypeId> seen;
      read_all_fields(first, seen);
      if (seen.contains(kSecretType) || seen.contains(kNothingType)) {
        report(Code::OperatorMismatch, call.ident, fmt::format("`{}` has no JSON", type_name(first)));
        return false;
      }
      return true;
    }
    case Kind::MapEntries: {
      const TypeId entry = out_.types[result].element;
      out_.fields_read.insert({entry, 0});
      out_.fields_read.insert({entry, 1});
      return true;
    }
    case Kind::HtmlTable:
    case Kind::CsvTable: return table_columns(call, method, first);
    default: return true;
  }
}

// Whether a value can stand in a cell of a table.
bool Checker::is_cell(TypeId type) const {
  const TypeId bare = out_.types.without_null(type);
  if (out_.types.is(bare, TypeKind::List)) return out_.types[bare].element == kStringType;
  const Storage storage = out_.types.storage(bare);
  return bare != kSecretType && bare != kKqlType &&
         (storage == Storage::Bool || storage == Storage::Int || storage == Storage::Float ||
          storage == Storage::Text || storage == Storage::Enum);
}

// Records have their columns when the flow is compiled: those that are named in place, or all fields that can
// stand in a cell.
bool Checker::table_columns(const FunctionCall& call, CheckedMethod& method, TypeId rows) {
  const TypeId row = out_.types[rows].element;
  const NodeId columns = method.arguments[0];
  if (out_.types.is(row, TypeKind::Map)) {
    if (is_cell(out_.types[row].element)) return true;
    report(Code::OperatorMismatch, call.ident,
           fmt::format("`{}` cannot stand in a cell of a table", type_name(out_.types[row].element)));
    return false;
  }
  const RecordType& record = out_.types.record(row);
  if (columns == kNoNode) {
    for (std::uint32_t i = 0; i < record.fields.size(); ++i)
      if (is_cell(record.fields[i].type)) method.columns.push_back(i);
  } else if (tree_.kind(columns) != NodeKind::List) {
    report(Code::TypeMismatch, columns, "the columns of records are named in place, as `[\"name\", \"ip\"]`");
    return false;
  } else {
    for (const NodeId item : tree_.kids(columns)) {
      Diagnostics told;
      const bool is_name = tree_.kind(item) == NodeKind::Text && !has_holes(tree_, item);
      const std::string name = is_name ? plain_text(tree_, item, told) : std::string();
      const auto field = record.field(name);
      if (!field) {
        Diagnostic& d =
            report(Code::UnknownField, item, fmt::format("`{}` has no field {}", record.name, quoted(item)));
        std::vector<std::string> names;
        for (const RecordField& known : record.fields) names.push_back(known.name);
        if (const auto near = nearest_name(name, names))
          d.fix(tree_.span(item), json_quoted(*near), fmt::format("did you mean `{}`?", *near));
        return false;
      }
      if (!is_cell(record.fields[*field].type)) {
        report(Code::OperatorMismatch, item,
               fmt::format("{} is `{}`, which cannot stand in a cell of a table", quoted(item),
                           type_name(record.fields[*field].type)));
        return false;
      }
      method.columns.push_back(*field);
    }
  }
  for (const std::uint32_t field : method.columns) out_.fields_read.insert({row, field});
  return true;
}

}  // namespace flow
