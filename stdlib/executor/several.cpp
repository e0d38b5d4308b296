#include "stdlib/executor/several.hpp"

#include <map>
#include <utility>

#include "stdlib/executor/template.hpp"
#include "stdlib/json/json.hpp"

namespace flow {

std::string asked_value(const BegunRequest& begun, const std::string& parameter) {
  const OperationRequest& request = begun.request;
  const Completion& completion = *request.module->operations[request.operation].completes;
  const Result<std::string> arguments =
      completion_arguments(completion.arguments, request.arguments, begun.result, request.key);
  if (!arguments) return {};
  const Result<JsonValue> parsed = parse_json(*arguments);
  const JsonValue* const value = parsed ? parsed->member(parameter) : nullptr;
  return value == nullptr ? std::string() : text_of(*value);
}

Result<std::string> several_arguments(const Several& several, const std::string& parameter,
                                      const std::vector<std::string>& values) {
  JsonValue list;
  list.kind = JsonValue::Kind::List;
  for (const std::string& value : values)
    if (!value.empty()) list.items.push_back(JsonValue::of_text(value));
  if (list.items.empty()) return error("nothing names what is asked for");
  JsonValue arguments;
  arguments.kind = JsonValue::Kind::Object;
  arguments.names.push_back(parameter);
  arguments.items.push_back(std::move(list));
  return to_json(evaluate(several.arguments, {.arguments = &arguments}));
}

Result<std::string> rows_of(std::string_view list_json, std::string_view field,
                            const std::vector<std::string>& values) {
  FLOW_TRY(const JsonValue list, parse_json(list_json));
  if (list.kind != JsonValue::Kind::List) return error("the answer for several is no list");
  std::map<std::string, const JsonValue*> rows;
  for (const JsonValue& row : list.items)
    if (const JsonValue* const value = row.member_ignoring_case(field); value != nullptr && !value->is_null())
      rows.emplace(text_of(*value), &row);
  std::string out = "[";
  for (const std::string& value : values) {
    if (out.size() > 1) out += ',';
    const auto found = rows.find(value);
    if (value.empty() || found == rows.end())
      out += "null";
    else
      append_json(out, *found->second);
  }
  return out + "]";
}

}  // namespace flow
