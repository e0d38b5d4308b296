// The verifier of one routine, by abstract interpretation. A register is unset or holds values of exactly one
// type; where paths meet, types are joined (T and null give T?, what has no common type is unset). State is
// kept at jump targets only, and each register of a target can only rise: unset is the top, reached after a
// few steps bounded by the nesting of types. verify_code.cpp follows the paths; what each instruction takes
// and gives is in verify_instructions.cpp and what that calls.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/type_finder.hpp"

namespace flow {

using Registers = std::vector<TypeId>;  // what each register holds

class CodeVerifier {
 public:
  CodeVerifier(const Module& module, const TypeFinder& finder, const FlowCode& flow)
      : module_(module), types_(module.types), routine_(flow), flow_(&flow), kind_("flow"), finder_(finder) {
    for (const Input& input : flow.inputs) fixed_.push_back(input.type);
    begin_ = fixed_;
  }
  CodeVerifier(const Module& module, const TypeFinder& finder, const FunctionCode& function)
      : module_(module),
        types_(module.types),
        routine_(function),
        kind_("function"),
        result_(function.result),
        begin_(function.parameters),
        finder_(finder) {}

  Status run();
  // The same, and what is known before the instruction at `pc`. It is looked at last when most is known.
  Registers run_to(std::uint32_t pc);

 private:
  bool check_shape();
  bool check_operand(Operand kind, std::int64_t value);
  bool check_jump(Instruction i);
  bool check_range(Instruction i);
  void find_targets();
  bool follow(std::uint32_t from);
  bool apply(Instruction i);
  bool arrive(std::uint32_t target, const Registers& state);
  bool pass_jump(Instruction i);
  bool pass_null_test(Instruction i, std::uint32_t target);
  bool pass_next(Instruction i, std::uint32_t target);
  bool pass_enum_test(Instruction i, std::uint32_t target);
  void arrive_at_handler(const Handler& handler, std::size_t first, std::size_t end);
  void look_again(std::uint32_t target);

  bool apply_compare(Instruction i, Storage storage);
  bool apply_enum(Instruction i, bool needs_order);
  bool apply_span_arithmetic(Instruction i);
  bool apply_float_arithmetic(Instruction i, bool is_binary);
  bool apply_get_field(Instruction i);
  bool apply_new_record(Instruction i);
  bool apply_new_list(Instruction i);
  bool apply_contains(Instruction i);
  bool apply_append(Instruction i);
  bool apply_join_lists(Instruction i);
  bool apply_slice(Instruction i);
  bool apply_sort(Instruction i);
  bool apply_distinct(Instruction i);
  bool apply_join_texts(Instruction i);
  bool apply_range(Instruction i);
  bool apply_new_map(Instruction i);
  bool apply_get_key(Instruction i);
  bool apply_set_key(Instruction i);
  bool apply_entries(Instruction i);
  bool apply_group_by(Instruction i);
  bool apply_invoke(Instruction i);
  bool apply_each(Instruction i);
  bool apply_parallel(Instruction i);
  bool apply_return(Instruction i);
  bool apply_to_text(Instruction i);
  bool apply_concat(Instruction i);
  bool apply_quote_kql(Instruction i);
  bool want_argument(unsigned reg, const NativeType& wanted);
  bool apply_native(Instruction i);
  bool apply_call(Instruction i);
  bool apply_caught(Instruction i);
  bool apply_throw(Instruction i);
  bool apply_json_part(Instruction i);
  bool apply_json_to(Instruction i);
  bool apply_to_json(Instruction i);
  bool apply_check_text(Instruction i);
  bool apply_finish_with(Instruction i);

  bool read(unsigned reg);                   // is set
  bool want(unsigned reg, Storage storage);  // is set, not null, stored so
  bool want_list(unsigned reg);
  bool want_int(unsigned reg);                // an Int, not a Time or Duration
  bool want_type(unsigned reg, TypeId type);  // a value that `type` accepts
  bool want_text(unsigned reg);               // text that may be looked at: not a Secret
  bool write(unsigned reg, TypeId type);
  TypeId key_of(TypeId map) const { return types_[map].key; }
  bool refuse(std::string problem);
  std::string name(TypeId type) const { return type == kUnset ? "nothing" : types_.name(type); }

  const Module& module_;
  const TypeTable& types_;
  const Routine& routine_;
  const FlowCode* flow_ = nullptr;  // nullptr for a function
  const char* kind_;
  std::optional<TypeId> result_;  // of a function
  std::vector<TypeId> fixed_;     // registers whose type never changes: the inputs of a flow
  std::vector<TypeId> begin_;     // what the first registers hold at the start
  const TypeFinder& finder_;

  std::uint32_t pc_ = 0;
  Registers now_;                // before, then after, the instruction at pc_
  bool is_unreachable_ = false;  // what follows pc_ cannot be reached from it
  std::vector<bool> is_target_, is_waiting_;
  std::vector<const Handler*> handler_at_;  // of each instruction
  std::vector<Registers> at_target_;        // empty until something arrives
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> waiting_;
  std::uint64_t steps_left_ = 0;
  std::optional<std::uint32_t> asked_pc_;
  Registers at_asked_;
  std::string problem_;
};

}  // namespace flow
