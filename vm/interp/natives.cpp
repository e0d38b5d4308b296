#include "vm/interp/natives.hpp"

#include <array>
#include <tuple>
#include <type_traits>
#include <utility>

#include "vm/interp/natives/functions.hpp"

namespace flow {
namespace {

using natives::Items;

// --- slots to C++ types ---

void take(const Slot& slot, std::string_view& value) {
  value = slot.view();
}
void take(const Slot& slot, std::int64_t& value) {
  value = slot.number;
}
void take(const Slot& slot, double& value) {
  value = slot.real;
}
void take(const Slot& slot, std::optional<std::int64_t>& value) {
  if (!slot.is_null()) value = slot.number;
}

// --- and back, with the form that the row says ---

Slot give(std::string_view value, Form form) {
  return Slot::text(value, form);
}
Slot give(std::int64_t value, Form form) {
  return Slot::integer(value, form);
}
Slot give(double value, Form) {
  return Slot::floating(value);
}
Slot give(bool value, Form) {
  return Slot::boolean(value);
}
Slot give(Items value, Form) {
  return Slot::with_items(Slot::Tag::List, value.items, value.count);
}
template <class T>
Slot give(const std::optional<T>& value, Form form) {
  return value ? give(*value, form) : Slot::null();
}

// --- what a row says, held to the types of its function ---

template <class T>
struct Bare {
  using type = T;
  static constexpr bool may_be_missing = false;
};
template <class T>
struct Bare<std::optional<T>> {
  using type = T;
  static constexpr bool may_be_missing = true;
};

// Whether a C++ type holds values of these types. What can fault may be missing where the row says no null.
template <class T>
bool holds(const NativeType& type, TypeId of) {
  using Value = typename Bare<T>::type;
  if (type.is_list) return std::is_same_v<Value, Items>;
  switch (of) {
    case kBoolType: return std::is_same_v<Value, bool>;
    case kIntType:
    case kTimeType:
    case kDurationType: return std::is_same_v<Value, std::int64_t>;
    case kFloatType: return std::is_same_v<Value, double>;
    default: return std::is_same_v<Value, std::string_view>;
  }
}

template <class Result, class... Arguments>
bool fits(Result (*)(NativeContext&, Arguments...), const NativeInfo& row) {
  if (sizeof...(Arguments) != row.argument_count || !holds<Result>(row.result, row.result.type)) return false;
  if (row.result.may_be_null && !row.result.is_list && !Bare<Result>::may_be_missing) return false;
  std::size_t i = 0;
  return ((Bare<Arguments>::may_be_missing == row.arguments[i].may_be_null &&
           holds<Arguments>(row.arguments[i], row.arguments[i].type) && ++i > 0) &&
          ...);
}

template <class Result, class... Arguments>
void call(Result (*native)(NativeContext&, Arguments...), NativeContext& context, const Slot* arguments,
          Form form, Slot& result) {
  std::tuple<Arguments...> values;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (take(arguments[I], std::get<I>(values)), ...);
  }
  (std::index_sequence_for<Arguments...>{});
  const Result given = std::apply([&](auto... value) { return native(context, value...); }, values);
  if (!context.fault) result = give(given, form);
}

Form form_of_result(NativeId id, const Slot* arguments) {
  const NativeType& type = native_info(id)->result;
  return type.role == NativeType::Role::Text ? arguments[0].form : form_of(type.type);
}

void call_by_id(NativeId id, NativeContext& context, const Slot* arguments, Form form, Slot& result) {
  switch (id) {
#define FLOW_NATIVE(code, name, result_type, argument_types, cost, meaning) \
  case NativeId::name:                                                      \
    return call(natives::name, context, arguments, form, result);
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
  }
}

}  // namespace

void call_native(NativeId id, NativeContext& context, const Slot* arguments, Slot& result) {
  call_by_id(id, context, arguments, form_of_result(id, arguments), result);
  // Json and texts are bytes alike to a native.
  if (native_info(id)->result.type == kJsonType && result.tag == Slot::Tag::Text)
    result.tag = Slot::Tag::Json;
}

std::vector<std::string_view> natives_that_do_not_fit() {
  std::vector<std::string_view> wrong;
#define FLOW_NATIVE(code, name, result_type, argument_types, cost, meaning) \
  if (!fits(natives::name, *native_info(NativeId::name))) wrong.push_back(#name);
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
  return wrong;
}

}  // namespace flow
