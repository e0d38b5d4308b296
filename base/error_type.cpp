#include "base/error_type.hpp"

#include <algorithm>
#include <array>

#include "base/fault.hpp"

namespace flow {
namespace {

constexpr std::array<std::string_view, kErrorFields> kErrorFieldNames = {"kind", "message", "operation",
                                                                         "line"};

bool is_error_kind(const TypeTable& types, TypeId id) {
  if (!types.is(id, TypeKind::Enum)) return false;
  const EnumType& kinds = types.enumeration(id);
  if (kinds.name != "ErrorKind" || kinds.is_ordered || kinds.values.empty() ||
      kinds.values.size() > static_cast<std::size_t>(kLastFault) + 1)
    return false;
  for (std::size_t k = 0; k < kinds.values.size(); ++k)
    if (kinds.values[k] != fault_name(static_cast<FaultKind>(k))) return false;
  return true;
}

}  // namespace

TypeId add_error_type(TypeTable& types) {
  EnumType kinds{.name = "ErrorKind", .values = {}, .doc = "How a step of a run can go wrong"};
  for (std::size_t k = 0; k <= static_cast<std::size_t>(kLastFault); ++k)
    kinds.values.emplace_back(fault_name(static_cast<FaultKind>(k)));
  const TypeId kind = types.add_enum(std::move(kinds));
  const TypeId operation = types.optional(kStringType);
  RecordType record{.name = "Error", .fields = {}, .doc = "What went wrong, and where"};
  record.fields = {{.name = "kind", .wire = "kind", .type = kind, .doc = "what kind of mistake it is"},
                   {.name = "message", .wire = "message", .type = kStringType, .doc = "for a person"},
                   {.name = "operation",
                    .wire = "operation",
                    .type = operation,
                    .doc = "whose call failed, if it was a call"},
                   {.name = "line", .wire = "line", .type = kIntType, .doc = "of the flow's source"}};
  return types.add_record(std::move(record));
}

bool is_error_type(const TypeTable& types, TypeId id) {
  if (!types.contains(id) || !types.is(id, TypeKind::Record)) return false;
  const RecordType& record = types.record(id);
  if (record.name != "Error" || record.fields.size() != kErrorFields) return false;
  for (std::size_t k = 0; k < kErrorFields; ++k)
    if (record.fields[k].name != kErrorFieldNames[k]) return false;
  const auto type_of = [&](ErrorField field) { return record.fields[static_cast<std::size_t>(field)].type; };
  const TypeId operation = type_of(ErrorField::Operation);
  return is_error_kind(types, type_of(ErrorField::Kind)) && type_of(ErrorField::Message) == kStringType &&
         types.is_optional(operation) && types[operation].element == kStringType &&
         type_of(ErrorField::Line) == kIntType;
}

}  // namespace flow
