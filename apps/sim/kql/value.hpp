// The values that a hunting query computes with, and their types. Texts and dynamic values are shared, never
// changed, so that rows are cheap to copy.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "apps/sim/json.hpp"

namespace flow::kql {

using sim::Json;

enum class Type : std::uint8_t { Bool, Int, Long, Real, Text, DateTime, TimeSpan, Dynamic };

std::string_view type_name(Type type);       // `long`, as queries write it
std::string_view wire_type_name(Type type);  // `Int64`, as answers name it
std::optional<Type> type_named(std::string_view name);
inline bool is_number(Type type) {
  return type == Type::Int || type == Type::Long || type == Type::Real;
}

// 100-nanosecond ticks since 1970, or a count of them.
struct DateTime {
  std::int64_t ticks = 0;
};
struct TimeSpan {
  std::int64_t ticks = 0;
};
inline constexpr std::int64_t kTicksASecond = 10'000'000;
inline constexpr std::int64_t kTicksADay = 86'400 * kTicksASecond;
inline constexpr std::int64_t kLeastTicks = -621'355'968'000'000'000;  // the first of January 1
inline constexpr std::int64_t kMostTicks = 2'534'023'008'000'000'000;  // and of 10000

using Text = std::shared_ptr<const std::string>;
using Dynamic = std::shared_ptr<const Json>;

// What of a value does not depend on its column: a null of any type is the same. A text column has no nulls,
// there null reads as the empty text.
class Value {
 public:
  Value() = default;
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(DateTime value) : data_(value) {}
  Value(TimeSpan value) : data_(value) {}
  Value(Text value) : data_(std::move(value)) {}
  Value(Dynamic value) : data_(std::move(value)) {}
  static Value text(std::string text) { return Value(std::make_shared<const std::string>(std::move(text))); }
  static Value dynamic(Json json) { return Value(std::make_shared<const Json>(std::move(json))); }

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  template <class T>
  const T* get() const {
    return std::get_if<T>(&data_);
  }
  // Each gives an empty value when this is of another kind.
  bool is_true() const { return get<bool>() != nullptr && *get<bool>(); }
  std::string_view text() const { return get<Text>() != nullptr ? std::string_view(**get<Text>()) : ""; }
  std::optional<std::int64_t> integer() const;  // of a real, its whole part
  std::optional<double> number() const;
  const Json* json() const { return get<Dynamic>() != nullptr ? get<Dynamic>()->get() : nullptr; }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, DateTime, TimeSpan, Text, Dynamic> data_;
};

using Row = std::vector<Value>;
using RowPointer = std::shared_ptr<const Row>;
using Rows = std::vector<RowPointer>;

struct Column {
  std::string name;
  Type type = Type::Text;
};

struct Table {
  std::vector<Column> columns;
  Rows rows;
};

Value plain(const Value& value);  // a dynamic text, number or bool as the plain one; null for JSON's null
std::string to_text(const Value& value);
Value convert(const Value& value, Type to);  // null when that is not possible
Json to_json(const Value& value, Type type);
Value from_json(const Json& json, Type type);  // null when it is no such value
// Less than, equal to or greater than zero; nothing when one is null or they cannot be compared.
std::optional<int> compare(const Value& a, const Value& b);
// Appends what is equal for equal values of one type and else different.
void append_key(std::string& key, const Value& value);
// About how many bytes the value keeps alive.
std::size_t weight(const Value& value);

std::optional<DateTime> parse_datetime(std::string_view text);  // ISO 8601, also only a date
std::optional<TimeSpan> parse_timespan(std::string_view text);  // `1.02:03:04.5`, `02:00:00`, `7d`
std::string format(DateTime time);                              // with seven fractional digits
std::string format(TimeSpan span);

}  // namespace flow::kql
