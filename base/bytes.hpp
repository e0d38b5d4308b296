// Values as bytes, little-endian: numbers by their size, texts and lists behind their length. One `describe`
// per struct names its fields once; ByteWriter and ByteReader walk the same list, so the two directions
// cannot drift apart. A ByteReader that has failed reads zeros and empty lists until the walk is over.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace flow {

// The last value of an enum: beyond it a reader refuses.
template <class E>
constexpr E kLast{};

class ByteWriter {
 public:
  template <class T>
  using Of = const T;

  std::string take() { return std::move(bytes_); }
  template <class... Fields>
  void operator()(const Fields&... fields) {
    (field(fields), ...);
  }
  void enter() {}
  void leave() {}
  // Fields that an older version lacks: if (io.is_since(6)) io(it.auth);
  static constexpr bool is_since(std::uint32_t) { return true; }

  template <class Number>
  void number(Number value) {
    const auto bits = static_cast<std::make_unsigned_t<Number>>(value);
    for (std::size_t i = 0; i < sizeof(Number); ++i)
      bytes_ += static_cast<char>((std::uint64_t{bits} >> (8 * i)) & 0xff);
  }

 private:
  template <class T>
  requires std::is_integral_v<T>
  void field(T value) {
    if constexpr (std::is_same_v<T, bool>)
      number(static_cast<std::uint8_t>(value));
    else
      number(value);
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(E value) { number(static_cast<std::uint8_t>(value)); }
  void field(double value) { number(std::bit_cast<std::uint64_t>(value)); }
  void field(const std::string& text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  template <class T>
  void field(const std::vector<T>& list) {
    number(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) field(item);
  }
  template <class T>
  void field(const std::optional<T>& maybe) {
    field(maybe.has_value());
    if (maybe) field(*maybe);
  }
  template <class A, class B>
  void field(const std::pair<A, B>& both) {
    field(both.first);
    field(both.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void field(const T& fields) { describe(*this, fields); }

  std::string bytes_;
};

class ByteReader {
 public:
  static constexpr std::size_t kMaxItems = 65'536;  // of any list
  static constexpr int kMaxDepth = 64;              // of structs within their own kind
  static constexpr std::uint32_t kThisBuild = 0xffffffff;

  template <class T>
  using Of = T;

  // `version` is that of who wrote the bytes, where they may be older than this build.
  explicit ByteReader(std::string_view bytes, std::uint32_t version = kThisBuild)
      : bytes_(bytes), version_(version) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (field(fields), ...);
  }
  void enter() {
    if (++depth_ > kMaxDepth) fail("templates are nested too deeply");
  }
  void leave() { --depth_; }
  bool is_since(std::uint32_t version) const { return version_ >= version; }
  std::uint32_t version() const { return version_; }

  bool failed() const { return !problem_.empty(); }
  const std::string& problem() const { return problem_; }
  void fail(std::string problem) {
    if (!failed()) problem_ = std::move(problem);
    bytes_ = {};
  }
  std::size_t remaining() const { return bytes_.size(); }

  template <class Number>
  Number number() {
    std::make_unsigned_t<Number> bits = 0;
    const std::string_view raw = take(sizeof(Number));
    for (std::size_t i = 0; i < raw.size(); ++i)
      bits = static_cast<std::make_unsigned_t<Number>>(
          bits | (std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i)));
    return static_cast<Number>(bits);
  }
  // Each item takes at least one byte, so a count beyond what is left cannot be true.
  std::uint32_t count(std::size_t at_most = kMaxItems) {
    const auto items = number<std::uint32_t>();
    if (items <= at_most && items <= remaining()) return items;
    fail(fmt::format("a list of {} items does not fit", items));
    return 0;
  }

 private:
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      fail("a section ends too early");
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <class T>
  requires std::is_integral_v<T>
  void field(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const auto byte = number<std::uint8_t>();
      if (byte > 1) fail("a truth value is neither 0 nor 1");
      value = byte == 1;
    } else {
      value = number<T>();
    }
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(E& value) {
    const auto code = number<std::uint8_t>();
    if (code > static_cast<std::uint8_t>(kLast<E>)) return fail(fmt::format("unknown kind {}", code));
    value = static_cast<E>(code);
  }
  void field(double& value) { value = std::bit_cast<double>(number<std::uint64_t>()); }
  void field(std::string& text) { text = take(number<std::uint32_t>()); }
  template <class T>
  void field(std::vector<T>& list) {
    for (std::uint32_t left = count(); left > 0 && !failed(); --left) field(list.emplace_back());
  }
  template <class T>
  void field(std::optional<T>& maybe) {
    bool is_there = false;
    field(is_there);
    if (is_there) field(maybe.emplace());
  }
  template <class A, class B>
  void field(std::pair<A, B>& both) {
    field(both.first);
    field(both.second);
  }
  template <class T>
  requires std::is_class_v<T>
  void field(T& fields) { describe(*this, fields); }

  std::string_view bytes_;
  std::string problem_;
  std::uint32_t version_;
  int depth_ = 0;
};

}  // namespace flow

// Begins the layout of a struct, its fields in order: FLOW_DESCRIBE(Quota) { io(it.group, it.per_minute); }
#define FLOW_DESCRIBE(Type) \
  template <class Io>       \
  void describe(Io& io, typename Io::template Of<Type>& it)
