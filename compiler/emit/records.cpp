// Records written in place.
#include <algorithm>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

// Fields are evaluated in the order in which they are written, and stand in that of their declaration. What
// nothing reads is evaluated and not kept.
void RoutineEmitter::construct(NodeId node, Register target) {
  const CheckedFile& checked = builder_.checked();
  const CheckedConstruct& made = checked.constructs.at(node);
  const TypeId type = builder_.type(made.record);
  const auto is_kept = [&](std::uint32_t field) {
    return checked.fields_read.contains({made.record, field});
  };
  const std::size_t kept = builder_.module().types.record(type).fields.size();
  const Register first = kept == 0 ? target : code_.take(kept);
  const auto place = [&](std::uint32_t field) {
    return static_cast<Register>(
        std::min<std::uint32_t>(first + builder_.field(made.record, field), CodeWriter::kMaxRegisters));
  };
  std::vector<bool> is_given(types().record(made.record).fields.size());
  for (const auto& [field, given] : made.given) {
    is_given[field] = true;
    const std::uint32_t taken = code_.taken();
    value(given, is_kept(field) ? place(field) : code_.take());
    code_.release_to(taken);
  }
  const auto defaults = checked.field_defaults.find(made.record);
  for (std::uint32_t field = 0; field < is_given.size(); ++field) {
    if (is_given[field] || !is_kept(field)) continue;
    if (defaults != checked.field_defaults.end() && defaults->second[field] != kNoNode)
      value(defaults->second[field], place(field));
    else
      code_.add(Op::LoadNull, place(field));
  }
  code_.mark(node);
  code_.add_imm(Op::NewRecord, target, first, 0, type);
}

}  // namespace flow
