// A set of values that an expression may have: what its type allows, less what conditions have ruled out.
// Sets are never too small: what cannot be said is left in. Numbers, times, durations, Bool and enums are
// intervals of 64-bit integers, Floats by an order of their bits, texts are a list or all but a list.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/type.hpp"

namespace flow {

inline constexpr std::int64_t kLeastInt = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kGreatestInt = std::numeric_limits<std::int64_t>::max();

class Values {
 public:
  enum class Kind : std::uint8_t { Numbers, Texts, Opaque };  // of Opaque only null is known
  // In an enum, every value that is not declared: the API may send new ones. It equals nothing that a flow
  // can name, and every order with it is false.
  static constexpr std::int64_t kUnknownValue = -1;

  // All that the type allows, null included for `T?`.
  static Values all(const TypeTable& types, TypeId type);
  static Values null_only();
  static Values numbers(TypeId type, std::int64_t first, std::int64_t last);
  static Values number(TypeId type, std::int64_t value) { return numbers(type, value, value); }
  static Values real(double value);
  static Values text(TypeId type, std::string value);

  Kind kind() const { return kind_; }
  TypeId type() const { return type_; }  // without null; kNullType for null alone
  bool may_be_null() const { return may_be_null_; }
  bool is_empty() const { return !may_be_null_ && is_only_null(); }
  bool is_only_null() const;  // or empty
  // Exactly one value, which is not null and can be told from all others.
  bool is_one(const TypeTable& types) const;
  bool holds_unknown(const TypeTable& types) const;  // the unknown value of an enum
  // Of Numbers that are not empty.
  std::int64_t least() const { return ranges_.front().first; }
  std::int64_t greatest() const { return ranges_.back().second; }

  Values with(const Values& other) const;     // what is in both
  Values without(const Values& other) const;  // what is in this alone
  Values joined(const Values& other) const;   // what is in one of them
  Values without_null() const;
  // Numbers from `first` to `last`; null stays as it is.
  Values between(std::int64_t first, std::int64_t last) const;

  bool operator==(const Values&) const = default;

  // For people, as what follows "is": "`High`", "`Low` or `Medium`", "not `High`", "at least 6", "never
  // null". Nothing when there is nothing to say.
  std::string describe(const TypeTable& types) const;

 private:
  using Range = std::pair<std::int64_t, std::int64_t>;

  std::string describe_numbers(const TypeTable& types) const;
  std::string describe_enum(const TypeTable& types) const;
  std::string describe_texts() const;
  std::string spelled(const TypeTable& types, std::int64_t number) const;
  void limit();

  Kind kind_ = Kind::Opaque;
  TypeId type_ = kNullType;
  bool may_be_null_ = false;
  bool is_any_ = false;             // of Opaque: whether there is a value that is not null
  std::vector<Range> ranges_;       // Numbers: apart from each other, rising
  bool is_all_but_ = false;         // Texts: all but `texts_`
  std::vector<std::string> texts_;  // sorted
};

// The place of a Float in the order of all Floats; 0.0 and -0.0 have one.
std::int64_t order_of(double value);
double real_at(std::int64_t order);

}  // namespace flow
