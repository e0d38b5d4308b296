#include "compiler/analyse/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostParts = 256;  // ranges or texts of one set; beyond them it grows to hold more

std::string listed(const std::vector<std::string>& values, std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out += (i == 0                   ? std::string()
            : i + 1 == values.size() ? fmt::format(" {} ", word)
                                     : std::string(", ")) +
           values[i];
  return out;
}

}  // namespace

std::int64_t order_of(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value);
  return bits >= 0 ? bits : -(bits & kGreatestInt);
}

double real_at(std::int64_t order) {
  return order >= 0 ? std::bit_cast<double>(order) : -std::bit_cast<double>(-order);
}

Values Values::all(const TypeTable& types, TypeId type) {
  Values out;
  out.may_be_null_ = types.is_optional(type) || type == kNullType;
  out.type_ = types.without_null(type);
  switch (types.storage(out.type_)) {
    case Storage::Bool: out = out.joined(numbers(kBoolType, 0, 1)); break;
    case Storage::Int: out = out.joined(numbers(out.type_, kLeastInt, kGreatestInt)); break;
    case Storage::Float:
      out = out.joined(numbers(kFloatType, order_of(std::numeric_limits<double>::lowest()),
                               order_of(std::numeric_limits<double>::max())));
      break;
    case Storage::Enum: {
      const auto count = static_cast<std::int64_t>(types.enumeration(out.type_).values.size());
      out = out.joined(numbers(out.type_, kUnknownValue, count - 1));
      break;
    }
    case Storage::Text:
      out.kind_ = Kind::Texts;
      out.is_all_but_ = true;
      break;
    default: out.is_any_ = type != kNullType; break;
  }
  return out;
}

Values Values::null_only() {
  Values out;
  out.may_be_null_ = true;
  return out;
}

Values Values::numbers(TypeId type, std::int64_t first, std::int64_t last) {
  Values out;
  out.kind_ = Kind::Numbers;
  out.type_ = type;
  if (first <= last) out.ranges_ = {{first, last}};
  return out;
}

Values Values::real(double value) {
  return number(kFloatType, order_of(value));
}

Values Values::text(TypeId type, std::string value) {
  Values out;
  out.kind_ = Kind::Texts;
  out.type_ = type;
  out.texts_ = {std::move(value)};
  return out;
}

bool Values::is_only_null() const {
  switch (kind_) {
    case Kind::Numbers: return ranges_.empty();
    case Kind::Texts: return !is_all_but_ && texts_.empty();
    case Kind::Opaque: return !is_any_;
  }
  return false;
}

bool Values::holds_unknown(const TypeTable& types) const {
  return kind_ == Kind::Numbers && types.is(type_, TypeKind::Enum) && !ranges_.empty() &&
         least() == kUnknownValue;
}

bool Values::is_one(const TypeTable& types) const {
  if (may_be_null_) return false;
  if (kind_ == Kind::Texts) return !is_all_but_ && texts_.size() == 1;
  return kind_ == Kind::Numbers && ranges_.size() == 1 && least() == greatest() && !holds_unknown(types);
}

// What is added by these steps is only ever a set that is too large.
void Values::limit() {
  if (ranges_.size() > kMostParts) ranges_ = {{least(), greatest()}};
  if (texts_.size() <= kMostParts) return;
  is_all_but_ = true;
  texts_.clear();
}

Values Values::with(const Values& other) const {
  Values out = *this;
  out.may_be_null_ = may_be_null_ && other.may_be_null_;
  if (other.kind_ == Kind::Opaque && !other.is_any_) {  // nothing, or null alone
    out.ranges_.clear(), out.texts_.clear();
    out.is_all_but_ = out.is_any_ = false;
    return out;
  }
  if (other.kind_ != kind_) {
    if (kind_ != Kind::Opaque || !is_any_) return out;
    const bool may_be_null = out.may_be_null_;
    out = other;
    out.may_be_null_ = may_be_null;
    return out;
  }
  if (kind_ == Kind::Numbers) {
    out.ranges_.clear();
    for (std::size_t i = 0, k = 0; i < ranges_.size() && k < other.ranges_.size();) {
      const std::int64_t first = std::max(ranges_[i].first, other.ranges_[k].first);
      const std::int64_t last = std::min(ranges_[i].second, other.ranges_[k].second);
      if (first <= last) out.ranges_.emplace_back(first, last);
      (ranges_[i].second < other.ranges_[k].second ? i : k) += 1;
    }
  } else if (kind_ == Kind::Texts) {
    out.texts_.clear();
    const auto add = std::back_inserter(out.texts_);
    if (is_all_but_ && other.is_all_but_)
      std::ranges::set_union(texts_, other.texts_, add);
    else if (is_all_but_)
      std::ranges::set_difference(other.texts_, texts_, add);
    else if (other.is_all_but_)
      std::ranges::set_difference(texts_, other.texts_, add);
    else
      std::ranges::set_intersection(texts_, other.texts_, add);
    out.is_all_but_ = is_all_but_ && other.is_all_but_;
  }
  out.limit();
  return out;
}

Values Values::without(const Values& other) const {
  Values out = *this;
  out.may_be_null_ = may_be_null_ && !other.may_be_null_;
  if (other.kind_ != kind_) return out;
  if (kind_ == Kind::Texts) {
    Values rest = other;
    rest.is_all_but_ = !other.is_all_but_;
    rest.may_be_null_ = out.may_be_null_;
    return with(rest);
  }
  if (kind_ == Kind::Opaque) return out;
  for (const auto& [first, last] : other.ranges_) {
    std::vector<Range> left;
    for (const Range& range : out.ranges_) {
      if (range.second < first || range.first > last) {
        left.push_back(range);
        continue;
      }
      if (range.first < first) left.emplace_back(range.first, first - 1);
      if (range.second > last) left.emplace_back(last + 1, range.second);
    }
    out.ranges_ = std::move(left);
  }
  out.limit();
  return out;
}

