// The types by which flows know faults: the enum ErrorKind, whose values are the names of base/faults.def in
// their order, and the record Error {kind: ErrorKind, message: String, operation: String?, line: Int}. No
// connector declares them: the machine makes values of them (Op::Caught) and takes them (Op::Throw).
#pragma once

#include "base/type.hpp"

namespace flow {

enum class ErrorField : std::uint8_t { Kind, Message, Operation, Line };
inline constexpr std::size_t kErrorFields = 4;

// Adds both, and String?, to a table that has neither; the record.
TypeId add_error_type(TypeTable& types);

// Whether `id` is that record. An older module's enum may lack the faults that were added since.
bool is_error_type(const TypeTable& types, TypeId id);

}  // namespace flow
