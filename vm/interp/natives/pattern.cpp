// Regular expressions. RE2 matches in time linear in the text, but whoever looks for all matches may make it
// look at the rest of the text again for each: that takes fuel each time.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "vm/interp/natives/code_points.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow {
namespace {

// `\C` matches one byte, and so may give what is no text.
bool matches_bytes(std::string_view pattern) {
  for (std::size_t at = 0; (at = pattern.find('\\', at)) != std::string_view::npos; at += 2)
    if (pattern.substr(at + 1).starts_with('C')) return true;
  return false;
}

}  // namespace

Patterns::Patterns() = default;
Patterns::~Patterns() = default;

const re2::RE2* Patterns::compiled(std::string_view pattern, std::string& problem) {
  for (const Entry& entry : entries_)
    if (entry.pattern == pattern) return entry.compiled.get();
  if (pattern.size() > kMaxPatternBytes) {
    problem = "it is too long";
    return nullptr;
  }
  if (matches_bytes(pattern)) {
    problem = "`\\C` is not known";
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

namespace natives {
namespace {

constexpr int kMostGroups = 64;

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(re2::StringPiece text) {
  return {text.data(), text.size()};
}

const re2::RE2* compiled(NativeContext& context, std::string_view pattern) {
  std::string problem;
  const re2::RE2* const found = context.patterns.compiled(pattern, problem);
  if (found == nullptr) invalid(context, "the regular expression is malformed: " + problem);
  return found;
}

// Calls `found(match, groups)` for each match that is not empty, from left to right, until it says false.
// False when the fuel ran out.
template <class Found>
bool each_match(NativeContext& context, const re2::RE2& regex, std::string_view text, int groups,
                Found found) {
  std::array<re2::StringPiece, kMostGroups> match;
  for (std::size_t at = 0; at <= text.size();) {
    if (!regex.Match(piece(text), at, text.size(), re2::RE2::UNANCHORED, match.data(), groups)) return true;
    const auto begin = static_cast<std::size_t>(match[0].data() - text.data());
    if (!match[0].empty()) {
      if (!found(match)) return true;
      at = begin + match[0].size();
    } else {
      at = begin + 1;
      while (at < text.size() && !begins_code_point(text[at])) ++at;
    }
    if (!spend(context, 8 * (text.size() - std::min(at, text.size())) + 64)) return false;
  }
  return true;
}

// Group number `index` as a part of the text.
Slot group_slot(const re2::StringPiece& group) {
  return group.data() == nullptr ? Slot::null() : Slot::text(view(group));
}

// Adds `with`, in which \1 stands for a group, to what is made so far. The text was checked before.
bool add_rewritten(NativeContext& context, std::string_view with, const re2::StringPiece* groups,
                   std::string& out) {
  for (std::size_t i = 0; i < with.size(); ++i) {
    const bool is_group = with[i] == '\\' && i + 1 < with.size() && with[i + 1] != '\\';
    if (with[i] == '\\') ++i;
    if (is_group)
      out += view(groups[with[i] - '0']);
    else
      out += with[i];
    if (out.size() > context.max_text_bytes) return text_too_large(context), false;
  }
  return true;
}

}  // namespace

bool matches(NativeContext& context, std::string_view text, std::string_view pattern) {
  const re2::RE2* const regex = compiled(context, pattern);
  return regex != nullptr && re2::RE2::PartialMatch(piece(text), *regex);
}

List findAll(NativeContext& context, std::string_view text, std::string_view pattern) {
  const re2::RE2* const regex = compiled(context, pattern);
  if (regex == nullptr) return std::nullopt;
  ListMaker found(context);
  each_match(context, *regex, text, 1, [&](const auto& match) { return found.add(view(match[0])); });
  return context.fault ? std::nullopt : found.made();
}

Text replaceAll(NativeContext& context, std::string_view text, std::string_view pattern,
                std::string_view with) {
  const re2::RE2* const regex = compiled(context, pattern);
  if (regex == nullptr) return std::nullopt;
  std::string problem;
  if (!regex->CheckRewriteString(piece(with), &problem))
    return invalid(context, "what matches are replaced with is malformed: " + problem);
  const int groups = 1 + re2::RE2::MaxSubmatch(piece(with));
  std::string out;
  std::size_t copied = 0;
  each_match(context, *regex, text, groups, [&](const auto& match) {
    const auto begin = static_cast<std::size_t>(match[0].data() - text.data());
    out += text.substr(copied, begin - copied);
    copied = begin + match[0].size();
    return add_rewritten(context, with, match.data(), out);
  });
  if (context.fault) return std::nullopt;
  if (copied == 0) return text;
  out += text.substr(copied);
  return keep(context, out);
}

Text capture(NativeContext& context, std::string_view text, std::string_view pattern, std::int64_t group) {
  const re2::RE2* const regex = compiled(context, pattern);
  if (regex == nullptr) return std::nullopt;
  const int known = std::min(regex->NumberOfCapturingGroups(), kMostGroups - 1);
  if (group < 0 || group > known)
    return invalid(context, "the regular expression has " + std::to_string(known) + " groups, and no group " +
                                std::to_string(group));
  std::array<re2::StringPiece, kMostGroups> groups;
  const auto index = static_cast<int>(group);
  if (!regex->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(), index + 1))
    return std::nullopt;
  const re2::StringPiece& found = groups[static_cast<std::size_t>(index)];
  return found.data() == nullptr ? Text() : Text(view(found));
}

List captures(NativeContext& context, std::string_view text, std::string_view pattern) {
  const re2::RE2* const regex = compiled(context, pattern);
  if (regex == nullptr) return std::nullopt;
  const int count = 1 + std::min(regex->NumberOfCapturingGroups(), kMostGroups - 1);
  std::array<re2::StringPiece, kMostGroups> groups;
  ListMaker found(context);
  if (regex->Match(piece(text), 0, text.size(), re2::RE2::UNANCHORED, groups.data(), count))
    for (int i = 0; i < count; ++i)
      if (!found.add(group_slot(groups[static_cast<std::size_t>(i)]))) return std::nullopt;
  return found.made();
}

}  // namespace natives
}  // namespace flow
