// Abstract interpretation. A register is unset or holds values of exactly one type; where paths meet, types
// are joined (T and null give T?, what has no common type is unset). State is kept at jump targets only, and
// each register of a target can only rise: unset is the top, reached after a few steps bounded by the nesting
// of types.
#include "vm/bytecode/verify_code.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <queue>

#include "base/error_type.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/operand_range.hpp"

namespace flow {
namespace {

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

// --- registers ---

bool CodeVerifier::read(unsigned reg) {
  if (now_[reg] != kUnset) return true;
  return refuse(fmt::format("r{} has no value on every path to here", reg));
}

bool CodeVerifier::want(unsigned reg, Storage storage) {
  if (!read(reg)) return false;
  const TypeId type = now_[reg];
  if (types_.is_optional(type) || type == kNullType)
    return refuse(fmt::format("r{} is `{}`, which may be null", reg, name(type)));
  if (types_.storage(type) == storage) return true;
  return refuse(fmt::format("r{} is `{}`, which this instruction does not take", reg, name(type)));
}

bool CodeVerifier::want_list(unsigned reg) {
  return want(reg, Storage::List);
}

bool CodeVerifier::want_text(unsigned reg) {
  if (!want(reg, Storage::Text)) return false;
  return now_[reg] != kSecretType || refuse(fmt::format("r{} is a secret", reg));
}

// The type of an input never changes: messages and traces rely on its name. What is written may be narrower.
bool CodeVerifier::write(unsigned reg, TypeId type) {
  if (reg < fixed_.size() && !types_.accepts(fixed_[reg], type))
    return refuse(
        fmt::format("the input in r{} is `{}` and cannot hold `{}`", reg, name(fixed_[reg]), name(type)));
  now_[reg] = type;
  return true;
}

bool CodeVerifier::want_int(unsigned reg) {
  if (!want(reg, Storage::Int)) return false;
  return now_[reg] == kIntType || refuse(fmt::format("r{} is `{}`, not an Int", reg, name(now_[reg])));
}

bool CodeVerifier::want_type(unsigned reg, TypeId type) {
  if (!read(reg)) return false;
  return types_.accepts(type, now_[reg]) ||
         refuse(fmt::format("r{} is `{}` where `{}` is needed", reg, name(now_[reg]), name(type)));
}

// --- instructions ---

bool CodeVerifier::apply_compare(Instruction i, Storage storage) {
  const auto operand = [&](unsigned reg) {
    return storage == Storage::Text ? want_text(reg) : want(reg, storage);
  };
  return operand(i.b) && operand(i.c) && write(i.a, kBoolType);
}

bool CodeVerifier::apply_enum(Instruction i, bool needs_order) {
  if (!want(i.b, Storage::Enum) || !want(i.c, Storage::Enum)) return false;
  if (now_[i.b] != now_[i.c])
    return refuse(fmt::format("`{}` and `{}` are different enums", name(now_[i.b]), name(now_[i.c])));
  if (needs_order && !types_.enumeration(now_[i.b]).is_ordered)
    return refuse(fmt::format("`{}` has no order", name(now_[i.b])));
  return write(i.a, kBoolType);
}

TypeId type_of(Form form) {
  return form == Form::Time ? kTimeType : form == Form::Duration ? kDurationType : kIntType;
}

bool CodeVerifier::apply_span_arithmetic(Instruction i) {
  if (!want(i.b, Storage::Int) || !want(i.c, Storage::Int)) return false;
  const auto form = arithmetic_form(i.op, form_of(now_[i.b]), form_of(now_[i.c]));
  if (!form) return refuse(fmt::format("`{}` and `{}` do not go together", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, type_of(*form));
}

bool CodeVerifier::apply_float_arithmetic(Instruction i, bool is_binary) {
  return want(i.b, Storage::Float) && (!is_binary || want(i.c, Storage::Float)) && write(i.a, kFloatType);
}

bool CodeVerifier::apply_get_field(Instruction i) {
  if (!want(i.b, Storage::Record)) return false;
  const RecordType& record = types_.record(now_[i.b]);
  if (i.c >= record.fields.size()) return refuse(fmt::format("`{}` has no field {}", name(now_[i.b]), i.c));
  return write(i.a, record.fields[i.c].type);
}

bool CodeVerifier::apply_new_record(Instruction i) {
  const TypeId type = i.index();
  const auto& fields = types_.record(type).fields;
  for (std::size_t field = 0; field < fields.size(); ++field)
    if (!want_type(static_cast<unsigned>(i.b + field), fields[field].type)) return false;
  return write(i.a, type);
}

bool CodeVerifier::apply_new_list(Instruction i) {
  const TypeId type = i.index();
  if (!types_.is(type, TypeKind::List)) return refuse(fmt::format("`{}` is no list", name(type)));
  for (unsigned item = 0; item < i.c; ++item)
    if (!want_type(i.b + item, types_[type].element)) return false;
  return write(i.a, type);
}

bool CodeVerifier::apply_append(Instruction i) {
  return want_list(i.a) && want_type(i.b, types_[now_[i.a]].element);
}

bool CodeVerifier::apply_join_lists(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  if (now_[i.b] != now_[i.c])
    return refuse(fmt::format("`{}` and `{}` are different lists", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_slice(Instruction i) {
  return want_list(i.b) && want_int(i.c) && want_int(i.c + 1u) && write(i.a, now_[i.b]);
}

// Keys are Ints, Floats, texts or values of an ordered enum.
bool CodeVerifier::apply_sort(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  const TypeId key = types_[now_[i.c]].element;
  const Storage storage = types_.storage(key);
  const bool has_order = storage == Storage::Int || storage == Storage::Float || storage == Storage::Text ||
                         (storage == Storage::Enum && types_.enumeration(key).is_ordered);
  if (types_.is_optional(key) || key == kSecretType || !has_order)
    return refuse(fmt::format("items of `{}` have no order", name(now_[i.c])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_distinct(Instruction i) {
  if (!want_list(i.b)) return false;
  const TypeId item = types_[now_[i.b]].element;
  const Storage storage = types_.storage(item);
  if (types_.is_optional(item) || item == kSecretType || storage == Storage::None ||
      storage == Storage::Json || storage >= Storage::List)
    return refuse(fmt::format("items of `{}` cannot be compared", name(now_[i.b])));
  return write(i.a, now_[i.b]);
}

bool CodeVerifier::apply_join_texts(Instruction i) {
  if (!want_list(i.b) || !want_text(i.c)) return false;
  const TypeId item = types_[now_[i.b]].element;
  const bool is_plain = types_.storage(item) == Storage::Text && !types_.is_optional(item) &&
                        item != kSecretType && item != kHtmlType && item != kKqlType;
  if (!is_plain || now_[i.c] != kStringType)
    return refuse(fmt::format("`{}` and `{}` cannot be joined", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, kStringType);
}

bool CodeVerifier::apply_range(Instruction i) {
  if (!want_int(i.b) || !want_int(i.c)) return false;
  const TypeId list = finder_.list_of(kIntType);
  return list == kUnset ? refuse("the module has no type `List<Int>`") : write(i.a, list);
}

// --- maps ---

bool CodeVerifier::apply_new_map(Instruction i) {
  if (!types_.is(i.index(), TypeKind::Map)) return refuse(fmt::format("`{}` is no map", name(i.index())));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_get_key(Instruction i) {
  if (!want(i.b, Storage::Map) || !want_type(i.c, key_of(now_[i.b]))) return false;
  if (i.op == Op::HasKey) return write(i.a, kBoolType);
  const TypeId value = types_[now_[i.b]].element;
  const TypeId maybe = finder_.join(value, kNullType);
  return maybe == kUnset ? refuse(fmt::format("the module has no type `{}?`", name(value)))
                         : write(i.a, maybe);
}

bool CodeVerifier::apply_set_key(Instruction i) {
  return want(i.a, Storage::Map) && want_type(i.b, key_of(now_[i.a])) &&
         want_type(i.c, types_[now_[i.a]].element);
}

bool CodeVerifier::apply_entries(Instruction i) {
  if (!want(i.b, Storage::Map)) return false;
  const TypeId item = i.op == Op::Keys ? key_of(now_[i.b]) : types_[now_[i.b]].element;
  if (!types_.is(i.index(), TypeKind::List) || types_[i.index()].element != item)
    return refuse(fmt::format("`{}` is no list of `{}`", name(i.index()), name(item)));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_group_by(Instruction i) {
  if (!want_list(i.b) || !want_list(i.c)) return false;
  const bool is_map = types_.is(i.index(), TypeKind::Map);
  if (!is_map || types_[i.index()].key != types_[now_[i.c]].element ||
      !types_.is(types_[i.index()].element, TypeKind::List) || types_[i.index()].element != now_[i.b])
    return refuse(fmt::format("`{}` is no map of `{}` by the items of `{}`", name(i.index()), name(now_[i.b]),
                              name(now_[i.c])));
  return write(i.a, i.index());
}

// --- functions ---

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

bool CodeVerifier::apply_contains(Instruction i) {
  if (!want_list(i.b)) return false;
  const TypeId element = types_.without_null(types_[now_[i.b]].element);
  const Storage storage = types_.storage(element);
  if (element == kSecretType) return refuse("the list holds secrets");
  if (storage == Storage::None || storage == Storage::Json || storage >= Storage::List)
    return refuse(fmt::format("items of `{}` cannot be compared", name(now_[i.b])));
  if (storage == Storage::Text ? !want_text(i.c) : !want(i.c, storage)) return false;
  if (storage == Storage::Enum && now_[i.c] != element)
    return refuse(fmt::format("`{}` and `{}` are different enums", name(element), name(now_[i.c])));
  return write(i.a, kBoolType);
}

bool is_printable(Storage storage) {
  return storage != Storage::None && storage != Storage::Json && storage < Storage::List;
}
static_assert(Storage::Enum < Storage::List && Storage::Map > Storage::List &&
              Storage::Record > Storage::List);

bool CodeVerifier::apply_to_text(Instruction i) {
  if (!read(i.b)) return false;
  const TypeId type = types_.without_null(now_[i.b]);
  if (type == kSecretType) return refuse(fmt::format("r{} is a secret", i.b));
  if (type != kNullType && type != kJsonType && !is_printable(types_.storage(type)))
    return refuse(fmt::format("`{}` has no text", name(type)));
  return write(i.a, kStringType);
}

// Html and Kql may only grow by their own kind: everything else must be escaped first.
bool CodeVerifier::apply_concat(Instruction i) {
  if (i.c == 0) return refuse("there is nothing to join");
  for (unsigned part = i.b; part < unsigned{i.b} + i.c; ++part)
    if (!want_text(part)) return false;
  const TypeId type = now_[i.b];
  if (type != kStringType && type != kHtmlType && type != kKqlType)
    return refuse(fmt::format("`{}` cannot be joined to", name(type)));
  for (unsigned part = i.b; part < unsigned{i.b} + i.c; ++part)
    if (type != kStringType && now_[part] != type)
      return refuse(fmt::format("r{} is `{}`, which must be escaped before it joins `{}`", part,
                                name(now_[part]), name(type)));
  return write(i.a, type);
}

bool CodeVerifier::apply_quote_kql(Instruction i) {
  if (!read(i.b)) return false;
  TypeId type = now_[i.b];
  if (types_.is(type, TypeKind::List)) type = types_.without_null(types_[type].element);
  if (types_.is_optional(type) || !is_printable(types_.storage(type)) || type == kSecretType)
    return refuse(fmt::format("`{}` has no KQL literal", name(now_[i.b])));
  return write(i.a, kKqlType);
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

// --- errors, foreign data, results ---

bool CodeVerifier::apply_caught(Instruction i) {
  return is_error_type(types_, i.index())
             ? write(i.a, i.index())
             : refuse(fmt::format("`{}` is not the record Error", name(i.index())));
}

bool CodeVerifier::apply_throw(Instruction i) {
  return want(i.a, Storage::Record) && (is_error_type(types_, now_[i.a]) ||
                                        refuse(fmt::format("`{}` is not the record Error", name(now_[i.a]))));
}

bool CodeVerifier::apply_json_part(Instruction i) {
  if (!read(i.b)) return false;
  if (now_[i.b] != kNullType && types_.without_null(now_[i.b]) != kJsonType)
    return refuse(fmt::format("r{} is `{}`, not Json", i.b, name(now_[i.b])));
  if (i.op == Op::JsonMember && module_.constants[i.index()].type != kStringType)
    return refuse(fmt::format("`{}` names no member", name(module_.constants[i.index()].type)));
  if (i.op == Op::JsonItem && (!read(i.c) || (now_[i.c] != kStringType && !want_int(i.c)))) return false;
  const TypeId maybe = finder_.join(kJsonType, kNullType);
  return maybe == kUnset ? refuse("the module has no type `Json?`") : write(i.a, maybe);
}

bool CodeVerifier::apply_json_to(Instruction i) {
  if (!read(i.b)) return false;
  if (now_[i.b] != kNullType && types_.without_null(now_[i.b]) != kJsonType)
    return refuse(fmt::format("r{} is `{}`, not Json", i.b, name(now_[i.b])));
  const TypeId type = types_.without_null(i.index());
  if (type == kNullType || type == kNothingType || types_.is(type, TypeKind::Union) ||
      !finder_.is_foreign(type))
    return refuse(fmt::format("no Json becomes `{}`", name(i.index())));
  return write(i.a, i.index());
}

bool CodeVerifier::apply_to_json(Instruction i) {
  const TypeId type = types_.without_null(i.index());
  if (types_.is(type, TypeKind::Union) || types_.is(type, TypeKind::Error))
    return refuse(fmt::format("values are no `{}`", name(i.index())));
  if (!want_type(i.b, i.index())) return false;
  if (finder_.holds_secret(i.index())) return refuse(fmt::format("`{}` holds a secret", name(i.index())));
  return write(i.a, kJsonType);
}

bool CodeVerifier::apply_check_text(Instruction i) {
  if (!want_text(i.b)) return false;
  const TypeId type = i.index();
  const Storage storage = types_.storage(type);
  if (types_.is_optional(type) || !finder_.is_foreign(type) ||
      (storage != Storage::Text && storage != Storage::Enum))
    return refuse(fmt::format("no text becomes `{}`", name(type)));
  if (!finder_.is_foreign(now_[i.b]))
    return refuse(fmt::format("r{} is `{}`, which stays what it is", i.b, name(now_[i.b])));
  return write(i.a, type);
}

bool CodeVerifier::apply_finish_with(Instruction i) {
  if (flow_ == nullptr) return refuse("a function cannot do this");
  if (!want_type(i.a, flow_->result)) return false;
  return !finder_.holds_secret(flow_->result) ||
         refuse(fmt::format("`{}` holds a secret", name(flow_->result)));
}

bool CodeVerifier::apply(Instruction i) {
  switch (i.op) {
    case Op::Move: return read(i.b) && write(i.a, now_[i.b]);
    case Op::LoadConst: return write(i.a, module_.constants[i.index()].type);
    case Op::LoadInt: return write(i.a, kIntType);
    case Op::LoadNull: return write(i.a, kNullType);
    case Op::LoadBool: return write(i.a, kBoolType);
    case Op::Unwrap:
      if (!read(i.b)) return false;
      is_unreachable_ = now_[i.b] == kNullType;  // it always faults
      return is_unreachable_ || write(i.a, types_.without_null(now_[i.b]));

    case Op::Jump:
    case Op::JumpIf:
    case Op::JumpIfNot:
    case Op::JumpIfNull:
    case Op::JumpIfSet:
    case Op::JumpIfLess:
    case Op::JumpIfLessEqual:
    case Op::JumpIfEqual:
    case Op::JumpIfNotEqual:
    case Op::JumpIfLessImm:
    case Op::JumpIfNotLessImm:
    case Op::JumpIfEqualImm:
    case Op::JumpIfNotEqualImm:
    case Op::JumpIfEnum:
    case Op::JumpIfNotEnum:
    case Op::NextInRange:
    case Op::NextItem:
    case Op::NextEntry: return true;  // pass_jump
    case Op::Invoke: return apply_invoke(i);
    case Op::Return: return apply_return(i);
    case Op::Each: return apply_each(i);
    case Op::Parallel:
    case Op::Race: return apply_parallel(i);
    case Op::EndBranch: break;

    case Op::GetField: return apply_get_field(i);
    case Op::NewRecord: return apply_new_record(i);
    case Op::NewList: return apply_new_list(i);
    case Op::GetItem:
      return want_list(i.b) && want(i.c, Storage::Int) && write(i.a, types_[now_[i.b]].element);
    case Op::ListLength: return want_list(i.b) && write(i.a, kIntType);
    case Op::Contains: return apply_contains(i);
    case Op::Append: return apply_append(i);
    case Op::JoinLists: return apply_join_lists(i);
    case Op::Slice: return apply_slice(i);
    case Op::Reverse: return want_list(i.b) && write(i.a, now_[i.b]);
    case Op::SortBy: return apply_sort(i);
    case Op::Distinct: return apply_distinct(i);
    case Op::GroupBy: return apply_group_by(i);
    case Op::JoinTexts: return apply_join_texts(i);
    case Op::Range: return apply_range(i);
    case Op::NewMap: return apply_new_map(i);
    case Op::GetKey:
    case Op::HasKey: return apply_get_key(i);
    case Op::SetKey: return apply_set_key(i);
    case Op::MapLength: return want(i.b, Storage::Map) && write(i.a, kIntType);
    case Op::Keys:
    case Op::Values: return apply_entries(i);
    case Op::Share: return want(i.a, Storage::Map);

    case Op::EqualBool: return apply_compare(i, Storage::Bool);
    case Op::EqualInt:
    case Op::LessInt:
    case Op::LessEqualInt: return apply_compare(i, Storage::Int);
    case Op::EqualFloat:
    case Op::LessFloat:
    case Op::LessEqualFloat: return apply_compare(i, Storage::Float);
    case Op::EqualText:
    case Op::LessText:
    case Op::LessEqualText: return apply_compare(i, Storage::Text);
    case Op::EqualEnum: return apply_enum(i, false);
    case Op::LessEnum:
    case Op::LessEqualEnum: return apply_enum(i, true);
    case Op::Not: return want(i.b, Storage::Bool) && write(i.a, kBoolType);
    case Op::IsNull: return read(i.b) && write(i.a, kBoolType);

    case Op::AddInt:
    case Op::SubtractInt:
    case Op::MultiplyInt:
    case Op::DivideInt:
    case Op::ModuloInt: return want_int(i.b) && want_int(i.c) && write(i.a, kIntType);
    case Op::AddIntImm:
    case Op::MultiplyIntImm:
    case Op::DivideIntImm:
    case Op::ModuloIntImm: return want_int(i.b) && write(i.a, kIntType);
    case Op::AddSpan:
    case Op::SubtractSpan:
    case Op::MultiplySpan:
    case Op::DivideSpan:
    case Op::ModuloSpan: return apply_span_arithmetic(i);
    case Op::NegateInt:
      if (!want(i.b, Storage::Int)) return false;
      if (now_[i.b] == kTimeType) return refuse("a moment cannot be negated");
      return write(i.a, now_[i.b]);
    case Op::AddFloat:
    case Op::SubtractFloat:
    case Op::MultiplyFloat:
    case Op::DivideFloat: return apply_float_arithmetic(i, true);
    case Op::NegateFloat: return apply_float_arithmetic(i, false);
    case Op::IntToFloat: return want(i.b, Storage::Int) && write(i.a, kFloatType);

    case Op::ToText: return apply_to_text(i);
    case Op::Concat: return apply_concat(i);
    case Op::EscapeHtml: return want_text(i.b) && write(i.a, kHtmlType);
    case Op::QuoteKql: return apply_quote_kql(i);
    case Op::Native: return apply_native(i);

    case Op::Call: return apply_call(i);
    case Op::Log:
    case Op::Stop:
    case Op::Fail: return want_text(i.a);
    case Op::Skip:
    case Op::Finish:
    case Op::EnterBody: return !result_ || refuse("a function cannot do this");
    case Op::Raise: return true;
    case Op::Caught: return apply_caught(i);
    case Op::Throw: return apply_throw(i);
    case Op::JsonMember:
    case Op::JsonItem: return apply_json_part(i);
    case Op::JsonTo: return apply_json_to(i);
    case Op::ToJson: return apply_to_json(i);
    case Op::CheckText: return apply_check_text(i);
    case Op::FinishWith: return apply_finish_with(i);
  }
  return refuse("no such instruction");
}

}  // namespace

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
