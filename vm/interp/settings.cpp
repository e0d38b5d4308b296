#include "vm/interp/settings.hpp"

#include <fmt/format.h>
#include <simdjson.h>
#include <algorithm>

#include "vm/interp/json_scan.hpp"

namespace flow {
namespace {

constexpr std::size_t kHeapBytes = 16u << 20;  // for checking the settings of one module

std::optional<JsonProblem> read_secret(const Setting& setting, std::optional<std::string_view> json,
                                       const TypeTable& types, Heap& heap, Slot& value) {
  if (json)
    if (const auto named = scan_member(*json, "$secret")) json = *named;
  if (!json) {
    value = Slot::text(heap.copy(setting.name));
  } else if (auto problem = convert_json(*json, types, kStringType, heap, value)) {
    return problem;
  }
  if (value.view().data() == nullptr) return JsonProblem{.is_out_of_memory = true, .message = {}};
  value.form = Form::Secret;
  return {};
}

std::optional<JsonProblem> read_setting(const Setting& setting, std::string_view settings_json,
                                        const TypeTable& types, Heap& heap, Slot& value) {
  std::optional<std::string_view> json = scan_member(settings_json, setting.name);
  if (json == "null") json.reset();  // as if it were not there
  std::optional<JsonProblem> problem;
  value = Slot::null();
  if (setting.is_secret) {
    problem = read_secret(setting, json, types, heap, value);
  } else {
    if (!json && !setting.default_json.empty()) json = setting.default_json;
    if (json)
      problem = convert_json(*json, types, setting.type, heap, value);
    else if (!types.is_optional(setting.type))
      problem = JsonProblem{.message = "it is required, and nothing was given"};
  }
  if (problem) problem->message = fmt::format("parameter `{}`: {}", setting.name, problem->message);
  return problem;
}

}  // namespace

bool takes_settings(const FlowCode& flow) {
  const auto is_setting = [](const Input& input) { return input.source == Input::Source::Setting; };
  return std::ranges::any_of(flow.inputs, is_setting);
}

std::optional<JsonProblem> fill_settings(std::string_view settings_json, const Module& module,
                                         const FlowCode& flow, Heap& heap, Slot* registers) {
  for (std::size_t i = 0; i < flow.inputs.size(); ++i) {
    if (flow.inputs[i].source != Input::Source::Setting) continue;
    const Setting& setting = *module.setting(flow.inputs[i].name);
    if (auto problem = read_setting(setting, settings_json, module.types, heap, registers[i])) return problem;
  }
  return {};
}

Status check_settings(const Module& module, std::string_view settings_json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(settings_json.data(), settings_json.size()).get_object().get(object) != simdjson::SUCCESS)
    return error("the settings are no JSON object");
  for (const simdjson::dom::key_value_pair member : object)
    if (module.setting(member.key) == nullptr)
      return error(fmt::format("there is no setting `{}`", member.key));
  Heap heap(kHeapBytes, kHeapBytes);
  for (const Setting& setting : module.settings) {
    Slot value;
    const auto problem = read_setting(setting, settings_json, module.types, heap, value);
    if (problem) return error(problem->is_out_of_memory ? "the settings are too large" : problem->message);
  }
  return {};
}

Status check_setting(const Module& module, const Setting& setting, std::string_view json) {
  Heap heap(kHeapBytes, kHeapBytes);
  Slot value;
  const auto problem = setting.is_secret ? read_secret(setting, json, module.types, heap, value)
                                         : convert_json(json, module.types, setting.type, heap, value);
  if (!problem) return {};
  return error(problem->is_out_of_memory ? "it is too large" : problem->message);
}

}  // namespace flow
