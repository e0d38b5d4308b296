// Abstract interpretation. A register is unset or holds values of exactly one type; where paths meet, types
// are joined (T and null give T?, what has no common type is unset). State is kept at jump targets only, and
// each register of a target can only rise: unset is the top, reached after a few steps bounded by the nesting
// of types.
#include "vm/bytecode/verify_code.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <limits>
#include <queue>

#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr TypeId kUnset = std::numeric_limits<TypeId>::max();
using Registers = std::vector<TypeId>;  // what each register holds

// Finds T? and List<T> in a table that may not be changed.
class TypeFinder {
 public:
  explicit TypeFinder(const TypeTable& types)
      : types_(types), optional_of_(types.size(), kUnset), list_of_(types.size(), kUnset) {
    for (TypeId id = 0; id < types.size(); ++id) {
      if (types.is(id, TypeKind::Optional)) optional_of_[types[id].element] = id;
      if (types.is(id, TypeKind::List)) list_of_[types[id].element] = id;
    }
  }
  TypeId list_of(TypeId element) const { return element == kUnset ? kUnset : list_of_[element]; }

  // The type of what is one or the other; kUnset when there is none.
  TypeId join(TypeId a, TypeId b) const {
    if (a == kUnset || b == kUnset) return kUnset;
    if (types_.accepts(a, b)) return a;
    if (types_.accepts(b, a)) return b;
    if (a == kNullType) return optional_of_[b];
    if (b == kNullType) return optional_of_[a];
    if (!types_.is_optional(a) && !types_.is_optional(b)) return kUnset;
    const TypeId core = join(types_.without_null(a), types_.without_null(b));
    return core == kUnset ? kUnset : optional_of_[core];
  }

 private:
  const TypeTable& types_;
  std::vector<TypeId> optional_of_, list_of_;
};

class CodeVerifier {
 public:
  CodeVerifier(const Module& module, const FlowCode& flow)
      : module_(module), types_(module.types), flow_(flow), finder_(module.types) {}

  Status run();

 private:
  bool check_shape();
  bool check_operand(Operand kind, unsigned value);
  void find_targets();
  bool follow(std::uint32_t from);
  bool apply(Instruction i);
  bool arrive(std::uint32_t target, const Registers& state);
  bool pass_jump(Instruction i);

  bool apply_compare(Instruction i, Storage storage);
  bool apply_enum(Instruction i, bool needs_order);
  bool apply_int_arithmetic(Instruction i);
  bool apply_float_arithmetic(Instruction i, bool is_binary);
  bool apply_load_const(Instruction i);
  bool apply_get_field(Instruction i);
  bool apply_new_record(Instruction i);
  bool apply_new_list(Instruction i);
  bool apply_contains(Instruction i);
  bool apply_to_text(Instruction i);
  bool apply_concat(Instruction i);
  bool apply_quote_kql(Instruction i);
  bool apply_native(Instruction i);
  bool apply_call(Instruction i);

  bool is_input(unsigned reg) const { return reg < flow_.inputs.size(); }
  bool read(unsigned reg);                   // is set
  bool want(unsigned reg, Storage storage);  // is set, not null, stored so
  bool want_list(unsigned reg);
  bool want_text(unsigned reg);  // text that may be looked at: not a Secret
  bool want_range(unsigned first, std::size_t count);
  bool write(unsigned reg, TypeId type);
  bool refuse(std::string problem);
  std::string name(TypeId type) const { return type == kUnset ? "nothing" : types_.name(type); }

  const Module& module_;
  const TypeTable& types_;
  const FlowCode& flow_;
  const TypeFinder finder_;

  std::uint32_t pc_ = 0;
  Registers now_;                // before, then after, the instruction at pc_
  bool is_unreachable_ = false;  // what follows pc_ cannot be reached from it
  std::vector<bool> is_target_, is_waiting_;
  std::vector<Registers> at_target_;  // empty until something arrives
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> waiting_;
  std::uint64_t steps_left_ = 0;
  std::string problem_;
};

bool CodeVerifier::refuse(std::string problem) {
  problem_ = std::move(problem);
  return false;
}

// --- shape: what can be said of each instruction by itself ---

bool CodeVerifier::check_operand(Operand kind, unsigned value) {
  switch (kind) {
    case Operand::None: return value == 0 || refuse("an operand that is not used must be 0");
    case Operand::Out:
    case Operand::In:
      return value < flow_.registers || refuse(fmt::format("r{} is beyond the flow's registers", value));
    case Operand::Const:
      return value < module_.constants.size() || refuse(fmt::format("there is no constant {}", value));
    case Operand::Site:
      return value < flow_.call_sites.size() || refuse(fmt::format("there is no call site {}", value));
    case Operand::Fun:
      return native_info(static_cast<NativeId>(value)) != nullptr ||
             refuse(fmt::format("there is no native {}", value));
    case Operand::Jump: {
      const std::int64_t target = jump_target(pc_, flow_.code[pc_]);
      return (target >= 0 && target < static_cast<std::int64_t>(flow_.code.size())) ||
             refuse("the jump leaves the code");
    }
    case Operand::Field:
    case Operand::Count: return true;
  }
  return false;
}

