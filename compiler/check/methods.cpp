// Methods of texts, lists and maps.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "vm/bytecode/op_table.hpp"

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

enum class Argument : std::uint8_t { None, Value, Number, Separator, Test, OptionalTest, Lambda };
struct CollectionMethod {
  std::string_view name;
  CheckedMethod::Kind kind;
  Argument argument;
  std::string_view form;
};
constexpr CollectionMethod kListMethods[] = {
#define FLOW_LIST_METHOD(kind, name, argument, form, meaning) \
  {#name, CheckedMethod::Kind::kind, Argument::argument, form},
#include "compiler/check/methods.def"
};
constexpr CollectionMethod kMapMethods[] = {
#define FLOW_MAP_METHOD(kind, name, argument, form, meaning) \
  {#name, CheckedMethod::Kind::kind, Argument::argument, form},
#include "compiler/check/methods.def"
};

const CollectionMethod& row_of(CheckedMethod::Kind kind) {
  const auto list = std::ranges::find(kListMethods, kind, &CollectionMethod::kind);
  return list != std::end(kListMethods) ? *list
                                        : *std::ranges::find(kMapMethods, kind, &CollectionMethod::kind);
}

TypeId native_result(NativeId native) {
  return native_info(native)->result.type;
}

}  // namespace

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
  if (out_.types.is(type, TypeKind::List) || out_.types.is(type, TypeKind::Map))
    return collection_method(node, receiver, type, name);
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
  out_.methods.insert_or_assign(node, std::move(method));
  const TypeId result = native_result(found->native);
  return result == kStringType ? type : result;
}

TypeId Checker::collection_method(NodeId node, NodeId receiver, TypeId type, std::string_view name) {
  const bool is_list = out_.types.is(type, TypeKind::List);
  const std::span<const CollectionMethod> known =
      is_list ? std::span<const CollectionMethod>(kListMethods) : kMapMethods;
  const NodeId ident = tree_.kid(tree_.kid(node, 0), 1);
  const auto found = std::ranges::find(known, name, &CollectionMethod::name);
  if (found == known.end()) {
    std::vector<std::string> names;
    for (const CollectionMethod& method : known) names.emplace_back(method.name);
    Diagnostic& d = report(Code::UnknownOperation, ident,
                           fmt::format("a {} has no method `{}`", is_list ? "list" : "map", name));
    if (const auto near = nearest_name(name, names))
      d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
    else
      d.note(fmt::format("its methods are {}", fmt::join(names, ", ")));
    for (const NodeId argument : tree_.kids(node).subspan(1)) lone_argument(argument);
    return error_type();
  }
  CheckedMethod method{.kind = found->kind, .receiver = receiver, .arguments = {}};
  TypeId lambda_type = kNoType;
  if (!method_arguments(node, type, method, lambda_type)) return error_type();
  out_.methods.insert_or_assign(node, std::move(method));
  return method_result(node, found->kind, type, lambda_type);
}

// Whether the call has the arguments that its method takes. `lambda_type` is what a lambda that may give
// anything gives.
bool Checker::method_arguments(NodeId node, TypeId type, CheckedMethod& method, TypeId& lambda_type) {
  const CollectionMethod& row = row_of(method.kind);
  const auto given = tree_.kids(node).subspan(1);
  const bool takes_lambda = row.argument == Argument::Test || row.argument == Argument::OptionalTest ||
                            row.argument == Argument::Lambda;
  const bool may_be_none = row.argument == Argument::None || row.argument == Argument::OptionalTest;
  const bool is_lambda = given.size() == 1 && tree_.kind(given[0]) == NodeKind::Lambda;
  const bool has_one_parameter = is_lambda && tree_.kids(given[0]).size() == 2;
  const bool is_plain = given.size() == 1 && !is_lambda && tree_.kind(given[0]) != NodeKind::NamedArgument;
  const bool fits = given.empty()  ? may_be_none
                    : takes_lambda ? has_one_parameter
                                   : row.argument != Argument::None && is_plain;
  if (!fits) {
    report(Code::TypeMismatch, node, fmt::format("`{}` is called as `{}`", row.name, row.form));
    for (const NodeId argument : given) lone_argument(argument);
    return false;
  }
  if (given.empty()) return true;
  const TypeId element = out_.types[type].element;
  if (takes_lambda) {
    const NodeId body = tree_.kid(given[0], 1);
    const std::size_t scope = scope_.size();
    method.arguments = {body};
    method.has_lambda = true;
    method.parameter = declare_local(tree_.kid(given[0], 0), element);
    body_->locals[method.parameter].is_used = true;
    if (row.argument == Argument::Lambda)
      lambda_type = kept_value(body);
    else
      boolean(body, fmt::format("what `{}` tests", row.name));
    leave_scope(scope);
    return true;
  }
  method.arguments = {given[0]};
  switch (row.argument) {
    case Argument::Number: expect(given[0], kIntType, fmt::format("the argument of `{}`", row.name)); break;
    case Argument::Separator:
      expect(given[0], kStringType, fmt::format("the argument of `{}`", row.name));
      break;
    default:
      expect(given[0], out_.types.is(type, TypeKind::Map) ? out_.types[type].key : element,
             "what is looked for");
  }
  return true;
}

