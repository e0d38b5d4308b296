#include <fmt/format.h>

#include "base/text.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/print.hpp"
#include "vm/interp/state.hpp"

namespace flow {

bool Machine::State::prepare_call(Instruction i, Call& call) {
  const CallSite& site = routine().call_sites[i.index()];
  const Operation& operation = module.operations[site.operation];
  std::string json = "{";
  for (std::size_t k = 0; k < operation.parameters.size(); ++k) {
    const Parameter& parameter = operation.parameters[k];
    if (k > 0) json += ',';
    append_json_quoted(json, parameter.name);
    json += ':';
    const Slot value = r(static_cast<unsigned>(site.first_argument + k));
    const JsonWritten written = append_json(json, module.types, parameter.type, value, limits.heap_bytes);
    if (written == JsonWritten::TooLarge) return out_of_memory();
    if (written == JsonWritten::TooDeep)
      return raise(FaultKind::InvalidValue, fmt::format("argument `{}` of {} is nested too deeply",
                                                        parameter.name, operation.full_name()));
  }
  json += '}';
  call = Call{.number = calls++,
              .operation = site.operation,
              .is_fetch = site.is_fetch,
              .arguments = std::move(json),
              .line = line(),
              .is_cleanup = is_cleaning_up(),
              .options = site.options};
  return true;
}

// `machine` for the record Machine: how an answer is called in messages.
std::string answer_name(const TypeTable& types, TypeId result) {
  const TypeId type = types.without_null(result);
  std::string name = types.is(type, TypeKind::Record) ? types.record(type).name : "";
  if (name.empty()) return "answer";
  if (name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

bool Machine::State::accept_result(const Outcome& outcome) {
  if (const auto* failed = std::get_if<Fault>(&outcome)) {
    fault = *failed;
    if (waiting == Waiting::ForCall)
      fault.operation = module.operations[routine().call_sites[at->index()].operation].full_name();
    return false;
  }
  if (waiting == Waiting::ForLog) return true;
  const Instruction i = *at;
  const Operation& operation = module.operations[routine().call_sites[i.index()].operation];
  if (operation.result == kNothingType) {
    r(i.a) = Slot::null();
    return true;
  }
  Slot value = Slot::null();
  const auto problem = read_json(std::get<Returned>(outcome).json, module.types, operation.result,
                                 answer_name(module.types, operation.result), heap, value);
  if (problem && problem->is_out_of_memory) return out_of_memory();
  if (problem) {
    raise(FaultKind::InvalidResponse,
          fmt::format("{} gave an unexpected answer: {}", operation.full_name(), problem->message));
    fault.operation = operation.full_name();
    return false;
  }
  r(i.a) = value;
  return true;
}

}  // namespace flow
