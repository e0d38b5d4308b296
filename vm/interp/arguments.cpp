#include "vm/interp/arguments.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/json_scan.hpp"

namespace flow {
namespace {

constexpr std::size_t kHeapBytes = 16u << 20;  // for looking at the arguments of one run

Error unknown(const Trigger& trigger, std::string_view name) {
  std::vector<std::string> known;
  for (const Trigger::Binding& binding : trigger.bindings) known.push_back(binding.name);
  const auto near = nearest_name(name, known);
  return Error{fmt::format("there is no argument `{}`{}", name,
                           near            ? fmt::format("; did you mean `{}`?", *near)
                           : known.empty() ? std::string("; the flow takes none")
                                           : fmt::format("; the flow takes {}", fmt::join(known, ", ")))};
}

}  // namespace

bool is_text_in_json(const TypeTable& types, TypeId type) {
  const TypeId bare = types.without_null(type);
  const Storage storage = types.storage(bare);
  return storage == Storage::Text || storage == Storage::Enum || bare == kTimeType || bare == kDurationType;
}

bool is_json_text(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

std::string with_written(const Module& module, const FlowCode& flow, std::string_view arguments_json,
                         const std::map<std::string, std::string>& written) {
  std::string json(arguments_json);
  if (written.empty() || !json.ends_with('}')) return json;
  const Trigger& trigger = module.triggers[flow.trigger];
  json.pop_back();
  bool is_first =
      json.find_first_not_of(" \t\r\n") == json.find_last_not_of(" \t\r\n");  // nothing but the brace
  for (const auto& [name, text] : written) {
    const auto binding = std::ranges::find(trigger.bindings, name, &Trigger::Binding::wire);
    const bool is_json = binding != trigger.bindings.end() && !is_text_in_json(module.types, binding->type) &&
                         is_json_text(text);
    json +=
        fmt::format("{}{}:{}", is_first ? "" : ",", json_quoted(name), is_json ? text : json_quoted(text));
    is_first = false;
  }
  return json + "}";
}

Status check_arguments(const Module& module, const FlowCode& flow, std::string_view arguments_json) {
  const Trigger& trigger = module.triggers[flow.trigger];
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(arguments_json.data(), arguments_json.size()).get_object().get(object) !=
      simdjson::SUCCESS)
    return error("the arguments are no JSON object");
  for (const simdjson::dom::key_value_pair member : object)
    if (std::ranges::find(trigger.bindings, member.key, &Trigger::Binding::wire) == trigger.bindings.end())
      return tl::unexpected(unknown(trigger, member.key));
  Heap heap(kHeapBytes, kHeapBytes);
  for (const Trigger::Binding& binding : trigger.bindings) {
    const std::string type = module.types.name(binding.type);
    const auto json = scan_member(arguments_json, binding.wire);
    if (!json || *json == "null") {
      if (!binding.has_default && !module.types.is_optional(binding.type))
        return error(fmt::format("the argument `{}` is missing: it is a {}", binding.name, type));
      continue;
    }
    Slot value;
    const auto problem = convert_json(*json, module.types, binding.type, heap, value);
    if (problem)
      return error(fmt::format("the argument `{}`: {}", binding.name,
                               problem->is_out_of_memory ? "it is too large" : problem->message));
  }
  return {};
}

}  // namespace flow
