// Arithmetic, and what chooses between values.
#include <cmath>
#include <limits>

#include "apps/sim/kql/functions.hpp"

namespace flow::kql {
namespace {

Value real(double number) {
  return number;
}
template <double (*kFunction)(double)>
Value by(Run&, Arguments a) {
  const auto number = a[0].number();
  return number ? real(kFunction(*number)) : Value();
}

// Of whole numbers, or of ticks; nothing when it overflows or divides by zero.
Value whole_arithmetic(char op, std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  bool overflows = false;
  switch (op) {
    case '+': overflows = __builtin_add_overflow(x, y, &result); break;
    case '-': overflows = __builtin_sub_overflow(x, y, &result); break;
    case '*': overflows = __builtin_mul_overflow(x, y, &result); break;
    default: overflows = y == 0 || (y == -1 && x == std::numeric_limits<std::int64_t>::min());
  }
  if (overflows) return {};
  if (op != '/' && op != '%') return result;
  const std::int64_t rest = op == '/' ? 0 : x % y;
  return op == '/' ? x / y : rest < 0 ? (y > 0 ? rest + y : rest - y) : rest;
}

std::optional<std::int64_t> ticks_of(const Value& value) {
  if (const DateTime* time = value.get<DateTime>()) return time->ticks;
  if (const TimeSpan* span = value.get<TimeSpan>()) return span->ticks;
  return std::nullopt;
}
Value span_of(const Value& ticks) {
  const std::int64_t* number = ticks.get<std::int64_t>();
  return number != nullptr ? Value(TimeSpan{*number}) : Value();
}
Value span_of(double ticks) {
  return std::abs(ticks) < 9e18 ? Value(TimeSpan{static_cast<std::int64_t>(ticks)}) : Value();
}

Value time_arithmetic(char op, const Value& left, const Value& right) {
  const auto x = ticks_of(left), y = ticks_of(right);
  if (x && y) {
    const bool is_time = left.get<DateTime>() != nullptr, other_is_time = right.get<DateTime>() != nullptr;
    if (op == '/') return *y == 0 ? Value() : real(static_cast<double>(*x) / static_cast<double>(*y));
    const Value ticks = whole_arithmetic(op, *x, *y);
    if (is_time != other_is_time && op != '%')
      return ticks.is_null() ? Value() : time_at(*ticks.get<std::int64_t>());
    return span_of(ticks);
  }
  const auto number = x ? right.number() : left.number();
  const auto ticks = x ? x : y;
  if (!number || !ticks) return {};
  if (op == '*') return span_of(*number * static_cast<double>(*ticks));
  return op == '/' && x && *number != 0 ? span_of(static_cast<double>(*ticks) / *number) : Value();
}

template <int kSign>
Value extreme(Run&, Arguments a) {
  const Value* best = nullptr;
  for (const Value& value : a) {
    if (value.is_null()) continue;
    if (best == nullptr || compare(value, *best).value_or(0) * kSign > 0) best = &value;
  }
  return best != nullptr ? *best : Value();
}

Value rounded(Run&, Arguments a) {
  const auto number = a[0].number();
  if (!number) return {};
  const std::int64_t digits = a.size() > 1 ? a[1].integer().value_or(0) : 0;
  if (digits > 15 || digits < -15) return a[0];
  const double scale = std::pow(10.0, static_cast<double>(digits));
  return real(std::round(*number * scale) / scale);
}

Value case_of(Run&, Arguments a) {
  for (std::size_t i = 0; i + 1 < a.size(); i += 2)
    if (a[i].is_true()) return a[i + 1];
  return a[a.size() - 1];
}

Value coalesce(Run&, Arguments a) {
  for (const Value& value : a)
    if (!value.is_null() && (value.get<Text>() == nullptr || !value.text().empty())) return value;
  return {};
}

Value absolute(Run&, Arguments a) {
  const std::int64_t* number = a[0].get<std::int64_t>();
  if (number != nullptr) return *number < 0 ? whole_arithmetic('-', 0, *number) : a[0];
  if (const TimeSpan* span = a[0].get<TimeSpan>())
    return span->ticks < 0 ? span_of(whole_arithmetic('-', 0, span->ticks)) : a[0];
  const auto real_number = a[0].number();
  return real_number ? real(std::abs(*real_number)) : Value();
}

constexpr Function kNumberFunctions[] = {
    {"iff", "baa", '2', [](Run&, Arguments a) { return a[0].is_true() ? a[1] : a[2]; }},
    {"iif", "baa", '2', [](Run&, Arguments a) { return a[0].is_true() ? a[1] : a[2]; }},
    {"case", "baaa*", '2', case_of},
    {"coalesce", "aa*", '1', coalesce},
    {"not", "b", 'b', [](Run&, Arguments a) { return a[0].is_null() ? Value() : Value(!a[0].is_true()); }},
    {"isnull", "a", 'b',
     [](Run&, Arguments a) { return Value(a[0].get<Text>() == nullptr && plain(a[0]).is_null()); }},
    {"isnotnull", "a", 'b',
     [](Run&, Arguments a) { return Value(a[0].get<Text>() != nullptr || !plain(a[0]).is_null()); }},
    {"notnull", "a", 'b',
     [](Run&, Arguments a) { return Value(a[0].get<Text>() != nullptr || !plain(a[0]).is_null()); }},
    {"bin", "aa", '1', [](Run&, Arguments a) { return bin(a[0], a[1]); }},
    {"floor", "aa", '1', [](Run&, Arguments a) { return bin(a[0], a[1]); }},
    {"min_of", "aa*", '1', extreme<-1>},
    {"max_of", "aa*", '1', extreme<1>},
    {"abs", "a", '1', absolute},
    {"ceiling", "r", 'r', by<std::ceil>},
    {"round", "r?l", 'r', rounded},
    {"sqrt", "r", 'r', by<std::sqrt>},
    {"exp", "r", 'r', by<std::exp>},
    {"log", "r", 'r', by<std::log>},
    {"log2", "r", 'r', by<std::log2>},
    {"log10", "r", 'r', by<std::log10>},
    {"pow", "rr", 'r',
     [](Run&, Arguments a) {
       const auto x = a[0].number(), y = a[1].number();
       return x && y ? real(std::pow(*x, *y)) : Value();
     }},
    {"sign", "r", 'l',
     [](Run&, Arguments a) {
       const auto x = a[0].number();
       return x ? Value(std::int64_t{(*x > 0) - (*x < 0)}) : Value();
     }},
    {"isnan", "r", 'b', [](Run&, Arguments a) { return Value(std::isnan(a[0].number().value_or(0))); }},
    {"isfinite", "r", 'b', [](Run&, Arguments a) { return Value(std::isfinite(a[0].number().value_or(0))); }},
};

}  // namespace

std::optional<Type> arithmetic_type(char op, Type left, Type right) {
  const auto free = [](Type type) { return is_number(type) || type == Type::Dynamic; };
  if (free(left) && free(right)) {
    if (left == Type::Dynamic && right == Type::Dynamic) return Type::Real;
    const bool is_real =
        left == Type::Real || right == Type::Real || left == Type::Dynamic || right == Type::Dynamic;
    return is_real ? Type::Real : Type::Long;
  }
  const bool left_is_time = left == Type::DateTime, right_is_time = right == Type::DateTime;
  const bool left_is_span = left == Type::TimeSpan, right_is_span = right == Type::TimeSpan;
  switch (op) {
    case '+':
      if ((left_is_time && right_is_span) || (left_is_span && right_is_time)) return Type::DateTime;
      break;
    case '-':
      if (left_is_time && right_is_time) return Type::TimeSpan;
      if (left_is_time && right_is_span) return Type::DateTime;
      break;
    case '*':
      if ((left_is_span && free(right)) || (free(left) && right_is_span)) return Type::TimeSpan;
      return std::nullopt;
    case '/':
      if (left_is_span && right_is_span) return Type::Real;
      if (left_is_span && free(right)) return Type::TimeSpan;
      return std::nullopt;
    default: break;
  }
  return left_is_span && right_is_span ? std::optional(Type::TimeSpan) : std::nullopt;
}

Value arithmetic(char op, const Value& given_left, const Value& given_right) {
  const Value left = plain(given_left), right = plain(given_right);
  if (left.is_null() || right.is_null()) return {};
  if (ticks_of(left) || ticks_of(right)) return time_arithmetic(op, left, right);
  const std::int64_t *x = left.get<std::int64_t>(), *y = right.get<std::int64_t>();
  if (x != nullptr && y != nullptr) return whole_arithmetic(op, *x, *y);
  const auto a = left.number(), b = right.number();
  if (!a || !b) return {};
  switch (op) {
    case '+': return *a + *b;
    case '-': return *a - *b;
    case '*': return *a * *b;
    case '/': return *a / *b;
    default: return std::fmod(*a, *b);
  }
}

Value bin(const Value& value, const Value& width) {
  const auto ticks = ticks_of(value), ticks_wide = ticks_of(width);
  const auto floored = [](std::int64_t x, std::int64_t y) {
    const std::int64_t rest = ((x % y) + y) % y;
    return whole_arithmetic('-', x, rest);
  };
  if (ticks && ticks_wide && *ticks_wide > 0) {
    // Days and hours are counted from the year 1, as the service does; only weeks show it.
    const std::int64_t origin = value.get<DateTime>() != nullptr ? kLeastTicks : 0;
    const Value from_origin = whole_arithmetic('-', *ticks, origin);
    if (from_origin.is_null()) return {};
    const Value start =
        floored(*from_origin.get<std::int64_t>(), std::min(*ticks_wide, std::int64_t{1} << 60));
    if (start.is_null()) return {};
    return value.get<DateTime>() != nullptr ? time_at(*start.get<std::int64_t>() + origin)
                                            : Value(TimeSpan{*start.get<std::int64_t>()});
  }
  const std::int64_t *x = value.get<std::int64_t>(), *y = width.get<std::int64_t>();
  if (x != nullptr && y != nullptr) return *y > 0 && *y < std::int64_t{1} << 60 ? floored(*x, *y) : Value();
  const auto a = value.number(), b = width.number();
  if (!a || !b || !(*b > 0)) return {};
  return std::floor(*a / *b) * *b;
}

std::span<const Function> number_functions() {
  return kNumberFunctions;
}

}  // namespace flow::kql