// The type of a call whose arguments fit; reports an item that the method cannot work with.
TypeId Checker::method_result(NodeId node, CheckedMethod::Kind kind, TypeId type, TypeId lambda_type) {
  using Kind = CheckedMethod::Kind;
  const NodeId ident = tree_.kid(tree_.kid(node, 0), 1);
  const TypeId element = out_.types[type].element;
  const std::string_view name = row_of(kind).name;
  if (is_error(element) || (lambda_type != kNoType && is_error(lambda_type))) return error_type();
  const auto refuse = [&](const std::string& message, const char* note) {
    report(Code::OperatorMismatch, ident, message).note(note);
    return error_type();
  };
  const auto without_order = [&](TypeId what, const char* note) {
    return refuse(fmt::format("`{}` needs values with an order, and `{}` has none", name, type_name(what)),
                  note);
  };
  switch (kind) {
    case Kind::ListLength:
    case Kind::ListCount: return kIntType;
    case Kind::ListContains:
    case Kind::ListAny:
    case Kind::ListAll: return kBoolType;
    case Kind::ListMap: return out_.types.list(lambda_type);
    case Kind::ListFlatMap:
      if (out_.types.is(lambda_type, TypeKind::List)) return lambda_type;
      return refuse(fmt::format("`flatMap` joins lists, and its lambda gives `{}`", type_name(lambda_type)),
                    "to make one item of each write `list.map(x => …)`");
    case Kind::ListFirst:
    case Kind::ListLast: return out_.types.optional(element);
    case Kind::ListSum:
      if (element == kIntType || element == kFloatType) return element;
      return refuse(fmt::format("`sum` adds numbers, and this list holds `{}`", type_name(element)),
                    element == kStringType ? "to join texts write `list.join(\", \")`"
                                           : "take a number of each first: `list.map(x => …).sum()`");
    case Kind::ListMin:
    case Kind::ListMax:
      if (out_.types.is_orderable(element)) return out_.types.optional(element);
      return without_order(element, "take a value of each first: `list.map(x => …)`");
    case Kind::ListSort:
      if (out_.types.is_orderable(element)) return type;
      return without_order(element, "say by what to sort: `list.sortBy(x => …)`");
    case Kind::ListSortBy:
      if (out_.types.is_orderable(lambda_type)) return type;
      return without_order(lambda_type, "numbers, texts, times, durations and ordered enums have one");
    case Kind::ListDistinct:
      if (out_.types.is_equatable(element)) return type;
      return refuse(fmt::format("values of `{}` cannot be compared", type_name(element)),
                    "take a value of each first: `list.map(x => …).distinct()`");
    case Kind::ListJoin:
      if (element == kStringType) return kStringType;
      return refuse(fmt::format("`join` joins texts, and this list holds `{}`", type_name(element)),
                    "make texts first: `list.map(x => \"{x}\").join(\", \")`");
    case Kind::ListFilter:
    case Kind::ListTake:
    case Kind::ListSkip:
    case Kind::ListReverse: return type;
    case Kind::MapLength: return kIntType;
    case Kind::MapContains: return kBoolType;
    case Kind::MapKeys: return out_.types.list(out_.types[type].key);
    case Kind::MapValues: return out_.types.list(element);
    case Kind::Native:
    case Kind::Range: break;  // no methods of lists and maps
  }
  return error_type();
}

}  // namespace flow
