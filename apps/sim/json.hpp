// A JSON value that keeps its members in order and null apart from absent, which is what a pretend API needs
// to show an entity exactly as the real one does.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace flow::sim {

struct Member;

class Json {
 public:
  using List = std::vector<Json>;
  using Object = std::vector<Member>;

  Json() noexcept;
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();
  Json(std::nullptr_t);
  Json(const char* text);
  Json(std::string_view text);
  Json(std::string text);
  Json(double number);
  template <std::integral T>
  Json(T number);
  Json(List list);
  static Json object(std::initializer_list<Member> members = {});
  static Json object_of(Object members);
  static Json list() { return Json(List{}); }
  static Json texts(const std::vector<std::string>& texts);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_list() const { return std::holds_alternative<List>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  std::string_view kind() const;  // `null`, `a text`, … for messages

  // Each gives an empty value when this is of another kind.
  std::string_view text() const;
  std::int64_t integer() const;
  double number() const;
  bool boolean() const;
  const List& items() const;
  const Object& members() const;

  const Json* find(std::string_view name) const;        // nullptr when absent
  const Json& operator[](std::string_view name) const;  // null when absent
  Json& set(std::string_view name, Json value);         // replaces, or appends; makes this an object
  void add(Json value);                                 // appends; makes this a list

  std::string to_text() const;
  void append_to(std::string& out) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Object> value_;
};

struct Member {
  std::string name;
  Json value;
};

// Only here, where Member is complete, can a variant that holds a list of them be made and destroyed.
inline Json::Json() noexcept = default;
inline Json::Json(const Json& other) = default;
inline Json::Json(Json&& other) noexcept = default;
inline Json& Json::operator=(const Json& other) = default;
inline Json& Json::operator=(Json&& other) noexcept = default;
inline Json::~Json() = default;
inline Json::Json(std::nullptr_t) {}
inline Json::Json(const char* text) : value_(std::string(text)) {}
inline Json::Json(std::string_view text) : value_(std::string(text)) {}
inline Json::Json(std::string text) : value_(std::move(text)) {}
inline Json::Json(double number) : value_(number) {}
inline Json::Json(List list) : value_(std::move(list)) {}
template <std::integral T>
Json::Json(T number) {
  if constexpr (std::same_as<T, bool>)
    value_ = number;
  else
    value_ = static_cast<std::int64_t>(number);
}

// At most 64 levels deep. The Error says what is wrong, without a file name.
Result<Json> parse_json(std::string_view text);

}  // namespace flow::sim
