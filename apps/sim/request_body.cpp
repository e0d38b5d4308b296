#include "apps/sim/request_body.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flow::sim {
namespace {

std::optional<std::string> wrong_value(const BodyField& field, const Json& value) {
  if (field.is_list) {
    const bool is_texts =
        value.is_list() && std::ranges::all_of(value.items(), [](const Json& i) { return i.is_text(); });
    if (!is_texts) return fmt::format("'{}' must be a list of texts, not {}.", field.name, value.kind());
    return std::nullopt;
  }
  if (value.is_null() && !field.is_required) return std::nullopt;
  const auto wrong = [&](std::string_view wanted) {
    return fmt::format("'{}' must be {}, not {}.", field.name, wanted, value.kind());
  };
  switch (field.kind) {
    case BodyKind::Bool: return value.is_bool() ? std::nullopt : std::optional(wrong("true or false"));
    case BodyKind::Number: return value.is_int() ? std::nullopt : std::optional(wrong("a whole number"));
    case BodyKind::Object: return value.is_object() ? std::nullopt : std::optional(wrong("an object"));
    case BodyKind::Objects: {
      const bool is_right =
          value.is_list() && std::ranges::all_of(value.items(), [](const Json& i) { return i.is_object(); });
      return is_right ? std::nullopt : std::optional(wrong("a list of objects"));
    }
    case BodyKind::Any: return std::nullopt;
    case BodyKind::Text: break;
  }
  if (!value.is_text()) return fmt::format("'{}' must be a text, not {}.", field.name, value.kind());
  if (field.values.empty() || std::ranges::find(field.values, value.text()) != field.values.end())
    return std::nullopt;
  return fmt::format("'{}' is no value of '{}'. Accepted: {}.", value.text(), field.name,
                     fmt::join(field.values, ", "));
}

}  // namespace

std::optional<HttpAnswer> read_body(State& state, const Call& call, const std::vector<BodyField>& fields,
                                    Json& body) {
  auto read = parse_json(call.question.body);
  if (!read)
    return defender_error(state, 400, "InvalidRequestBody",
                          "Request body is incorrect: " + read.error().message);
  if (!read->is_object())
    return defender_error(state, 400, "InvalidRequestBody", "Request body must be a JSON object.");
  body = std::move(*read);
  if (const auto problem = body_problem(fields, body))
    return defender_error(state, 400, problem->code, problem->message);
  return std::nullopt;
}

std::optional<BodyProblem> body_problem(const std::vector<BodyField>& fields, const Json& object) {
  for (const BodyField& field : fields) {
    const Json& value = object[field.name];
    if (field.is_required && (value.is_null() || (value.is_text() && value.text().empty())))
      return BodyProblem{"MissingRequiredParameter",
                         "Required parameter '" + field.name + "' is missing (names are case-sensitive)."};
  }
  for (const Member& member : object.members()) {
    const auto field = std::ranges::find(fields, member.name, &BodyField::name);
    if (field == fields.end())
      return BodyProblem{"InvalidRequestBody", "Request body is incorrect: '" + member.name +
                                                   "' is not known (names are case-sensitive)."};
    if (const auto problem = wrong_value(*field, member.value))
      return BodyProblem{field->values.empty() ? "InvalidRequestBody" : "InvalidInput", *problem};
  }
  return std::nullopt;
}

}  // namespace flow::sim
