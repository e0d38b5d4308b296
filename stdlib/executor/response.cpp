#include "stdlib/executor/response.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kUnstatedPause = 60 * kSecond;
constexpr std::int64_t kLongestPause = 86'400 * kSecond;

struct StatusRow {
  int status;
  FaultKind fault;
  bool may_have_happened;
};
constexpr StatusRow kStatuses[] = {
#define FLOW_STATUS(status, fault, may_have_happened) {status, FaultKind::fault, may_have_happened},
#include "stdlib/executor/statuses.def"
#undef FLOW_STATUS
};

StatusRow row_of(int status) {
  const auto found = std::ranges::find(kStatuses, status, &StatusRow::status);
  if (found != std::end(kStatuses)) return *found;
  if (status >= 500) return {status, FaultKind::Unavailable, true};
  if (status >= 400) return {status, FaultKind::BadRequest, false};
  const bool was_handled = status != 307 && status != 308;  // these two ask to send the same elsewhere
  return {status, FaultKind::InvalidResponse, was_handled};
}

// What an error body says, whichever API wrote it.
struct ApiError {
  std::string code;
  std::string inner_code;
  std::string message;
  std::string target;  // what the vendor's support asks for
};

std::string text_or_empty(const JsonValue* value) {
  return value != nullptr && (value->is_text() || value->kind == JsonValue::Kind::Number) ? value->text
                                                                                          : std::string();
}

// The deepest code below `innererror`, also spelled `innerError`; it may nest and may lack a code.
std::string inner_code(const JsonValue& error) {
  std::string code;
  for (const JsonValue* inner = error.member_ignoring_case("innererror"); inner != nullptr;
       inner = inner->member_ignoring_case("innererror"))
    if (std::string found = text_or_empty(inner->member_ignoring_case("code")); !found.empty())
      code = std::move(found);
  return code;
}

ApiError api_error(const HttpResponse& response) {
  const auto body = parse_json(response.body);
  if (!body || body->kind != JsonValue::Kind::Object) return {.message = excerpt(response.body)};
  const JsonValue* error = body->member_ignoring_case("error");
  if (error == nullptr) error = body->member_ignoring_case("odata.error");
  ApiError found;
  if (error != nullptr && error->is_text()) {  // the OAuth shape
    found = {.code = error->text, .message = text_or_empty(body->member("error_description"))};
  } else {
    const JsonValue& from = error != nullptr ? *error : *body;
    const JsonValue* message = from.member_ignoring_case("message");
    if (message != nullptr && message->kind == JsonValue::Kind::Object) message = message->member("value");
    found = {.code = text_or_empty(from.member_ignoring_case("code")),
             .inner_code = inner_code(from),
             .message = text_or_empty(message),
             .target = text_or_empty(from.member_ignoring_case("target"))};
  }
  if (found.code.empty()) found.code = found.inner_code;
  return found;
}

bool matches(const ErrorRule& rule, int status, const ApiError& error) {
  if (rule.status != 0 && rule.status != status) return false;
  if (rule.code.empty() || equals_ignoring_case(rule.code, error.code) ||
      equals_ignoring_case(rule.code, error.inner_code))
    return true;
  return lower_ascii(error.message).find(lower_ascii(rule.code)) != std::string::npos;
}

// `in 8 seconds` somewhere in the message.
std::optional<std::int64_t> pause_in_text(std::string_view text) {
  for (std::size_t at = text.find("in "); at != std::string_view::npos; at = text.find("in ", at + 1)) {
    std::int64_t seconds = 0;
    const char* begin = text.data() + at + 3;
    const char* end = text.data() + text.size();
    const auto [rest, failed] = std::from_chars(begin, end, seconds);
    if (failed != std::errc() || seconds < 0 || seconds > kLongestPause / kSecond) continue;
    if (std::string_view(rest, static_cast<std::size_t>(end - rest)).starts_with(" second"))
      return std::max<std::int64_t>(seconds, 1) * kSecond;
  }
  return std::nullopt;
}