Values Values::joined(const Values& other) const {
  const bool may_be_null = may_be_null_ || other.may_be_null_;
  if (is_only_null() || other.is_only_null()) {
    Values out = is_only_null() ? other : *this;
    out.may_be_null_ = may_be_null;
    return out;
  }
  Values out = *this;
  out.may_be_null_ = may_be_null;
  if (kind_ != other.kind_) {
    out = Values();
    out.is_any_ = true;
    out.may_be_null_ = may_be_null;
    return out;
  }
  if (kind_ == Kind::Numbers) {
    out.ranges_.insert(out.ranges_.end(), other.ranges_.begin(), other.ranges_.end());
    std::ranges::sort(out.ranges_);
    std::vector<Range> apart;
    for (const Range& range : out.ranges_) {
      const bool touches =
          !apart.empty() && (range.first <= apart.back().second || range.first == apart.back().second + 1);
      if (touches)
        apart.back().second = std::max(apart.back().second, range.second);
      else
        apart.push_back(range);
    }
    out.ranges_ = std::move(apart);
  } else if (kind_ == Kind::Texts) {
    out.texts_.clear();
    const auto add = std::back_inserter(out.texts_);
    if (is_all_but_ && other.is_all_but_)
      std::ranges::set_intersection(texts_, other.texts_, add);
    else if (is_all_but_)
      std::ranges::set_difference(texts_, other.texts_, add);
    else if (other.is_all_but_)
      std::ranges::set_difference(other.texts_, texts_, add);
    else
      std::ranges::set_union(texts_, other.texts_, add);
    out.is_all_but_ = is_all_but_ || other.is_all_but_;
  }
  out.limit();
  return out;
}

Values Values::without_null() const {
  Values out = *this;
  out.may_be_null_ = false;
  return out;
}

Values Values::between(std::int64_t first, std::int64_t last) const {
  Values bounds = numbers(type_, first, last);
  bounds.may_be_null_ = true;
  return with(bounds);
}

// ---- For people

std::string Values::spelled(const TypeTable& types, std::int64_t number) const {
  if (types.is(type_, TypeKind::Enum))
    return number == kUnknownValue
               ? std::string("a value that is not declared")
               : fmt::format("`{}`", types.enumeration(type_).values[static_cast<std::size_t>(number)]);
  if (type_ == kBoolType) return number != 0 ? "true" : "false";
  if (type_ == kFloatType) return fmt::format("{}", real_at(number));
  if (type_ == kDurationType) return format_duration_us(number);
  if (type_ == kTimeType) return format_time_us(number);
  return fmt::format("{}", number);
}

std::string Values::describe_enum(const TypeTable& types) const {
  const Values others = all(types, type_).without(*this).without_null();
  const auto names = [&](const Values& of) {
    std::vector<std::string> out;
    for (const auto& [first, last] : of.ranges_)
      for (std::int64_t at = first; at <= last; ++at) out.push_back(spelled(types, at));
    return out;
  };
  if (others.is_only_null()) return {};
  const std::vector<std::string> in = names(*this), out = names(others);
  if (holds_unknown(types) || in.size() > 4) return "not " + listed(out, "or");
  return listed(in, "or");
}

std::string Values::describe_numbers(const TypeTable& types) const {
  if (types.is(type_, TypeKind::Enum)) return describe_enum(types);
  const Values any = all(types, type_);
  if (ranges_ == any.ranges_) return {};
  const bool has_least = least() > any.least(), has_greatest = greatest() < any.greatest();
  if (least() == greatest()) return spelled(types, least());
  // The number right behind 5 is not one that a person would name: that is "above 5".
  const std::string low = spelled(types, least()), high = spelled(types, greatest());
  const std::string below = has_least ? spelled(types, least() - 1) : low;
  const std::string above = has_greatest ? spelled(types, greatest() + 1) : high;
  const bool is_open_below = type_ == kFloatType && below.size() < low.size();
  const bool is_open_above = type_ == kFloatType && above.size() < high.size();
  if (has_least && has_greatest && !is_open_below && !is_open_above)
    return fmt::format("{} to {}", low, high);
  std::string out;
  if (has_least) out = is_open_below ? "above " + below : "at least " + low;
  if (has_greatest)
    out += (out.empty() ? "" : " and ") + (is_open_above ? "below " + above : "at most " + high);
  if (!out.empty()) return out;
  return fmt::format("not {}", spelled(types, ranges_[0].second + 1));
}

std::string Values::describe_texts() const {
  std::vector<std::string> quoted;
  for (const std::string& text : texts_) {
    if (quoted.size() == 4) return {};
    quoted.push_back(json_quoted(text));
  }
  if (is_all_but_ && quoted.empty()) return {};
  return (is_all_but_ ? "not " : "") + listed(quoted, "or");
}

std::string Values::describe(const TypeTable& types) const {
  if (is_only_null()) return may_be_null_ ? "null" : "";
  const std::string what = kind_ == Kind::Numbers ? describe_numbers(types)
                           : kind_ == Kind::Texts ? describe_texts()
                                                  : std::string();
  if (may_be_null_) return what.empty() ? what : what + ", or null";
  return what;
}

}  // namespace flow
