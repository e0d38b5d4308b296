#include "apps/sim/kql/value.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace flow::kql {
namespace {

struct TypeNames {
  Type type;
  std::string_view name, wire;
};
constexpr TypeNames kTypes[] = {
    {Type::Bool, "bool", "SByte"},        {Type::Int, "int", "Int32"},
    {Type::Long, "long", "Int64"},        {Type::Real, "real", "Double"},
    {Type::Text, "string", "String"},     {Type::DateTime, "datetime", "DateTime"},
    {Type::Dynamic, "dynamic", "Object"}, {Type::TimeSpan, "timespan", "TimeSpan"},
};
constexpr struct {
  std::string_view name;
  Type type;
} kOtherNames[] = {{"boolean", Type::Bool},  {"double", Type::Real},   {"decimal", Type::Real},
                   {"date", Type::DateTime}, {"time", Type::TimeSpan}, {"guid", Type::Text}};

// Whole texts only: `12`, `-1.5e3`.
template <class T>
std::optional<T> number_of(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole(double number) {
  if (!(number > -9.2e18 && number < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::string real_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

Value as_integer(const Value& value, bool is_int) {
  if (const bool* flag = value.get<bool>()) return std::int64_t{*flag};
  std::optional<std::int64_t> number = value.integer();
  if (value.get<Text>() != nullptr) {
    number = number_of<std::int64_t>(value.text());
    if (!number) {
      const auto real = number_of<double>(value.text());
      if (real) number = whole(*real);
    }
  }
  if (const TimeSpan* span = value.get<TimeSpan>()) number = span->ticks;
  if (const DateTime* time = value.get<DateTime>()) number = time->ticks;
  if (!number || (is_int && (*number > INT32_MAX || *number < INT32_MIN))) return {};
  return *number;
}

Value as_bool(const Value& value) {
  if (value.get<bool>() != nullptr) return value;
  if (const auto number = value.number()) return *number != 0;
  if (equals_ignoring_case(value.text(), "true") || value.text() == "1") return true;
  if (equals_ignoring_case(value.text(), "false") || value.text() == "0") return false;
  return {};
}

Value as_dynamic(const Value& value) {
  if (const Text* text = value.get<Text>()) {
    auto json = sim::parse_json(**text);
    return Value::dynamic(json ? std::move(*json) : Json(**text));
  }
  if (const bool* flag = value.get<bool>()) return Value::dynamic(*flag);
  if (const std::int64_t* number = value.get<std::int64_t>()) return Value::dynamic(*number);
  if (const double* number = value.get<double>()) return Value::dynamic(*number);
  return Value::dynamic(to_text(value));
}

std::size_t weight_of(const Json& json) {
  std::size_t bytes = 24 + json.text().size();
  for (const Json& item : json.items()) bytes += weight_of(item);
  for (const sim::Member& member : json.members()) bytes += 32 + member.name.size() + weight_of(member.value);
  return bytes;
}

int sign_of(std::int64_t a, std::int64_t b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

}  // namespace

std::string_view type_name(Type type) {
  for (const TypeNames& names : kTypes)
    if (names.type == type) return names.name;
  return "";
}

std::string_view wire_type_name(Type type) {
  for (const TypeNames& names : kTypes)
    if (names.type == type) return names.wire;
  return "";
}

std::optional<Type> type_named(std::string_view name) {
  for (const TypeNames& names : kTypes)
    if (names.name == name) return names.type;
  for (const auto& other : kOtherNames)
    if (other.name == name) return other.type;
  return std::nullopt;
}

std::optional<std::int64_t> Value::integer() const {
  if (const std::int64_t* number = get<std::int64_t>()) return *number;
  if (const double* number = get<double>()) return whole(*number);
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const std::int64_t* number = get<std::int64_t>()) return static_cast<double>(*number);
  if (const double* number = get<double>()) return *number;
  return std::nullopt;
}

Value plain(const Value& value) {
  const Json* json = value.json();
  if (json == nullptr) return value;
  if (json->is_null()) return {};
  if (json->is_bool()) return json->boolean();
  if (json->is_int()) return json->integer();
  if (json->is_number()) return json->number();
  if (json->is_text()) return Value::text(std::string(json->text()));
  return value;
}

std::string to_text(const Value& value) {
  if (value.get<Text>() != nullptr) return std::string(value.text());
  if (const bool* flag = value.get<bool>()) return *flag ? "True" : "False";
  if (const std::int64_t* number = value.get<std::int64_t>()) return std::to_string(*number);
  if (const double* number = value.get<double>()) return real_text(*number);
  if (const DateTime* time = value.get<DateTime>()) return format(*time);
  if (const TimeSpan* span = value.get<TimeSpan>()) return format(*span);
  const Json* json = value.json();
  if (json == nullptr || json->is_null()) return "";
  if (json->is_bool()) return json->boolean() ? "true" : "false";
  return json->is_text() ? std::string(json->text()) : json->to_text();
}

Value convert(const Value& given, Type to) {
  if (given.is_null()) return to == Type::Text ? Value::text("") : Value();
  if (to == Type::Dynamic) return given.json() != nullptr ? given : as_dynamic(given);
  if (to == Type::Text) return given.get<Text>() != nullptr ? given : Value::text(to_text(given));
  const Value value = plain(given);
  switch (to) {
    case Type::Bool: return as_bool(value);
    case Type::Int: return as_integer(value, true);
    case Type::Long: return as_integer(value, false);
    case Type::Real: {
      if (const auto number = value.number()) return *number;
      if (const bool* flag = value.get<bool>()) return *flag ? 1.0 : 0.0;
      const auto number = number_of<double>(value.text());
      return number ? Value(*number) : Value();
    }
    case Type::DateTime: {
      if (value.get<DateTime>() != nullptr) return value;
      const auto time = parse_datetime(value.text());
      return time ? Value(*time) : Value();
    }
    case Type::TimeSpan: {
      if (value.get<TimeSpan>() != nullptr) return value;
      if (const std::int64_t* ticks = value.get<std::int64_t>()) return TimeSpan{*ticks};
      const auto span = parse_timespan(value.text());
      return span ? Value(*span) : Value();
    }
    case Type::Text:
    case Type::Dynamic: break;
  }
  return {};
}

Json to_json(const Value& value, Type type) {
  if (value.is_null()) return type == Type::Text ? Json("") : Json();
  if (const bool* flag = value.get<bool>()) return *flag;
  if (const std::int64_t* number = value.get<std::int64_t>()) return *number;
  if (const double* number = value.get<double>())
    return std::isfinite(*number) ? Json(*number) : Json(real_text(*number));
  if (value.json() != nullptr) return *value.json();
  return to_text(value);
}

Value from_json(const Json& json, Type type) {
  if (json.is_null()) return {};
  if (type == Type::Dynamic) return Value::dynamic(json);
  if (type == Type::Text) return Value::text(json.is_text() ? std::string(json.text()) : json.to_text());
  return convert(Value::dynamic(json), type);
}

std::optional<int> compare(const Value& left, const Value& right) {
  const Value a = plain(left), b = plain(right);
  if (a.is_null() || b.is_null()) return std::nullopt;
  const std::int64_t *i = a.get<std::int64_t>(), *j = b.get<std::int64_t>();
  if (i != nullptr && j != nullptr) return sign_of(*i, *j);
  if (const auto x = a.number()) {
    const auto y = b.number();
    if (!y || std::isnan(*x) || std::isnan(*y)) return std::nullopt;
    return *x < *y ? -1 : *x > *y ? 1 : 0;
  }
  if (a.get<Text>() != nullptr && b.get<Text>() != nullptr) {
    const int order = a.text().compare(b.text());
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }
  if (a.get<DateTime>() != nullptr && b.get<DateTime>() != nullptr)
    return sign_of(a.get<DateTime>()->ticks, b.get<DateTime>()->ticks);
  if (a.get<TimeSpan>() != nullptr && b.get<TimeSpan>() != nullptr)
    return sign_of(a.get<TimeSpan>()->ticks, b.get<TimeSpan>()->ticks);
  if (a.get<bool>() != nullptr && b.get<bool>() != nullptr) return sign_of(*a.get<bool>(), *b.get<bool>());
  if (a.json() != nullptr && b.json() != nullptr)
    return sign_of(a.json()->to_text().compare(b.json()->to_text()), 0);
  return std::nullopt;
}

void append_key(std::string& key, const Value& given) {
  const Value value = plain(given);
  if (value.is_null()) {
    key += '0';
  } else if (value.get<Text>() != nullptr) {
    // A null text is an empty one.
    if (value.text().empty())
      key += '0';
    else
      key += 's' + std::to_string(value.text().size()) + ':' + std::string(value.text());
  } else if (const double* number = value.get<double>();
             number != nullptr && whole(*number) && std::floor(*number) == *number) {
    key += 'n' + std::to_string(*whole(*number)) + ';';
  } else if (value.get<std::int64_t>() != nullptr) {
    key += 'n' + std::to_string(*value.get<std::int64_t>()) + ';';
  } else {
    const std::string text = to_text(value);
    key += 'v' + std::to_string(text.size()) + ':' + text;
  }
}

std::size_t weight(const Value& value) {
  if (value.get<Text>() != nullptr) return value.text().size();
  return value.json() != nullptr ? weight_of(*value.json()) : 0;
}

std::optional<DateTime> parse_datetime(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto micros = parse_written_time_us(text);
  if (!micros || *micros > kMostTicks / 10 || *micros < kLeastTicks / 10) return std::nullopt;
  const std::size_t dot = text.find('.');
  const std::size_t seventh = dot == std::string_view::npos ? text.size() : dot + 7;
  bool has_seventh = seventh < text.size();
  for (std::size_t i = dot; has_seventh && ++i <= seventh;) has_seventh = text[i] >= '0' && text[i] <= '9';
  return DateTime{*micros * 10 + (has_seventh ? text[seventh] - '0' : 0)};
}

std::optional<TimeSpan> parse_timespan(std::string_view text) {
  const std::string_view whole_text = text;
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const auto signed_span = [&](std::int64_t ticks) { return TimeSpan{is_negative ? -ticks : ticks}; };
  if (text.find(':') == std::string_view::npos) {
    static constexpr struct {
      std::string_view unit;
      std::int64_t ticks;
    } kUnits[] = {
        {"d", kTicksADay},
        {"day", kTicksADay},
        {"days", kTicksADay},
        {"h", 36'000'000'000},
        {"hr", 36'000'000'000},
        {"hrs", 36'000'000'000},
        {"hour", 36'000'000'000},
        {"hours", 36'000'000'000},
        {"m", 600'000'000},
        {"min", 600'000'000},
        {"minute", 600'000'000},
        {"minutes", 600'000'000},
        {"s", kTicksASecond},
        {"sec", kTicksASecond},
        {"second", kTicksASecond},
        {"seconds", kTicksASecond},
        {"ms", 10'000},
        {"milli", 10'000},
        {"millis", 10'000},
        {"millisecond", 10'000},
        {"milliseconds", 10'000},
        {"micro", 10},
        {"microsecond", 10},
        {"microseconds", 10},
        {"tick", 1},
        {"ticks", 1},
        {"", kTicksADay},
    };
    const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto amount = number_of<double>(text.substr(0, end));
    for (const auto& unit : kUnits)
      if (amount && text.substr(end) == unit.unit) {
        const auto ticks = whole(std::round(*amount * static_cast<double>(unit.ticks)));
        return ticks ? std::optional(signed_span(*ticks)) : std::nullopt;
      }
    return std::nullopt;
  }
  std::int64_t days = 0;
  const std::size_t colon = text.find(':'), dot = text.find('.');
  if (dot < colon) {
    const auto number = number_of<std::int32_t>(text.substr(0, dot));
    if (!number) return std::nullopt;
    days = *number;
    text.remove_prefix(dot + 1);
  }
  std::array<double, 3> parts{};
  std::size_t count = 0;
  for (; !text.empty() && count < 3; ++count) {
    const std::string_view part = text.substr(0, text.find(':'));
    const auto number = number_of<double>(part);
    if (!number || *number < 0 || *number >= (count == 0 ? 24 : 60)) return std::nullopt;
    parts[count] = *number;
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  if (!text.empty() || count < 2 || whole_text.ends_with(':')) return std::nullopt;
  const double seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  return signed_span(days * kTicksADay + static_cast<std::int64_t>(std::round(seconds * 1e7)));
}

std::string format(DateTime time) {
  std::int64_t micros = time.ticks / 10, rest = time.ticks % 10;
  if (rest < 0) --micros, rest += 10;
  std::string text = format_time_us(micros);
  text.pop_back();  // Z
  if (text.find('.') == std::string::npos) text += '.';
  const std::size_t digits = text.size() - text.find('.') - 1;
  text.append(6 - digits, '0');
  return text + static_cast<char>('0' + rest) + "Z";
}

std::string format(TimeSpan span) {
  const bool is_negative = span.ticks < 0;
  const std::uint64_t ticks =
      is_negative ? 0 - static_cast<std::uint64_t>(span.ticks) : static_cast<std::uint64_t>(span.ticks);
  const std::uint64_t seconds = ticks / kTicksASecond, days = seconds / 86'400;
  std::string text = is_negative ? "-" : "";
  if (days > 0) text += std::to_string(days) + ".";
  text += fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  if (ticks % kTicksASecond != 0) text += fmt::format(".{:07}", ticks % kTicksASecond);
  return text;
}

}  // namespace flow::kql