// The text between `label` and the next `;`, `.` at a word's end, or `, application roles`.
std::string roles_after(std::string_view message, std::string_view label) {
  const std::size_t at = message.find(label);
  if (at == std::string_view::npos) return {};
  std::string_view rest = message.substr(at + label.size());
  rest = rest.substr(0, rest.find(", application roles"));
  while (!rest.empty() && (rest.back() == '.' || rest.back() == ' ')) rest.remove_suffix(1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  return excerpt(rest, 300);
}

std::string joined(const std::vector<std::string>& words, std::string_view by) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : std::string(by)) + word;
  return out;
}

// Names what the operator has to grant.
std::string permission_note(const Operation& operation, const Route& route, const ApiError& error) {
  std::string note;
  if (!route.permissions.empty())
    note = "; " + operation.full_name() + " needs the permission " + joined(route.permissions, " or ");
  const std::string wanted = roles_after(error.message, "API required roles:");
  const std::string granted = roles_after(error.message, "application roles:");
  if (!wanted.empty())
    note += "; the API asks for one of: " + wanted + "; the app has: " + (granted.empty() ? "none" : granted);
  return note;
}

const ErrorRule* rule_of(const Route& route, int status, const ApiError& error) {
  const auto found =
      std::ranges::find_if(route.errors, [&](const ErrorRule& rule) { return matches(rule, status, error); });
  return found == route.errors.end() ? nullptr : &*found;
}

// What an answer says of itself that its status does not: an error of an API that answers 200 whatever
// happens, or that what was wanted is so already.
enum class Tells : std::uint8_t { Nothing, Failure, Success };
Tells told_by(const HttpResponse& response, const Route& route) {
  const bool is_good = response.status < 300;
  const bool has_rule = std::ranges::any_of(route.errors, [&](const ErrorRule& rule) {
    return rule.status == response.status && (is_good || rule.is_success);
  });
  if (!has_rule) return Tells::Nothing;
  if (is_good) {
    const auto body = parse_json(response.body);
    const JsonValue* const error = body ? body->member("error") : nullptr;
    if (error == nullptr || error->is_null()) return Tells::Nothing;
  }
  const ErrorRule* const rule = rule_of(route, response.status, api_error(response));
  if (rule == nullptr) return Tells::Nothing;
  return rule->is_success ? Tells::Success : is_good ? Tells::Failure : Tells::Nothing;
}

Fault fault_of_answer(const HttpResponse& response, const Operation& operation, const Route& route,
                      std::int64_t now_us) {
  const ApiError error = api_error(response);
  const StatusRow row = row_of(response.status);
  Fault fault{.kind = row.fault, .status = response.status, .code = excerpt(error.code, 80)};
  fault.maybe_executed = row.may_have_happened && operation.effect != Effect::Read;
  if (const ErrorRule* const rule = rule_of(route, response.status, error)) fault.kind = rule->kind;
  fault.message = fmt::format("{} was answered {}{}{}", operation.full_name(), response.status,
                              fault.code.empty() ? "" : " " + fault.code,
                              error.message.empty() ? "" : ": " + excerpt(error.message));
  if (!error.target.empty()) fault.message += " (target " + excerpt(error.target, 80) + ")";
  if (response.status == 403) fault.message += permission_note(operation, route, error);
  fault.retry_after_us = retry_after_us(response, now_us).value_or(0);
  if (fault.kind == FaultKind::Throttled && fault.retry_after_us == 0)
    fault.retry_after_us = pause_in_text(error.message).value_or(kUnstatedPause);
  return fault;
}

// Of an answer whose `tables` are [{"columns": [{"name": …}], "rows": [[…]]}], the rows of the first, by
// column name.
Result<std::string> rows_of(std::string_view body, std::string_view tables) {
  FLOW_TRY(const JsonValue answer, parse_json(body));
  const JsonValue* const list = answer.member(tables);
  if (list == nullptr || list->kind != JsonValue::Kind::List || list->items.empty())
    return error("it has no table");
  const JsonValue* const columns = list->items[0].member("columns");
  const JsonValue* const rows = list->items[0].member("rows");
  if (columns == nullptr || rows == nullptr) return error("its table has no columns and rows");
  JsonValue out{.kind = JsonValue::Kind::List};
  for (const JsonValue& row : rows->items) {
    JsonValue named{.kind = JsonValue::Kind::Object};
    for (std::size_t i = 0; i < row.items.size() && i < columns->items.size(); ++i) {
      const JsonValue* const name = columns->items[i].member("name");
      if (name == nullptr || !name->is_text()) return error("a column of its table has no name");
      named.names.push_back(name->text);
      named.items.push_back(row.items[i]);
    }
    out.items.push_back(std::move(named));
  }
  return to_json(out);
}

