#include "stdlib/executor/settlement.hpp"

#include <utility>

#include "stdlib/json/json.hpp"

namespace flow {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// `run-1/2` is not in `run-1/23`.
bool holds_key(std::string_view text, std::string_view key) {
  if (key.empty()) return false;
  for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
    const bool begins = at == 0 || !is_word(text[at - 1]);
    const bool ends = at + key.size() == text.size() || !is_word(text[at + key.size()]);
    if (begins && ends) return true;
  }
  return false;
}

bool is_made_by(const JsonValue& element, std::string_view field, std::string_view key) {
  const JsonValue* value = element.member(field);
  return value != nullptr && value->is_text() && holds_key(value->text, key);
}

}  // namespace

CrashRule crash_rule_of(const Operation& operation, const Route& route) {
  if (route.crash) return *route.crash;
  return {.kind = operation.effect == Effect::Read ? CrashRule::Kind::Repeat : CrashRule::Kind::Ask};
}

CallUnknown unknown(std::string message) {
  return {Fault{.kind = FaultKind::InDoubt, .message = std::move(message), .maybe_executed = true}};
}

CallUnknown unknown_for(Fault lookup) {
  lookup.message = "the lookup failed: " + lookup.message;
  if (!may_retry(lookup.kind)) lookup.kind = FaultKind::InDoubt;
  lookup.maybe_executed = true;
  return {std::move(lookup)};
}

CallFinding finding_in(std::string_view result_json, std::string_view field, std::string_view key) {
  const Result<JsonValue> result = parse_json(result_json);
  if (!result) return unknown("the lookup's result cannot be read: " + result.error().message);
  if (field.empty()) {  // the lookup's arguments leave nothing else in its list
    if (result->kind != JsonValue::Kind::List) return unknown("the lookup's result is no list");
    return result->items.empty() ? CallFinding(CallDidNotHappen{})
                                 : CallHappened{to_json(result->items.front())};
  }
  if (is_made_by(*result, field, key)) return CallHappened{std::string(result_json)};
  if (result->kind == JsonValue::Kind::List)
    for (const JsonValue& element : result->items)
      if (is_made_by(element, field, key)) return CallHappened{to_json(element)};
  return CallDidNotHappen{};
}

}  // namespace flow