bool ends_flow(Op op) {
  return op == Op::Jump || op == Op::Skip || op == Op::Stop || op == Op::Fail || op == Op::Finish ||
         op == Op::Raise;
}

bool CodeVerifier::check_shape() {
  for (pc_ = 0; pc_ < flow_.code.size(); ++pc_) {
    const Instruction i = flow_.code[pc_];
    const OpInfo* info = op_info(i.op);
    if (info == nullptr) return refuse("no such instruction");
    const bool is_wide = info->is_wide();
    if (!check_operand(info->a, i.a)) return false;
    if (!check_operand(info->b, is_wide ? i.wide() : i.b)) return false;
    if (!is_wide && !check_operand(info->c, i.c)) return false;
  }
  pc_ = static_cast<std::uint32_t>(flow_.code.size()) - 1;
  return ends_flow(flow_.code.back().op) || refuse("the code runs off its end");
}

// --- the walk ---

void CodeVerifier::find_targets() {
  is_target_.assign(flow_.code.size(), false);
  is_target_[0] = true;
  for (const Handler& handler : flow_.handlers) is_target_[handler.target] = true;
  for (std::uint32_t pc = 0; pc < flow_.code.size(); ++pc)
    if (op_info(flow_.code[pc].op)->b == Operand::Jump)
      is_target_[static_cast<std::size_t>(jump_target(pc, flow_.code[pc]))] = true;
  is_waiting_.assign(flow_.code.size(), false);
  at_target_.assign(flow_.code.size(), {});
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
      const TypeId joined = finder_.join(known[reg], state[reg]);
      has_changed = has_changed || joined != known[reg];
      known[reg] = joined;
    }
  }
  if (has_changed && !is_waiting_[target]) {
    is_waiting_[target] = true;
    waiting_.push(target);
  }
  return true;
}

