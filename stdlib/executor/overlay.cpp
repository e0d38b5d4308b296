#include "stdlib/executor/overlay.hpp"

#include <algorithm>
#include <cstddef>

namespace flow {
namespace {

constexpr int kLevels = 2;  // the body, and the members of its members

bool is_object(const JsonValue& value) {
  return value.kind == JsonValue::Kind::Object;
}

// Whether `whole` has all that `part` says.
bool has(const JsonValue& whole, const JsonValue& part) {
  if (!is_object(whole) || !is_object(part)) return to_json(whole) == to_json(part);
  for (std::size_t i = 0; i < part.names.size(); ++i) {
    const JsonValue* const member = whole.member(part.names[i]);
    if (member == nullptr || !has(*member, part.items[i])) return false;
  }
  return true;
}

JsonValue joined(JsonValue list, const JsonValue& more) {
  for (const JsonValue& element : more.items) {
    const auto is_it = [&](const JsonValue& other) { return has(other, element); };
    if (std::ranges::none_of(list.items, is_it)) list.items.push_back(element);
  }
  return list;
}

JsonValue over(const JsonValue& below, const JsonValue& above, int levels) {
  if (below.kind == JsonValue::Kind::List && above.kind == JsonValue::Kind::List) return joined(below, above);
  if (levels == 0 || !is_object(below) || !is_object(above)) return above;
  JsonValue merged = below;
  for (std::size_t i = 0; i < above.names.size(); ++i) {
    const auto found = std::ranges::find(merged.names, above.names[i]);
    if (found == merged.names.end()) {
      merged.names.push_back(above.names[i]);
      merged.items.push_back(above.items[i]);
    } else {
      JsonValue& member = merged.items[static_cast<std::size_t>(found - merged.names.begin())];
      member = over(member, above.items[i], levels - 1);
    }
  }
  return merged;
}

}  // namespace

bool is_change(const Route& route) {
  return route.method == "GET" && route.then && route.body;
}

JsonValue laid_over(const JsonValue& below, const JsonValue& above) {
  return over(below, above, kLevels);
}

}  // namespace flow