Fault invalid(const HttpResponse& response, const Operation& operation, const std::string& why) {
  return {
      .kind = FaultKind::InvalidResponse,
      .message = operation.full_name() + " was answered " + std::to_string(response.status) + ", but " + why,
      .status = response.status,
      .maybe_executed = operation.effect != Effect::Read};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// What stands at `path` (`value/0/name`) below `value`; nothing when there is nothing.
const JsonValue* part_at(const JsonValue& value, std::string_view path) {
  const JsonValue* at = &value;
  while (at != nullptr && !path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view step = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (at->kind != JsonValue::Kind::List) {
      at = at->member(step);
      continue;
    }
    std::size_t index = 0;
    if (!is_number(step) || std::from_chars(step.data(), step.data() + step.size(), index).ec != std::errc())
      return nullptr;
    at = index < at->items.size() ? &at->items[index] : nullptr;
  }
  return at;
}

// The JSON text of the result, from the first of its places that holds anything; `null` when none does.
Result<std::string> result_in(std::string_view body, const Operation& operation) {
  const bool is_plain =
      operation.result_members_else.empty() && operation.result_member.find('/') == std::string::npos;
  if (is_plain) return json_part(body, operation.result_member);
  FLOW_TRY(const JsonValue whole, parse_json(body));
  if (const JsonValue* found = part_at(whole, operation.result_member); found != nullptr && !found->is_null())
    return to_json(*found);
  for (const std::string& other : operation.result_members_else)
    if (const JsonValue* found = part_at(whole, other); found != nullptr && !found->is_null())
      return to_json(*found);
  return std::string("null");
}

// A link may come with quotation marks of its own around it (getPackageUri does so).
std::string plain_link(std::string json) {
  const auto link = parse_json(json);
  if (!link || !link->is_text()) return json;
  std::string_view text = link->text;
  while (!text.empty() && (text.front() == '"' || text.front() == ' ')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == '"' || text.back() == ' ')) text.remove_suffix(1);
  return json_quoted(text);
}

}  // namespace

Outcome outcome_of(const HttpResponse& response, const Operation& operation, const Route& route,
                   std::int64_t now_us) {
  const Tells tells = told_by(response, route);
  if (tells == Tells::Success && operation.result == kNothingType) return Returned{"null"};
  if (response.status < 200 || response.status >= 300 || tells == Tells::Failure)
    return fault_of_answer(response, operation, route, now_us);
  if (operation.result == kNothingType) return Returned{"null"};
  if (operation.result == kBytesType && operation.result_member.empty())
    return Returned{json_quoted(base64_of(response.body))};
  if (response.body.empty())
    return invalid(response, operation, "the body is empty and a result is declared");
  // A count comes as a bare number, behind a byte-order mark.
  std::string_view body = response.body;
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  constexpr std::string_view kRowsOf = "rows of ";
  std::string_view member = operation.result_member;
  // `messages?`: an answer may lack it, as lists of nothing do.
  const bool may_lack = member.ends_with('?');
  if (may_lack) member.remove_suffix(1);
  Result<std::string> json = member.starts_with(kRowsOf) ? rows_of(body, member.substr(kRowsOf.size()))
                             : may_lack                  ? json_part(body, std::string(member))
                                                         : result_in(body, operation);
  if (may_lack && (json ? *json == "null" : parse_json(body).has_value())) return Returned{"[]"};
  // What is declared as a JSON text, some APIs send as plain text.
  if (!json && operation.result == kStringType && operation.result_member.empty() && !invalid_utf8_at(body))
    return Returned{json_quoted(body)};
  if (!json) return invalid(response, operation, json.error().message + ": " + excerpt(response.body));
  if (operation.result == kUrlType) return Returned{plain_link(std::move(*json))};
  return Returned{std::move(*json)};
}

Fault incomplete(const HttpResponse& response, const Operation& operation, const std::string& why,
                 bool is_too_large) {
  Fault fault = invalid(response, operation, why);
  if (is_too_large) fault.kind = FaultKind::TooLarge;
  return fault;
}

}  // namespace flow
