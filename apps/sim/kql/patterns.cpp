// What needs regular expressions, and the limits of a run beside the cache of them.
#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "apps/sim/kql/functions.hpp"

namespace flow::kql {
namespace {

constexpr std::size_t kLongestPattern = 4'000;
constexpr std::size_t kMostPatterns = 64;
constexpr std::int64_t kPatternBytes = 1 << 20;
constexpr int kMostGroups = 16;

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}
Value text(re2::StringPiece found) {
  return Value::text(std::string(found.data() == nullptr ? "" : found.data(), found.size()));
}

Value extract(Run& run, Arguments a) {
  const re2::RE2* regex = run.pattern(a[0].text());
  const std::int64_t group = a[1].integer().value_or(0);
  std::array<re2::StringPiece, kMostGroups> match;
  if (regex == nullptr || group < 0 || group > regex->NumberOfCapturingGroups() || group >= kMostGroups)
    return Value::text("");
  const std::string_view whole = a[2].text();
  if (!regex->Match(piece(whole), 0, whole.size(), re2::RE2::UNANCHORED, match.data(),
                    static_cast<int>(group) + 1))
    return Value::text("");
  return text(match[static_cast<std::size_t>(group)]);
}

// With one group the texts it holds, with several a list of lists.
Value extract_all(Run& run, Arguments a) {
  const re2::RE2* regex = run.pattern(a[0].text());
  if (regex == nullptr) return {};
  const int groups = std::min(regex->NumberOfCapturingGroups(), kMostGroups - 1);
  const std::string_view whole = a[1].text();
  std::array<re2::StringPiece, kMostGroups> match;
  Json found = Json::list();
  std::size_t at = 0;
  while (at <= whole.size() && run.spend(1 + (whole.size() - at) / 64, 64) &&
         regex->Match(piece(whole), at, whole.size(), re2::RE2::UNANCHORED, match.data(), groups + 1)) {
    Json texts = Json::list();
    for (int i = std::min(1, groups); i <= groups; ++i)
      texts.add(std::string(text(match[static_cast<std::size_t>(i)]).text()));
    found.add(texts.items().size() == 1 ? Json(texts.items()[0]) : texts);
    const std::size_t end = static_cast<std::size_t>(match[0].data() - whole.data()) + match[0].size();
    at = match[0].empty() ? end + 1 : end;
  }
  return found.items().empty() ? Value() : Value::dynamic(std::move(found));
}

Value replace_regex(Run& run, Arguments a) {
  const re2::RE2* regex = run.pattern(a[1].text());
  if (regex == nullptr) return a[0];
  const std::string rewrite(a[2].text());
  std::string problem;
  if (!regex->CheckRewriteString(rewrite, &problem)) return a[0];
  // No more matches than characters, each at most the text and the rewriting long.
  const std::size_t each =
      rewrite.size() + (rewrite.find('\\') != std::string::npos ? a[0].text().size() : 0);
  if (!run.spend(1 + a[0].text().size() / 8, (a[0].text().size() + 1) * (each + 1))) return {};
  std::string result(a[0].text());
  re2::RE2::GlobalReplace(&result, *regex, rewrite);
  return Value::text(std::move(result));
}

// Takes away what matches at the beginning, at the end, or at both, as often as it does.
template <bool kStart, bool kEnd>
Value trim(Run& run, Arguments a) {
  const std::string pattern(a[0].text());
  const re2::RE2* start = run.pattern("^(?:" + pattern + ")+");
  const re2::RE2* end = run.pattern("(?:" + pattern + ")+$");
  if (start == nullptr || end == nullptr) return a[1];
  re2::StringPiece rest = piece(a[1].text()), found;
  if (kStart && start->Match(rest, 0, rest.size(), re2::RE2::ANCHOR_START, &found, 1))
    rest.remove_prefix(found.size());
  if (kEnd && end->Match(rest, 0, rest.size(), re2::RE2::UNANCHORED, &found, 1))
    rest.remove_suffix(found.size());
  return text(rest);
}

Value matches(Run& run, Arguments a) {
  const re2::RE2* regex = run.pattern(a[1].text());
  return regex != nullptr && re2::RE2::PartialMatch(piece(a[0].text()), *regex);
}

constexpr Function kPatternsFunctions[] = {
    {"extract", "sls", 's', extract},
    {"extract_all", "ss", 'j', extract_all},
    {"replace_regex", "sss", 's', replace_regex},
    {"replace", "sss", 's',
     [](Run& run, Arguments a) {
       const Value ordered[] = {a[2], a[0], a[1]};
       return replace_regex(run, ordered);
     }},
    {"trim", "ss", 's', trim<true, true>},
    {"trim_start", "ss", 's', trim<true, false>},
    {"trim_end", "ss", 's', trim<false, true>},
    {"matches regex", "ss", 'b', matches},  // the operator
};

}  // namespace

Run::Run(const Limits& limits, std::int64_t now_us) : limits_(limits), now_{now_us * 10} {}
Run::~Run() = default;

const re2::RE2* Run::pattern(std::string_view text) {
  if (const auto found = patterns_.find(text); found != patterns_.end())
    return found->second->ok() ? found->second.get() : nullptr;
  if (text.size() > kLongestPattern || patterns_.size() >= kMostPatterns || !spend(100 + text.size(), 4'096))
    return nullptr;
  // `\C` matches single bytes, of which no text is made.
  if (text.find("\\C") != std::string_view::npos) return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternBytes);
  const auto& kept =
      *patterns_.emplace(std::string(text), std::make_unique<re2::RE2>(piece(text), options)).first;
  return kept.second->ok() ? kept.second.get() : nullptr;
}

std::span<const Function> regex_functions() {
  return kPatternsFunctions;
}

}  // namespace flow::kql
