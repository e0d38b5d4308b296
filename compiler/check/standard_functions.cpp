#include "compiler/check/standard_functions.hpp"

#include <algorithm>
#include <iterator>
#include <map>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr ForeignName kForeignNames[] = {
#define FLOW_FOREIGN_NAME(name, here, advice) {name, here, advice},
#include "compiler/check/foreign_names.def"
#undef FLOW_FOREIGN_NAME
};

}  // namespace

const std::vector<FunctionBinding>& function_bindings() {
  static const std::vector<FunctionBinding> kRows = {
#define FLOW_NATIVE_FUNCTION(native, key) {key, CheckedMethod::Kind::Native, NativeId::native},
#define FLOW_COMPILED_FUNCTION(kind, key) {key, CheckedMethod::Kind::kind, NativeId::lower},
#include "compiler/check/functions.def"
  };
  return kRows;
}

const FunctionBinding* function_binding(std::string_view key) {
  static const auto kByKey = [] {
    std::map<std::string_view, const FunctionBinding*> by_key;
    for (const FunctionBinding& row : function_bindings()) by_key.emplace(row.key, &row);
    return by_key;
  }();
  const auto found = kByKey.find(key);
  return found == kByKey.end() ? nullptr : found->second;
}

const ForeignName* foreign_name(std::string_view name) {
  const auto found = std::ranges::find_if(
      kForeignNames, [&](const ForeignName& row) { return equals_ignoring_case(row.name, name); });
  return found == std::end(kForeignNames) ? nullptr : &*found;
}

bool may_fault(const CheckedMethod& method) {
  if (method.kind == CheckedMethod::Kind::ListLength || method.kind == CheckedMethod::Kind::ListContains)
    return false;
  if (method.kind != CheckedMethod::Kind::Native) return true;
  switch (method.native) {
    case NativeId::lower:
    case NativeId::upper:
    case NativeId::trim:
    case NativeId::trimStart:
    case NativeId::trimEnd:
    case NativeId::length:
    case NativeId::contains:
    case NativeId::startsWith:
    case NativeId::endsWith:
    case NativeId::isEmptyText:
    case NativeId::indexOfText:
    case NativeId::lastIndexOf:
    case NativeId::sliceText:
    case NativeId::substring:
    case NativeId::textToInt:
    case NativeId::textToFloat:
    case NativeId::textToTime:
    case NativeId::textToDuration: return false;
    default: return true;
  }
}

}  // namespace flow
