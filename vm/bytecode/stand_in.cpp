#include "vm/bytecode/stand_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr int kDeepest = 8;  // a record may hold itself

std::string enum_value(const EnumType& type) {
  static constexpr std::array<std::string_view, 6> kPreferred = {"Succeeded", "Completed", "Active",
                                                                 "New",       "Medium",    "Normal"};
  for (const std::string_view wanted : kPreferred)
    if (std::ranges::find(type.values, wanted) != type.values.end()) return json_quoted(wanted);
  return type.values.empty() ? "null" : json_quoted(type.values.front());
}

std::string text_value(TypeId type, const std::string& name) {
  switch (type) {
    case kMachineIdType: return "\"1111111111111111111111111111111111111111\"";
    case kSha1Type: return "\"2222222222222222222222222222222222222222\"";
    case kSha256Type: return "\"" + std::string(64, '3') + "\"";
    case kMd5Type: return "\"" + std::string(32, '4') + "\"";
    case kAlertIdType: return "\"da111111111111111111_1111111111\"";
    case kActionIdType:
    case kUserIdType: return "\"11111111-1111-1111-1111-111111111111\"";
    case kEmailType: return "\"someone@example.com\"";
    case kIpType: return "\"192.0.2.1\"";
    case kUrlType: return "\"https://example.com/\"";
    case kDomainType: return "\"example.com\"";
    case kIncidentIdType: return "\"1\"";
    case kBytesType: return "\"Rmxvdw==\"";
    default: return json_quoted(name);
  }
}

std::string value(const TypeTable& types, TypeId type, const std::string& name, std::int64_t now_us,
                  int depth) {
  const Type& shape = types[type];
  switch (shape.kind) {
    case TypeKind::Optional: return "null";
    case TypeKind::Bool: return "false";
    case TypeKind::Int: return "0";
    case TypeKind::Float: return "0.0";
    case TypeKind::Time: return json_quoted(format_time_us(now_us));
    case TypeKind::Duration: return "\"0s\"";
    case TypeKind::Json: return "null";
    case TypeKind::List: return "[]";
    case TypeKind::Map: return "{}";
    case TypeKind::Enum: return enum_value(types.enumeration(type));
    case TypeKind::Record: {
      std::string members;
      if (depth < kDeepest)
        for (const RecordField& field : types.record(type).fields)
          members += fmt::format("{}{}:{}", members.empty() ? "" : ",", json_quoted(field.wire),
                                 value(types, field.type, field.name, now_us, depth + 1));
      return "{" + members + "}";
    }
    default: return types.storage(type) == Storage::Text ? text_value(type, name) : "null";
  }
}

// Whether the result tells back what it was asked about: an ID, an address.
bool is_told_back(const TypeTable& types, const Parameter& parameter, const RecordField& field) {
  return parameter.type == types.without_null(field.type) && parameter.type != kStringType &&
         types.storage(parameter.type) == Storage::Text;
}

}  // namespace

std::string stand_in_json(const TypeTable& types, TypeId type, const std::string& name, std::int64_t now_us) {
  return value(types, type, name, now_us, 0);
}

std::string stand_in_result(const TypeTable& types, const Operation& operation, const NamedJson& arguments,
                            std::int64_t now_us) {
  if (!types.is(operation.result, TypeKind::Record))
    return stand_in_json(types, operation.result, operation.name, now_us);
  std::string members;
  for (const RecordField& field : types.record(operation.result).fields) {
    std::string member = value(types, field.type, field.name, now_us, 1);
    for (const Parameter& parameter : operation.parameters) {
      if (!is_told_back(types, parameter, field)) continue;
      const auto given = std::ranges::find(arguments, parameter.name, &NamedJson::value_type::first);
      if (given != arguments.end()) member = given->second;
    }
    members += fmt::format("{}{}:{}", members.empty() ? "" : ",", json_quoted(field.wire), member);
  }
  return "{" + members + "}";
}

}  // namespace flow
