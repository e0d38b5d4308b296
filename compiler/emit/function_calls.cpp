// Standard functions that the machine carries out, and those made of a few of them.
#include "compiler/emit/routine_emitter.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {

// Where the machine takes a text, an enum's value goes as its name: modules may know it by another number.
void RoutineEmitter::native_argument(const CheckedMethod& method, std::size_t place, Register target) {
  const StandardFunction::Parameter& parameter =
      builder_.library().functions[method.function].parameters[place];
  const NodeId argument = place == 0 ? method.receiver : method.arguments[place - 1];
  if (argument == kNoNode) {
    const TypeId type = parameter.type.kind == TypePattern::Kind::Known ? parameter.type.type : kNullType;
    return default_argument({.name = {}, .type = type, .default_json = parameter.default_json, .doc = {}},
                            target);
  }
  value(argument, target);
  if (types().is(type_of(argument), TypeKind::Enum)) code_.add(Op::ToText, target, target);
}

void RoutineEmitter::native_function(const CheckedMethod& method, Register target) {
  const NativeInfo& row = *native_info(method.native);
  const TypeId result = row.result.type;
  if (row.result.may_be_null || row.result.is_list) {
    TypeTable& made = builder_.module().types;
    const TypeId item = row.result.may_be_null ? made.optional(result) : result;
    if (row.result.is_list) made.list(item);
  }
  const Register first = code_.take();
  for (std::size_t i = 0; i < row.argument_count; ++i)
    native_argument(method, i, i == 0 ? first : code_.take());
  code_.add_imm(Op::Native, target, first, 0, static_cast<std::int64_t>(method.native));
}

// The machine numbers the days; which value of the enum that is, only the module knows.
void RoutineEmitter::weekday(NodeId node, const CheckedMethod& method, Register target) {
  const TypeId day = type_of(node);
  const Register time = code_.take(2), number = time;
  native_argument(method, 0, time);
  native_argument(method, 1, static_cast<Register>(time + 1));
  code_.add_imm(Op::Native, number, time, 0, static_cast<std::int64_t>(NativeId::weekdayNumber));
  constexpr std::size_t kDays = 7;
  const Register first = code_.take(kDays);
  for (std::size_t i = 0; i < kDays; ++i)
    constant({.type = day, .number = static_cast<std::int64_t>(i), .real = 0, .text = {}},
             static_cast<Register>(first + i));
  code_.add_imm(Op::NewList, first, first, kDays, builder_.module().types.list(builder_.type(day)));
  code_.add(Op::GetItem, target, first, number);
}

// Only for the fields that the flow reads: the module's record has no others.
void RoutineEmitter::extract_iocs(NodeId node, const CheckedMethod& method, Register target) {
  constexpr NativeId kByField[] = {NativeId::extractIps, NativeId::extractDomains, NativeId::extractUrls,
                                   NativeId::extractHashes, NativeId::extractEmails};
  const TypeId record = type_of(node);
  const RecordType& iocs = types().record(record);
  const Register text = operand(method.receiver);
  const Register first = code_.take();
  code_.add(Op::LoadNull, first);
  std::size_t count = 0;
  for (std::uint32_t field = 0; field < iocs.fields.size(); ++field) {
    if (!builder_.checked().fields_read.contains({record, field})) continue;
    builder_.type(iocs.fields[field].type);
    const Register part = count++ == 0 ? first : code_.take();
    code_.add_imm(Op::Native, part, text, 0, static_cast<std::int64_t>(kByField[field]));
  }
  code_.add_imm(Op::NewRecord, target, first, 0, builder_.type(record));
}

}  // namespace flow
