#include "vm/bytecode/known_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "vm/bytecode/item_at.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kUnknown = 0;
constexpr std::size_t kMostAlternatives = 6;
constexpr std::size_t kLongestText = 400;
constexpr int kMostRounds = 64;

// Long ones are told apart by a number: FNV-1a.
std::string bounded(std::string text) {
  if (text.size() <= kLongestText) return text;
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return fmt::format("({:016x})", hash);
}

}  // namespace

KnownValues::KnownValues(const Module& module, const Routine& routine, const std::vector<Input>& inputs)
    : module_(module), routine_(routine), inputs_(inputs) {
  find_labels();
  for (int round = 0; pass(nullptr) && round < kMostRounds;) ++round;
}

void KnownValues::each(const std::function<void(std::uint32_t pc)>& visit) {
  pass(&visit);
}

std::uint32_t KnownValues::text(std::string value, TypeId type) {
  const auto [found, is_new] = known_.emplace(bounded(std::move(value)), texts_.size());
  if (is_new) {
    texts_.push_back(found->first);
    types_.push_back(type);
    parts_.emplace_back();
  }
  return found->second;
}

// Where two ways meet.
std::uint32_t KnownValues::either(std::uint32_t a, std::uint32_t b) {
  if (a == b) return a;
  if (a == kUnknown || b == kUnknown) return kUnknown;
  std::set<std::uint32_t> all = parts_[a].empty() ? std::set{a} : parts_[a];
  const std::set<std::uint32_t> other = parts_[b].empty() ? std::set{b} : parts_[b];
  all.insert(other.begin(), other.end());
  if (all == parts_[a]) return a;
  if (all.size() > kMostAlternatives) return kUnknown;
  std::set<std::string> sorted;
  for (const std::uint32_t part : all) sorted.insert(texts_[part]);
  const std::uint32_t made = text(fmt::format("({})", fmt::join(sorted, " or ")));
  parts_[made] = std::move(all);
  return made;
}

KnownValues::State KnownValues::start() {
  State state{};
  for (std::size_t i = 0; i < inputs_.size() && i < state.size(); ++i)
    state[i] = text(inputs_[i].name, inputs_[i].type);
  if (!inputs_.empty()) return state;
  for (std::size_t i = 0; i < routine_.registers && i < state.size(); ++i)
    state[i] = text(fmt::format("(argument {})", i));
  return state;
}

void KnownValues::find_labels() {
  for (const Handler& handler : routine_.handlers) handlers_.insert(handler.target);
  for (std::uint32_t pc = 0; pc < routine_.code.size(); ++pc) {
    const OpInfo* const info = op_info(routine_.code[pc].op);
    if (info != nullptr && info->is_jump()) labels_[jump_target(pc, routine_.code[pc])];
  }
}

bool KnownValues::flow_into(std::int64_t target) {
  Label& label = labels_[target];
  if (!label.is_reached) {
    label = {.state = state_, .is_reached = true};
    return true;
  }
  bool has_changed = false;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    const std::uint32_t merged = either(label.state[i], state_[i]);
    has_changed = has_changed || merged != label.state[i];
    label.state[i] = merged;
  }
  return has_changed;
}

// Once through the code; whether a label behind which it had been knows less now.
bool KnownValues::pass(const std::function<void(std::uint32_t pc)>* visit) {
  bool has_changed = false, is_reached = true;
  state_ = start();
  for (std::uint32_t pc = 0; pc < routine_.code.size(); ++pc) {
    const Instruction i = routine_.code[pc];
    if (handlers_.contains(pc)) {  // a fault comes from anywhere
      state_ = {};
      for (std::size_t k = 0; k < inputs_.size() && k < state_.size(); ++k)
        if (is_given(static_cast<std::uint8_t>(k))) state_[k] = text(inputs_[k].name, inputs_[k].type);
      is_reached = true;
    } else if (const auto label = labels_.find(pc); label != labels_.end()) {
      if (is_reached) flow_into(pc);
      is_reached = label->second.is_reached;
      if (is_reached) state_ = label->second.state;
    }
    const OpInfo* const info = op_info(i.op);
    if (!is_reached || info == nullptr) continue;
    if (visit != nullptr) (*visit)(pc);
    apply(i);
    if (info->is_jump()) {
      const std::int64_t target = jump_target(pc, i);
      has_changed = (flow_into(target) && target <= pc) || has_changed;
    }
    is_reached = i.op != Op::Jump && !ends_path(i.op);
  }
  return has_changed;
}

// Entities stay what they are, also when the code fetches them; all else that a flow is given is only read.
bool KnownValues::is_given(std::uint8_t reg) const {
  return reg < inputs_.size();
}

void KnownValues::apply(Instruction i) {
  const OpInfo& info = *op_info(i.op);
  const auto forget = [&](std::size_t first, std::size_t count) {
    for (std::size_t k = first; k < first + count && k < state_.size(); ++k) state_[k] = kUnknown;
  };
  switch (i.op) {
    case Op::NextInRange: return forget(i.a, 1);
    case Op::NextItem: return forget(i.a + 1u, 2);
    case Op::NextEntry: return forget(i.a + 1u, 3);
    default: break;
  }
  if (info.a != Operand::Out && info.a != Operand::Both) return;
  const std::uint32_t made = loaded(i);
  if (i.op == Op::Invoke) forget(i.a, state_.size());
  if (!is_given(i.a)) state_[i.a] = made;
}

