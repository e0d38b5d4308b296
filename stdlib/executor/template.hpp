// Evaluates the templates of an operation against the arguments of one call. Pure: no network, no secrets;
// the marker {"$secret": "name"} passes through as it is and is resolved by reveal() right before the request
// goes out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "stdlib/json/json.hpp"

namespace flow {

struct TemplateScope {
  const JsonValue* arguments = nullptr;                          // an object: parameter name to value
  const std::map<std::string, std::string>* settings = nullptr;  // `connector.key` to value; may be absent
  std::string_view connector;                                    // whose settings are meant
  std::string_view call_key;
  const JsonValue* item = nullptr;  // of a list that the template is evaluated for
  std::string base = {};            // the connector's address: what `config.base` says
};

// The value of the template, as a tree. {"$html": "…"} and {"$kql": "…"} become plain text.
JsonValue evaluate(const Template& node, const TemplateScope& scope);

// The path of a request: every hole percent-encoded. Refuses holes that would make it another path: missing
// or empty values, `.` and `..`.
Result<std::string> evaluate_path(const Template& node, const TemplateScope& scope);

// A value as text: strings as they are, numbers and true as JSON writes them, null as nothing.
std::string text_of(const JsonValue& value);

// Replaces the secret markers below `value` by what `secret` gives for their names.
using RevealSecret = std::function<Result<std::string>(const std::string& name)>;
Status reveal(JsonValue& value, const RevealSecret& secret);

// For whoever polls a long-running action: `arguments` evaluated with the first call's arguments and, as
// `result`, its result; a JSON object.
Result<std::string> completion_arguments(const Template& arguments, std::string_view arguments_json,
                                         std::string_view result_json, std::string_view call_key);

}  // namespace flow