bool CodeVerifier::pass_jump(Instruction i) {
  const auto target = static_cast<std::uint32_t>(jump_target(pc_, i));
  if (i.op == Op::Jump) return arrive(target, now_);
  if (i.op == Op::JumpIf || i.op == Op::JumpIfNot) return want(i.a, Storage::Bool) && arrive(target, now_);
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

bool CodeVerifier::follow(std::uint32_t from) {
  now_ = at_target_[from];
  for (pc_ = from;; ++pc_) {
    if (steps_left_-- == 0) return refuse("the code is too tangled to verify");
    const Instruction i = flow_.code[pc_];
    is_unreachable_ = false;
    if (op_info(i.op)->b == Operand::Jump ? !pass_jump(i) : !apply(i)) return false;
    if (is_unreachable_ || ends_flow(i.op)) return true;
    if (is_target_[pc_ + 1]) return arrive(pc_ + 1, now_);
  }
}

Status CodeVerifier::run() {
  const auto failed = [&] {
    return error(fmt::format("flow `{}`: pc {}, `{}`: {}", flow_.name, pc_,
                             format_instruction(pc_, flow_.code[pc_]), problem_));
  };
  if (!check_shape()) return failed();
  find_targets();
  steps_left_ = 64 * std::uint64_t{flow_.code.size()} + 1024;

  Registers start(flow_.registers, kUnset);
  for (std::size_t input = 0; input < flow_.inputs.size(); ++input) start[input] = flow_.inputs[input].type;
  arrive(0, start);
  for (const Handler& handler : flow_.handlers) {
    Registers caught = start;
    caught[handler.register_] = kStringType;
    arrive(handler.target, caught);
  }
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

bool CodeVerifier::want_range(unsigned first, std::size_t count) {
  return first + count <= flow_.registers ||
         refuse(fmt::format("{} registers from r{} are too many", count, first));
}

// The type of an input never changes, because handlers rely on it; what is written may be narrower.
bool CodeVerifier::write(unsigned reg, TypeId type) {
  if (is_input(reg) && !types_.accepts(flow_.inputs[reg].type, type))
    return refuse(fmt::format("input `{}` is `{}` and cannot hold `{}`", flow_.inputs[reg].name,
                              name(flow_.inputs[reg].type), name(type)));
  now_[reg] = type;
  return true;
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

bool CodeVerifier::apply_int_arithmetic(Instruction i) {
  if (!want(i.b, Storage::Int) || !want(i.c, Storage::Int)) return false;
  const auto form = arithmetic_form(i.op, form_of(now_[i.b]), form_of(now_[i.c]));
  if (!form) return refuse(fmt::format("`{}` and `{}` do not go together", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, type_of(*form));
}

bool CodeVerifier::apply_float_arithmetic(Instruction i, bool is_binary) {
  return want(i.b, Storage::Float) && (!is_binary || want(i.c, Storage::Float)) && write(i.a, kFloatType);
}

bool CodeVerifier::apply_load_const(Instruction i) {
  const TypeId type = module_.constants[i.wide()].type;
  if (types_.is(type, TypeKind::Record)) return refuse("this constant stands for a type, not for a value");
  return write(i.a, type);
}

bool CodeVerifier::apply_get_field(Instruction i) {
  if (!want(i.b, Storage::Record)) return false;
  const RecordType& record = types_.record(now_[i.b]);
  if (i.c >= record.fields.size()) return refuse(fmt::format("`{}` has no field {}", name(now_[i.b]), i.c));
  return write(i.a, record.fields[i.c].type);
}

bool CodeVerifier::apply_new_record(Instruction i) {
  const TypeId type = module_.constants[i.c].type;
  if (!types_.is(type, TypeKind::Record)) return refuse("the constant does not stand for a record type");
  const auto& fields = types_.record(type).fields;
  if (!want_range(i.b, fields.size())) return false;
  for (std::size_t field = 0; field < fields.size(); ++field) {
    const auto reg = static_cast<unsigned>(i.b + field);
    if (!read(reg)) return false;
    if (!types_.accepts(fields[field].type, now_[reg]))
      return refuse(fmt::format("field `{}` is `{}` and cannot hold `{}`", fields[field].name,
                                name(fields[field].type), name(now_[reg])));
  }
  return write(i.a, type);
}

// An empty list takes its element type from r[b].
bool CodeVerifier::apply_new_list(Instruction i) {
  if (!want_range(i.b, std::max<std::size_t>(i.c, 1)) || !read(i.b)) return false;
  TypeId element = now_[i.b];
  for (unsigned item = 1; item < i.c; ++item) {
    if (!read(i.b + item)) return false;
    const TypeId joined = finder_.join(element, now_[i.b + item]);
    if (joined == kUnset)
      return refuse(fmt::format("`{}` and `{}` do not share a type", name(element), name(now_[i.b + item])));
    element = joined;
  }
  const TypeId list = finder_.list_of(element);
  if (list == kUnset) return refuse(fmt::format("the module has no type `List<{}>`", name(element)));
  return write(i.a, list);
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
  if (type != kNullType && !is_printable(types_.storage(type)))
    return refuse(fmt::format("`{}` has no text", name(type)));
  return write(i.a, kStringType);
}

// Html and Kql may only grow by their own kind: everything else must be escaped first.
bool CodeVerifier::apply_concat(Instruction i) {
  if (i.c == 0) return refuse("there is nothing to join");
  if (!want_range(i.b, i.c)) return false;
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

bool CodeVerifier::apply_native(Instruction i) {
  const NativeInfo& native = *native_info(static_cast<NativeId>(i.c));
  if (!want_range(i.b, native.argument_count)) return false;
  for (unsigned k = 0; k < native.argument_count; ++k) {
    const NativeType wanted = native.arguments[k];
    const unsigned reg = i.b + k;
    if (wanted == NativeType::Text ? !want_text(reg)
                                   : !want(reg, wanted == NativeType::Int ? Storage::Int : Storage::Bool))
      return false;
  }
  if (native.result != NativeType::Text)
    return write(i.a, native.result == NativeType::Int ? kIntType : kBoolType);
  const TypeId first = now_[i.b];
  if (first == kHtmlType || first == kKqlType)
    return refuse(fmt::format("`{}` cannot be edited as text", name(first)));
  return write(i.a, first);
}

bool CodeVerifier::apply_call(Instruction i) {
  const CallSite& site = flow_.call_sites[i.wide()];
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

bool CodeVerifier::apply(Instruction i) {
  switch (i.op) {
    case Op::Move: return read(i.b) && write(i.a, now_[i.b]);
    case Op::LoadConst: return apply_load_const(i);
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
    case Op::JumpIfSet: return true;  // pass_jump

    case Op::GetField: return apply_get_field(i);
    case Op::NewRecord: return apply_new_record(i);
    case Op::NewList: return apply_new_list(i);
    case Op::GetItem:
      return want_list(i.b) && want(i.c, Storage::Int) && write(i.a, types_[now_[i.b]].element);
    case Op::ListLength: return want_list(i.b) && write(i.a, kIntType);
    case Op::Contains: return apply_contains(i);

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
    case Op::ModuloInt: return apply_int_arithmetic(i);
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
    case Op::Raise:
    case Op::EnterBody: return true;
  }
  return refuse("no such instruction");
}

}  // namespace

Status verify_code(const Module& module, const FlowCode& flow) {
  return CodeVerifier(module, flow).run();
}

}  // namespace flow