std::uint32_t KnownValues::loaded(Instruction i) {
  switch (i.op) {
    case Op::Move:
    case Op::Unwrap:
    case Op::ToText:
    case Op::ToJson: return state_[i.b];
    case Op::LoadConst: return text(constant(i.index()));
    case Op::LoadInt: return text(std::to_string(i.imm));
    case Op::LoadNull: return text("null");
    case Op::LoadBool: return text(i.b != 0 ? "true" : "false");
    case Op::GetField: {
      TypeId type = types_[state_[i.b]];
      if (!is_shown(value(i.b)) || !module_.types.contains(type)) break;
      type = module_.types.without_null(type);
      if (!module_.types.is(type, TypeKind::Record)) break;
      const RecordField* const field = at(module_.types.record(type).fields, i.c);
      if (field != nullptr) return text(fmt::format("{}.{}", value(i.b), field->name), field->type);
      break;
    }
    default: break;
  }
  return text(computed(i));
}

std::string KnownValues::field_name(Instruction i) const {
  TypeId type = types_[state_[i.b]];
  if (module_.types.contains(type)) type = module_.types.without_null(type);
  if (!module_.types.contains(type) || !module_.types.is(type, TypeKind::Record)) return std::to_string(i.c);
  const RecordField* const field = at(module_.types.record(type).fields, i.c);
  return field == nullptr ? std::to_string(i.c) : field->name;
}

std::string KnownValues::range(std::size_t first, std::size_t count) const {
  std::string out;
  for (std::size_t k = first; k < first + count && k < state_.size(); ++k)
    out += (k == first ? "" : ", ") + texts_[state_[k]];
  return out;
}

std::string KnownValues::computed(Instruction i) const {
  const OpInfo& info = *op_info(i.op);
  std::string operands;
  const auto add = [&](const std::string& operand) { operands += (operands.empty() ? "" : ", ") + operand; };
  const auto add_register = [&](Operand kind, std::uint8_t reg) {
    if (kind == Operand::In || kind == Operand::Both) add(value(reg));
    if (kind == Operand::Count || kind == Operand::Short || kind == Operand::Field) add(std::to_string(reg));
  };
  if (info.a == Operand::Both) add(value(i.a));
  if (i.op == Op::Call) {
    const CallSite* const site = at(routine_.call_sites, i.index());
    const Operation* const operation = site == nullptr ? nullptr : at(module_.operations, site->operation);
    if (operation == nullptr) return "?";
    return fmt::format("({}({}))", operation->full_name(),
                       range(site->first_argument, operation->parameters.size()));
  }
  if (i.op == Op::Invoke) {
    const FunctionCode* const function = at(module_.functions, i.index());
    add(range(i.a, function == nullptr ? 0 : function->parameters.size()));
  } else if (i.op == Op::NewList || i.op == Op::Concat) {
    add(range(i.b, i.c));
  } else if (i.op == Op::Native) {
    const NativeInfo* const native = native_info(static_cast<NativeId>(i.imm));
    add(range(i.b, native == nullptr ? 0 : native->argument_count));
  } else if (i.op == Op::NewRecord && module_.types.contains(i.index()) &&
             module_.types.is(i.index(), TypeKind::Record)) {
    add(range(i.b, module_.types.record(i.index()).fields.size()));
  } else {
    add_register(info.b, i.b);
    add_register(info.c, i.c);
  }
  if (info.imm != Operand::None) add(immediate(i));
  return fmt::format("({} {})", info.name, operands);
}

std::string KnownValues::immediate(Instruction i) const {
  switch (op_info(i.op)->imm) {
    case Operand::Const: return constant(i.index());
    case Operand::Type: return type_name(i.index());
    case Operand::Fun: {
      const NativeInfo* const native = native_info(static_cast<NativeId>(i.imm));
      return native == nullptr ? "?" : std::string(native->name);
    }
    case Operand::Function: {
      const FunctionCode* const function = at(module_.functions, i.index());
      return function == nullptr ? "?" : function->name;
    }
    case Operand::Site: {
      const CallSite* const site = at(routine_.call_sites, i.index());
      const Operation* const operation = site == nullptr ? nullptr : at(module_.operations, site->operation);
      return operation == nullptr ? "?" : operation->full_name();
    }
    default: return std::to_string(i.imm);
  }
}

std::string KnownValues::constant(std::uint32_t index) const {
  const Constant* const constant = at(module_.constants, index);
  if (constant == nullptr || !module_.types.contains(constant->type)) return "?";
  const TypeTable& types = module_.types;
  switch (types.storage(constant->type)) {
    case Storage::Bool: return constant->number != 0 ? "true" : "false";
    case Storage::Float: return fmt::format("{}", constant->real);
    case Storage::Text: return json_quoted(constant->text);
    case Storage::Int:
      if (constant->type == kTimeType) return format_time_us(constant->number);
      if (constant->type == kDurationType) return format_duration_us(constant->number);
      return std::to_string(constant->number);
    case Storage::Enum: {
      const TypeId bare = types.without_null(constant->type);
      const std::string* const value = constant->number < 0 ? nullptr
                                                            : at(types.enumeration(bare).values,
                                                                 static_cast<std::size_t>(constant->number));
      return value == nullptr ? "?" : *value;
    }
    default: return "null";
  }
}

std::string KnownValues::type_name(TypeId type) const {
  return module_.types.contains(type) ? module_.types.name(type) : "?";
}

}  // namespace flow
