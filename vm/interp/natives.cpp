#include "vm/interp/natives.hpp"

#include <fmt/format.h>
#include <re2/re2.h>
#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>

namespace flow {
namespace {

// --- the functions: texts are well-formed UTF-8, results without a fault too ---

using Text = std::optional<std::string_view>;  // nothing: a fault is set

Text out_of_memory(NativeContext& context) {
  context.fault = Fault{.kind = FaultKind::OutOfMemory, .message = "the run used up its heap"};
  return std::nullopt;
}

Text too_large(NativeContext& context) {
  context.fault =
      Fault{.kind = FaultKind::TooLarge,
            .message = fmt::format("a text of more than {} is too large", context.max_text_bytes)};
  return std::nullopt;
}

// Changes ASCII and Latin-1 letters, which take as many bytes in either case, in a copy of `text`.
template <class AsciiCase, class Latin1Case>
Text recased(NativeContext& context, std::string_view text, AsciiCase ascii, Latin1Case latin1) {
  char* copy = context.heap.allocate(text.size());
  if (copy == nullptr) return out_of_memory(context);
  for (std::size_t i = 0; i < text.size(); ++i) {
    copy[i] = ascii(text[i]);
    if (i > 0) latin1(static_cast<unsigned char>(text[i - 1]), copy[i - 1], copy[i]);
  }
  return std::string_view(copy, text.size());
}

// U+00C0 to U+00DE but for the multiplication sign are 0xC3 0x80 to 0x9E; their small letters lie 0x20 above.
Text lower(NativeContext& context, std::string_view text) {
  return recased(
      context, text, [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c; },
      [](unsigned char before, char&, char& c) {
        const auto byte = static_cast<unsigned char>(c);
        if (before == 0xc3 && byte >= 0x80 && byte <= 0x9e && byte != 0x97)
          c = static_cast<char>(byte + 0x20);
      });
}
// Browsers take blanks and control characters out of a scheme, so an address that has some is no address.
Text webAddress(NativeContext&, std::string_view text) {
  const std::size_t end = text.find_first_of(":/?#");
  const bool has_scheme = end != std::string_view::npos && text[end] == ':';
  const bool is_clean = std::ranges::all_of(text.substr(0, end), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '\x7f' && c != '\\';
  });
  std::string scheme(text.substr(0, has_scheme ? std::min<std::size_t>(end, 8) : 0));
  for (char& c : scheme) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
  const bool is_known = scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel";
  // `//host` would be an address of the scheme of the page, and a mail has none.
  const bool is_foreign = text.starts_with("//") || text.starts_with("/\\");
  return is_clean && !is_foreign && (is_known || !has_scheme) ? text : std::string_view("#");
}
Text upper(NativeContext& context, std::string_view text) {
  return recased(
      context, text, [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c; },
      [](unsigned char before, char& first, char& c) {
        const auto byte = static_cast<unsigned char>(c);
        const auto become = [&](unsigned char a, unsigned char b) {
          first = static_cast<char>(a);
          c = static_cast<char>(b);
        };
        if (before == 0xc3 && byte >= 0xa0 && byte <= 0xbe && byte != 0xb7)
          c = static_cast<char>(byte - 0x20);
        else if (before == 0xc3 && byte == 0xbf)
          become(0xc5, 0xb8);  // y with diaeresis, U+0178
        else if (before == 0xc2 && byte == 0xb5)
          become(0xce, 0x9c);  // the micro sign becomes a capital mu
      });
}

Text trim(NativeContext&, std::string_view text) {
  constexpr std::string_view kAsciiSpace = " \t\n\r\v\f";
  constexpr std::string_view kWide[] = {"\xc2\xa0", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe3\x80\x80"};
  const auto strip = [&](auto starts, auto remove) {
    for (bool found = true; found && !text.empty();) {
      found = false;
      for (const char c : kAsciiSpace)
        if (starts(std::string_view(&c, 1))) found = true, remove(1);
      for (const std::string_view space : kWide)
        if (starts(space)) found = true, remove(space.size());
    }
  };
  strip([&](std::string_view s) { return text.starts_with(s); },
        [&](std::size_t n) { text.remove_prefix(n); });
  strip([&](std::string_view s) { return text.ends_with(s); }, [&](std::size_t n) { text.remove_suffix(n); });
  return text;
}

std::int64_t length(NativeContext&, std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

// memmem takes linear time, which string_view::find does not promise.
std::size_t position_of(std::string_view text, std::string_view part, std::size_t from) {
  const void* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool contains(NativeContext&, std::string_view text, std::string_view part) {
  return part.empty() || position_of(text, part, 0) != std::string_view::npos;
}
bool startsWith(NativeContext&, std::string_view text, std::string_view part) {
  return text.starts_with(part);
}
bool endsWith(NativeContext&, std::string_view text, std::string_view part) {
  return text.ends_with(part);
}

bool matches(NativeContext& context, std::string_view text, std::string_view pattern) {
  std::string problem;
  const re2::RE2* compiled = context.patterns.compiled(pattern, problem);
  if (compiled != nullptr)
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled);
  context.fault =
      Fault{.kind = FaultKind::InvalidValue, .message = "the regular expression is malformed: " + problem};
  return false;
}

// An empty part occurs nowhere.
Text replace(NativeContext& context, std::string_view text, std::string_view part, std::string_view by) {
  if (part.empty()) return text;
  std::size_t occurrences = 0;
  for (std::size_t at = 0; (at = position_of(text, part, at)) != std::string_view::npos; at += part.size())
    ++occurrences;
  if (occurrences == 0) return text;
  const std::size_t size = text.size() - occurrences * part.size() + occurrences * by.size();
  if (size > context.max_text_bytes) return too_large(context);
  char* const result = context.heap.allocate(size);
  if (result == nullptr) return out_of_memory(context);
  char* next = result;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = position_of(text, part, at)) != std::string_view::npos; at += part.size()) {
    next = std::copy(text.begin() + static_cast<std::ptrdiff_t>(copied),
                     text.begin() + static_cast<std::ptrdiff_t>(at), next);
    next = std::ranges::copy(by, next).out;
    copied = at + part.size();
  }
  next = std::ranges::copy(text.substr(copied), next).out;
  return std::string_view(result, static_cast<std::size_t>(next - result));
}

// --- the adapter: slots to and from C++ types ---

void take(const Slot& slot, std::string_view& value) {
  value = slot.view();
}
[[maybe_unused]] void take(const Slot& slot, std::int64_t& value) {
  value = slot.number;
}
[[maybe_unused]] void take(const Slot& slot, bool& value) {
  value = slot.number != 0;
}

// The result of a native that gives Text has the type of its first argument, hence its form.
Slot give(Text value, const Slot* arguments) {
  return Slot::text(*value, arguments[0].form);
}
Slot give(std::int64_t value, const Slot*) {
  return Slot::integer(value);
}
Slot give(bool value, const Slot*) {
  return Slot::boolean(value);
}

template <class Result, class... Arguments>
void call(Result (*native)(NativeContext&, Arguments...), NativeContext& context, const Slot* arguments,
          Slot& result) {
  std::tuple<Arguments...> values;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (take(arguments[I], std::get<I>(values)), ...);
  }
  (std::index_sequence_for<Arguments...>{});
  const Result given = std::apply([&](auto... value) { return native(context, value...); }, values);
  if (!context.fault) result = give(given, arguments);
}

}  // namespace

void call_native(NativeId id, NativeContext& context, const Slot* arguments, Slot& result) {
  switch (id) {
#define FLOW_NATIVE(code, name, result_type, argument_types, meaning) \
  case NativeId::name:                                                \
    return call(name, context, arguments, result);
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
  }
}

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

const re2::RE2* Patterns::compiled(std::string_view pattern, std::string& problem) {
  for (const Entry& entry : entries_)
    if (entry.pattern == pattern) return entry.compiled.get();
  if (pattern.size() > kMaxPatternBytes) {
    problem = "it is too long";
    return nullptr;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxBytesEach);
  auto compiled = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) {
    problem = compiled->error();
    return nullptr;
  }
  if (entries_.size() < kKept) {
    entries_.push_back({std::string(pattern), std::move(compiled)});
    return entries_.back().compiled.get();
  }
  Entry& replaced = entries_[oldest_++ % kKept];
  replaced = {std::string(pattern), std::move(compiled)};
  return replaced.compiled.get();
}

}  // namespace flow
