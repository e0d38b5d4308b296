#include "vm/interp/program.hpp"

#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow {
namespace {

Slot slot_of(const TypeTable& types, const Constant& constant) {
  switch (types.storage(constant.type)) {
    case Storage::Bool: return Slot::boolean(constant.number != 0);
    case Storage::Int: return Slot::integer(constant.number, form_of(constant.type));
    case Storage::Float: return Slot::floating(constant.real);
    case Storage::Text: return Slot::text(constant.text, form_of(constant.type));
    case Storage::Enum: return Slot::enumeration(constant.type, static_cast<std::uint32_t>(constant.number));
    default: return Slot::null();
  }
}

}  // namespace

Result<Program> Program::load(Module module) {
  FLOW_TRY_STATUS(verify(module));
  return Program(std::move(module));
}

// Moving a vector leaves its items where they are, so a Program may move although slots point into it.
Program::Program(Module module) : module_(std::move(module)) {
  constants_.reserve(module_.constants.size());
  for (const Constant& constant : module_.constants) constants_.push_back(slot_of(module_.types, constant));
  callees_.reserve(module_.functions.size());
  for (const FunctionCode& function : module_.functions)
    callees_.push_back({.code = function.code.data(),
                        .size = static_cast<std::uint32_t>(function.code.size()),
                        .registers = function.registers});
  for (std::size_t index = 0; index < module_.functions.size(); ++index) {
    branch_ends_.push_back({.op = Op::Invoke, .imm = static_cast<std::int32_t>(index)});
    branch_ends_.push_back({.op = Op::EndBranch});
  }
  for (const FunctionCode& function : module_.functions) {
    functions_.emplace_back(module_, function);
    cleans_up_ = cleans_up_ || !function.cleanups.empty();
  }
  for (const FlowCode& flow : module_.flows) {
    flows_.emplace_back(module_, flow);
    cleans_up_ = cleans_up_ || !flow.cleanups.empty();
    fields_.emplace_back().add(module_.types, flow);
  }
}

}  // namespace flow
