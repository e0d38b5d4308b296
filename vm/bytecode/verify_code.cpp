// The paths through a routine: which instructions can be reached, and what its registers hold there.
#include "vm/bytecode/verify_code.hpp"

#include <fmt/format.h>
#include <algorithm>

#include "vm/bytecode/code_verifier.hpp"
#include "vm/bytecode/operand_range.hpp"

namespace flow {

bool CodeVerifier::refuse(std::string problem) {
  problem_ = std::move(problem);
  return false;
}

// --- shape: what can be said of each instruction by itself ---

bool CodeVerifier::check_operand(Operand kind, std::int64_t value) {
  const auto below = [value](std::size_t count) {
    return value >= 0 && static_cast<std::uint64_t>(value) < count;
  };
  switch (kind) {
    case Operand::None: return value == 0 || refuse("an operand that is not used must be 0");
    case Operand::Out:
    case Operand::In:
    case Operand::Both:
      return below(routine_.registers) || refuse(fmt::format("r{} is beyond the registers", value));
    case Operand::Const:
      return below(module_.constants.size()) || refuse(fmt::format("there is no constant {}", value));
    case Operand::Site:
      return below(routine_.call_sites.size()) || refuse(fmt::format("there is no call site {}", value));
    case Operand::Type: return below(types_.size()) || refuse(fmt::format("there is no type {}", value));
    case Operand::Function:
      return below(module_.functions.size()) || refuse(fmt::format("there is no function {}", value));
    case Operand::Fun:
      return (below(256) && native_info(static_cast<NativeId>(value)) != nullptr) ||
             refuse(fmt::format("there is no native {}", value));
    case Operand::Divisor:
      return (value != 0 && value != -1) || refuse(fmt::format("{} is no divisor here", value));
    case Operand::Jump: return check_jump(routine_.code[pc_]);
    case Operand::Field:
    case Operand::Short:
    case Operand::Number:
    case Operand::Count: return true;
  }
  return false;
}

// Going back costs fuel, and only some instructions ask for it.
bool CodeVerifier::check_jump(Instruction i) {
  const std::int64_t target = jump_target(pc_, i);
  if (target < 0 || target >= static_cast<std::int64_t>(routine_.code.size()))
    return refuse("the jump leaves the code");
  return i.imm >= 0 || may_jump_back(i.op) || refuse("this instruction does not jump back");
}

// Also where nothing gets to: liveness looks at all code.
bool CodeVerifier::check_range(Instruction i) {
  if (i.op == Op::NewRecord && !types_.is(i.index(), TypeKind::Record))
    return refuse(fmt::format("`{}` is no record", name(i.index())));
  if (i.op == Op::Parallel || i.op == Op::Race) {
    if (i.c == 0) return refuse("there is nothing to do at once");
    if (std::size_t{i.index()} + i.c > module_.functions.size())
      return refuse(fmt::format("there is no function {}", i.index() + i.c - 1));
  }
  const OperandRange range = operand_range(module_, routine_, i);
  const std::size_t count = range.count + range.extra;
  return range.first + count <= routine_.registers ||
         refuse(fmt::format("{} registers from r{} are too many", count, range.first));
}

bool CodeVerifier::check_shape() {
  for (pc_ = 0; pc_ < routine_.code.size(); ++pc_) {
    const Instruction i = routine_.code[pc_];
    const OpInfo* info = op_info(i.op);
    if (info == nullptr || i.op == Op::EndBranch) return refuse("no such instruction");
    // A Short takes the bits of c.
    const bool is_short = info->b == Operand::Short;
    if (!check_operand(info->a, i.a) || !check_operand(info->b, i.b) ||
        (!is_short && !check_operand(info->c, i.c)) || !check_operand(info->imm, i.imm) || !check_range(i))
      return false;
  }
  pc_ = static_cast<std::uint32_t>(routine_.code.size()) - 1;
  return ends_path(routine_.code.back().op) || refuse("the code runs off its end");
}

void CodeVerifier::find_targets() {
  is_target_.assign(routine_.code.size(), false);
  for (std::uint32_t pc = 0; pc < routine_.code.size(); ++pc)
    if (op_info(routine_.code[pc].op)->is_jump())
      is_target_[static_cast<std::size_t>(jump_target(pc, routine_.code[pc]))] = true;
  is_waiting_.assign(routine_.code.size(), false);
  at_target_.assign(routine_.code.size(), {});
  handler_at_.assign(routine_.code.size(), nullptr);
  for (const Handler& handler : routine_.handlers) {
    is_target_[handler.target] = true;
    for (std::uint32_t pc = handler.begin; pc < handler.end; ++pc)
      if (handler_at_[pc] == nullptr) handler_at_[pc] = &handler;
  }
}

// Joins `state` into what is known at `target`, and has the code there looked at again when that changed it.
bool CodeVerifier::arrive(std::uint32_t target, const Registers& state) {
  Registers& known = at_target_[target];
  bool has_changed = known.empty();
  if (has_changed) {
    known = state;
    if (known.empty()) known.push_back(kUnset);  // a flow without registers still arrives only once
  } else {
    for (std::size_t reg = 0; reg < state.size(); ++reg) {
      if (known[reg] == state[reg]) continue;
      const TypeId joined = finder_.join(known[reg], state[reg]);
      has_changed = has_changed || joined != known[reg];
      known[reg] = joined;
    }
  }
  if (has_changed) look_again(target);
  return true;
}

void CodeVerifier::look_again(std::uint32_t target) {
  if (is_waiting_[target]) return;
  is_waiting_[target] = true;
  waiting_.push(target);
}

bool CodeVerifier::pass_null_test(Instruction i, std::uint32_t target) {
  if (!read(i.a)) return false;
  const TypeId tested = now_[i.a];
  Registers narrowed = now_;
  narrowed[i.a] = types_.without_null(tested);
  const bool is_always_null = tested == kNullType;
  if (i.op == Op::JumpIfNull) {
    if (!arrive(target, now_)) return false;
    now_ = std::move(narrowed);
    is_unreachable_ = is_always_null;
    return true;
  }
  return is_always_null || arrive(target, narrowed);
}

// What a loop keeps in registers behind r[a]: the number of the next item, and the item itself, which is only
// known in the body.
bool CodeVerifier::pass_next(Instruction i, std::uint32_t target) {
  const bool is_map = i.op == Op::NextEntry;
  if (!want(i.a, is_map ? Storage::Map : Storage::List) || !want_int(i.a + 1u)) return false;
  const Registers before = now_;
  const TypeId item = types_[now_[i.a]].element;
  if (is_map ? !(write(i.a + 2u, key_of(now_[i.a])) && write(i.a + 3u, item)) : !write(i.a + 2u, item))
    return false;
  if (!arrive(target, now_)) return false;
  now_ = before;
  return true;
}

bool CodeVerifier::pass_enum_test(Instruction i, std::uint32_t target) {
  if (!want(i.a, Storage::Enum)) return false;
  const std::size_t values = types_.enumeration(now_[i.a]).values.size();
  if (i.short_number() < 0 || static_cast<std::size_t>(i.short_number()) >= values)
    return refuse(fmt::format("`{}` has no value {}", name(now_[i.a]), i.short_number()));
  return arrive(target, now_);
}

bool CodeVerifier::pass_jump(Instruction i) {
  const auto target = static_cast<std::uint32_t>(jump_target(pc_, i));
  switch (i.op) {
    case Op::Jump: return arrive(target, now_);
    case Op::JumpIf:
    case Op::JumpIfNot: return want(i.a, Storage::Bool) && arrive(target, now_);
    case Op::JumpIfNull:
    case Op::JumpIfSet: return pass_null_test(i, target);
    case Op::JumpIfLess:
    case Op::JumpIfLessEqual:
    case Op::JumpIfEqual:
    case Op::JumpIfNotEqual:
      return want(i.a, Storage::Int) && want(i.b, Storage::Int) && arrive(target, now_);
    case Op::JumpIfEnum:
    case Op::JumpIfNotEnum: return pass_enum_test(i, target);
    case Op::NextInRange: return want_int(i.a) && want_int(i.a + 1u) && arrive(target, now_);
    case Op::NextItem:
    case Op::NextEntry: return pass_next(i, target);
    default: return want(i.a, Storage::Int) && arrive(target, now_);  // compared with a number
  }
}

// A handler knows what is known before each instruction that may bring a run to it. Only the registers
// [first, end) are told: the others are as they were when it was told before.
void CodeVerifier::arrive_at_handler(const Handler& handler, std::size_t first, std::size_t end) {
  Registers& known = at_target_[handler.target];
  const Instruction i = routine_.code[pc_];
  const bool is_first = known.empty();
  if (is_first) known.assign(std::max<std::size_t>(now_.size(), 1), kUnset);
  bool has_changed = is_first;
  for (std::size_t reg = first; reg < end; ++reg) {
    const bool is_lost = i.op == Op::Invoke && reg >= i.a;
    const TypeId type = reg == handler.register_ ? kStringType : is_lost ? kUnset : now_[reg];
    const TypeId joined = is_first ? type : finder_.join(known[reg], type);
    has_changed = has_changed || joined != known[reg];
    known[reg] = joined;
  }
  if (has_changed) look_again(handler.target);
}

bool CodeVerifier::follow(std::uint32_t from) {
  now_ = at_target_[from];
  const Handler* told = nullptr;
  for (pc_ = from;; ++pc_) {
    if (steps_left_-- == 0) return refuse("the code is too tangled to verify");
    const Instruction i = routine_.code[pc_];
    if (const Handler* handler = handler_at_[pc_]; handler != nullptr) {
      const Instruction previous = routine_.code[pc_ == from ? pc_ : pc_ - 1];
      if (handler != told || i.op == Op::Invoke)
        arrive_at_handler(*handler, 0, routine_.registers);
      else if (op_info(previous.op)->a == Operand::Out)
        arrive_at_handler(*handler, previous.a, previous.a + 1u);
    }
    told = handler_at_[pc_];
    is_unreachable_ = false;
    if (pc_ == asked_pc_) at_asked_ = now_;
    if (op_info(i.op)->is_jump() ? !pass_jump(i) : !apply(i)) return false;
    if (is_unreachable_ || ends_path(i.op)) return true;
    if (is_target_[pc_ + 1]) return arrive(pc_ + 1, now_);
  }
}

Status CodeVerifier::run() {
  const auto failed = [&] {
    return error(fmt::format("{} `{}`: pc {}, `{}`: {}", kind_, routine_.name, pc_,
                             format_instruction(pc_, routine_.code[pc_]), problem_));
  };
  if (!check_shape()) return failed();
  find_targets();
  steps_left_ = 64 * std::uint64_t{routine_.code.size()} + 1024;

  Registers start(routine_.registers, kUnset);
  std::ranges::copy(begin_, start.begin());
  arrive(0, start);
  while (!waiting_.empty()) {
    const std::uint32_t next = waiting_.top();
    waiting_.pop();
    is_waiting_[next] = false;
    if (!follow(next)) return failed();
  }
  return {};
}

Status verify_flow(const Module& module, const TypeFinder& finder, const FlowCode& flow) {
  return CodeVerifier(module, finder, flow).run();
}
Status verify_function(const Module& module, const TypeFinder& finder, const FunctionCode& function) {
  return CodeVerifier(module, finder, function).run();
}

Registers CodeVerifier::run_to(std::uint32_t pc) {
  asked_pc_ = pc;
  static_cast<void>(run());
  return std::move(at_asked_);
}

std::vector<TypeId> register_types(const Module& module, const FlowCode& flow, std::uint32_t pc) {
  return CodeVerifier(module, TypeFinder(module.types), flow).run_to(pc);
}
std::vector<TypeId> register_types(const Module& module, const FunctionCode& function, std::uint32_t pc) {
  return CodeVerifier(module, TypeFinder(module.types), function).run_to(pc);
}

}  // namespace flow
