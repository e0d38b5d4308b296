// Calls: of functions, also as branches, of natives, and of operations.
#include <fmt/format.h>
#include <algorithm>

#include "vm/bytecode/code_verifier.hpp"

namespace flow {

// The callee's registers begin at r[a]: what stood behind it is gone.
bool CodeVerifier::apply_invoke(Instruction i) {
  const FunctionCode& function = module_.functions[i.index()];
  if (i.a < fixed_.size()) return refuse("an input would be lost");
  for (std::size_t k = 0; k < function.parameters.size(); ++k)
    if (!want_type(static_cast<unsigned>(i.a + k), function.parameters[k])) return false;
  std::fill(now_.begin() + i.a, now_.end(), kUnset);
  return write(i.a, function.result);
}

// Branches do not touch the registers of who began them: what they need is given to them.
bool CodeVerifier::apply_each(Instruction i) {
  const FunctionCode& function = module_.functions[i.index()];
  if (!want_list(i.b) || !want_int(i.b + 1u)) return false;
  if (function.parameters.size() < 2 || !types_.accepts(function.parameters[0], types_[now_[i.b]].element) ||
      !types_.accepts(function.parameters[1], kIntType))
    return refuse(fmt::format("function `{}` does not take an item and its position", function.name));
  for (std::size_t k = 2; k < function.parameters.size(); ++k)
    if (!want_type(static_cast<unsigned>(i.b + k), function.parameters[k])) return false;
  const TypeId list = finder_.list_of(function.result);
  if (list == kUnset) return refuse(fmt::format("the module has no type `List<{}>`", name(function.result)));
  return write(i.a, list);
}

bool CodeVerifier::apply_parallel(Instruction i) {
  for (unsigned branch = 0; branch < i.c; ++branch) {
    const auto& parameters = module_.functions[i.index() + branch].parameters;
    for (std::size_t k = 0; k < parameters.size(); ++k)
      if (!want_type(static_cast<unsigned>(i.b + k), parameters[k])) return false;
  }
  return write(i.a, i.op == Op::Race ? kIntType : kNullType);
}

bool CodeVerifier::apply_return(Instruction i) {
  return result_ ? want_type(i.a, *result_) : refuse("a flow returns to nobody");
}

bool CodeVerifier::want_argument(unsigned reg, const NativeType& wanted) {
  if (wanted.is_text_argument()) return want_text(reg);
  if (!wanted.may_be_null) return want_type(reg, wanted.type);
  if (!read(reg)) return false;
  return now_[reg] == kNullType || types_.without_null(now_[reg]) == wanted.type ||
         refuse(fmt::format("r{} is `{}`, no `{}?`", reg, name(now_[reg]), name(wanted.type)));
}

bool CodeVerifier::apply_native(Instruction i) {
  const NativeInfo& native = *native_info(static_cast<NativeId>(i.imm));
  for (unsigned k = 0; k < native.argument_count; ++k)
    if (!want_argument(i.b + k, native.arguments[k])) return false;
  TypeId result = native.result.type;
  if (native.result.role == NativeType::Role::Text) {
    result = now_[i.b];
    if (result == kHtmlType || result == kKqlType || result == kBytesType)
      return refuse(fmt::format("`{}` cannot be edited as text", name(result)));
  }
  if (native.result.may_be_null) result = finder_.optional_of(result);
  if (native.result.is_list) result = finder_.list_of(result);
  return result == kUnset ? refuse(fmt::format("the module lacks the type that {} gives", native.name))
                          : write(i.a, result);
}

bool CodeVerifier::apply_call(Instruction i) {
  const CallSite& site = routine_.call_sites[i.index()];
  const Operation& operation = module_.operations[site.operation];
  for (std::size_t k = 0; k < operation.parameters.size(); ++k) {
    const auto reg = static_cast<unsigned>(site.first_argument + k);
    const Parameter& parameter = operation.parameters[k];
    if (!read(reg)) return false;
    if (!types_.accepts(parameter.type, now_[reg]))
      return refuse(fmt::format("parameter `{}` of {} is `{}` and does not take `{}`", parameter.name,
                                operation.full_name(), name(parameter.type), name(now_[reg])));
  }
  return write(i.a, operation.result == kNothingType ? kNullType : operation.result);
}

}  // namespace flow
