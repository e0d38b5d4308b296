// Texts: their case, their ends, their parts.
#include <algorithm>
#include <cstring>

#include "vm/interp/natives/code_points.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

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

constexpr std::string_view kAsciiSpace = " \t\n\r\v\f";
constexpr std::string_view kWideSpace[] = {"\xc2\xa0", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe3\x80\x80"};

// How many bytes of white space `text` has at one end; `starts` says whether it has this there.
template <class Starts>
std::size_t space_at_end(Starts starts) {
  for (const char& c : kAsciiSpace)
    if (starts(std::string_view(&c, 1))) return 1;
  for (const std::string_view space : kWideSpace)
    if (starts(space)) return space.size();
  return 0;
}

// memmem takes linear time, which string_view::find does not promise.
std::size_t position_of(std::string_view text, std::string_view part, std::size_t from) {
  const void* found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

Text padded(NativeContext& context, std::string_view text, std::int64_t length, std::string_view with,
            bool is_at_start) {
  const std::int64_t missing = length - std::min(length, code_points(text));
  if (missing == 0 || with.empty()) return text;
  if (static_cast<std::uint64_t>(missing) > context.max_text_bytes) return text_too_large(context);
  const std::int64_t with_length = code_points(with);
  const auto whole = static_cast<std::size_t>(missing / with_length);
  const std::string_view rest = with.substr(0, offset_of(with, missing % with_length));
  const std::size_t padding = whole * with.size() + rest.size();
  char* const made = new_text(context, text.size() + padding);
  if (made == nullptr) return std::nullopt;
  char* next = is_at_start ? made : std::ranges::copy(text, made).out;
  for (std::size_t i = 0; i < whole; ++i) next = std::ranges::copy(with, next).out;
  next = std::ranges::copy(rest, next).out;
  if (is_at_start) std::ranges::copy(text, next);
  return std::string_view(made, text.size() + padding);
}

}  // namespace

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

Text trimStart(NativeContext&, std::string_view text) {
  while (const std::size_t space = space_at_end([&](std::string_view s) { return text.starts_with(s); }))
    text.remove_prefix(space);
  return text;
}
Text trimEnd(NativeContext&, std::string_view text) {
  while (const std::size_t space = space_at_end([&](std::string_view s) { return text.ends_with(s); }))
    text.remove_suffix(space);
  return text;
}
Text trim(NativeContext& context, std::string_view text) {
  return trimStart(context, *trimEnd(context, text));
}

std::int64_t length(NativeContext&, std::string_view text) {
  return code_points(text);
}
bool isEmptyText(NativeContext&, std::string_view text) {
  return text.empty();
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

std::optional<std::int64_t> indexOfText(NativeContext&, std::string_view text, std::string_view part) {
  if (part.empty()) return 0;
  const std::size_t at = position_of(text, part, 0);
  if (at == std::string_view::npos) return std::nullopt;
  return code_points(text.substr(0, at));
}

// memmem looks from the front, so the last is found by looking for the part backwards in the text backwards.
std::optional<std::int64_t> lastIndexOf(NativeContext&, std::string_view text, std::string_view part) {
  if (part.empty()) return code_points(text);
  const std::string text_back(text.rbegin(), text.rend()), part_back(part.rbegin(), part.rend());
  const std::size_t at = position_of(text_back, part_back, 0);
  if (at == std::string_view::npos) return std::nullopt;
  return code_points(text.substr(0, text.size() - at - part.size()));
}

// An empty part occurs nowhere.
Text replace(NativeContext& context, std::string_view text, std::string_view part, std::string_view by) {
  if (part.empty()) return text;
  std::size_t occurrences = 0;
  for (std::size_t at = 0; (at = position_of(text, part, at)) != std::string_view::npos; at += part.size())
    ++occurrences;
  if (occurrences == 0) return text;
  const std::size_t size = text.size() - occurrences * part.size() + occurrences * by.size();
  char* const result = new_text(context, size);
  if (result == nullptr) return std::nullopt;
  char* next = result;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = position_of(text, part, at)) != std::string_view::npos; at += part.size()) {
    next = std::ranges::copy(text.substr(copied, at - copied), next).out;
    next = std::ranges::copy(by, next).out;
    copied = at + part.size();
  }
  next = std::ranges::copy(text.substr(copied), next).out;
  return std::string_view(result, static_cast<std::size_t>(next - result));
}

List split(NativeContext& context, std::string_view text, std::string_view separator) {
  ListMaker parts(context);
  if (separator.empty()) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = offset_of(text.substr(at), 1);
      if (!parts.add(text.substr(at, size))) return std::nullopt;
      at += size;
    }
    return parts.made();
  }
  std::size_t begin = 0;
  for (std::size_t at = 0; (at = position_of(text, separator, begin)) != std::string_view::npos;
       begin = at + separator.size())
    if (!parts.add(text.substr(begin, at - begin))) return std::nullopt;
  return parts.add(text.substr(begin)) ? parts.made() : std::nullopt;
}

List lines(NativeContext& context, std::string_view text) {
  ListMaker found(context);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    if (!found.add(text.substr(0, end))) return std::nullopt;
    text.remove_prefix(std::min(end + (text.substr(end).starts_with("\r\n") ? 2 : 1), text.size()));
  }
  return found.made();
}

Text sliceText(NativeContext&, std::string_view text, std::int64_t from, std::optional<std::int64_t> to) {
  const std::int64_t begin = std::max<std::int64_t>(from, 0);
  if (to) text = text.substr(0, offset_of(text, std::max<std::int64_t>(*to, 0)));
  return text.substr(offset_of(text, begin));
}

Text substring(NativeContext&, std::string_view text, std::int64_t from, std::int64_t count) {
  text = text.substr(offset_of(text, std::max<std::int64_t>(from, 0)));
  return text.substr(0, offset_of(text, std::max<std::int64_t>(count, 0)));
}

Text padStart(NativeContext& context, std::string_view text, std::int64_t length, std::string_view with) {
  return padded(context, text, length, with, true);
}
Text padEnd(NativeContext& context, std::string_view text, std::int64_t length, std::string_view with) {
  return padded(context, text, length, with, false);
}

Text repeat(NativeContext& context, std::string_view text, std::int64_t count) {
  if (count <= 0 || text.empty()) return std::string_view();
  if (static_cast<std::uint64_t>(count) > context.max_text_bytes / text.size())
    return text_too_large(context);
  const auto times = static_cast<std::size_t>(count);
  char* const made = new_text(context, text.size() * times);
  if (made == nullptr) return std::nullopt;
  char* next = made;
  for (std::size_t i = 0; i < times; ++i) next = std::ranges::copy(text, next).out;
  return std::string_view(made, text.size() * times);
}

}  // namespace flow::natives
