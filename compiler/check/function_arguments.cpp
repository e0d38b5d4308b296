// Whether the arguments of a standard function fit: their order and names, lambdas, and what literals say
// before the run.
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

}  // namespace

// `list.first(test: T => Bool)`, or `first(list, …)` when it is called so.
std::string form_of_call(const StandardFunction& function) {
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
      // In its own place, a name only says what stands there.
      const bool is_in_place = !saw_named && place == next;
      saw_named = !is_in_place;
      next += is_in_place ? 1 : 0;
      if (by_parameter[place] != kNoNode) {
        report(Code::DuplicateArgument, ident, fmt::format("`{}` is given twice", tree_.text(ident)))
            .label(tree_.span(by_parameter[place]), "first given here");
        is_right = false;
      }
      by_parameter[place] = tree_.kid(argument, 1);
      continue;
    }
    if (saw_named) {
      report(Code::PositionalAfterNamed, argument,
             "an argument without a name cannot follow one that is named out of its place")
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
           fmt::format("`{}` is called as `{}`", function.name, form_of_call(function)));
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

}  // namespace flow
