// Indicators of compromise: found in texts, made harmless, and made usable again.
#include <set>

#include "base/text.hpp"
#include "vm/interp/natives/functions.hpp"
#include "vm/interp/natives/indicators.hpp"

namespace flow::natives {
namespace {

// In the order in which they come, each once. Reports write them harmless, so that is undone first.
List found_in(NativeContext& context, std::string_view text, Indicator wanted, bool in_small_letters) {
  const std::string usable = refanged(text);
  std::set<std::string> seen;
  ListMaker list(context);
  find_indicators(usable, [&](Indicator kind, std::string_view part) {
    if (kind != wanted || context.fault) return;
    std::string spelled = in_small_letters ? lower_ascii(part) : std::string(part);
    const auto [at, is_new] = seen.insert(std::move(spelled));
    if (is_new) list.add_copy(*at);
  });
  return context.fault ? std::nullopt : list.made();
}

// `text` with each of its bytes in `from` written as brackets.
void add_bracketed(std::string& out, std::string_view text, std::string_view from) {
  for (const char c : text) {
    const bool is_one = from.find(c) != std::string_view::npos;
    if (is_one) out += '[';
    out += c;
    if (is_one) out += ']';
  }
}

}  // namespace

Text refang(NativeContext& context, std::string_view text) {
  return keep(context, refanged(text));
}

// What is harmless already is left as it is: its brackets end a domain's name.
Text defang(NativeContext& context, std::string_view text) {
  std::string out;
  std::size_t done = 0;
  find_indicators(text, [&](Indicator kind, std::string_view part) {
    const auto begin = static_cast<std::size_t>(part.data() - text.data());
    if (begin < done || kind == Indicator::Digest) return;  // the host of a URL
    out += text.substr(done, begin - done);
    done = begin + part.size();
    if (kind != Indicator::Url)
      return add_bracketed(out, part, part.find('.') == std::string_view::npos ? ":" : ".@");
    const std::size_t scheme = part.find("://");
    const std::size_t end = std::min(part.find_first_of("/?#", scheme + 3), part.size());
    const bool is_http = equals_ignoring_case(part.substr(0, 4), "http");
    out += is_http ? "hxxp" : part.substr(0, 4);
    out += part.substr(4, scheme + 3 - 4);
    add_bracketed(out, part.substr(scheme + 3, end - scheme - 3), ".");
    out += part.substr(end);
  });
  out += text.substr(done);
  return keep(context, out);
}

List extractIps(NativeContext& context, std::string_view text) {
  return found_in(context, text, Indicator::Ip, true);
}
List extractDomains(NativeContext& context, std::string_view text) {
  return found_in(context, text, Indicator::Domain, true);
}
List extractUrls(NativeContext& context, std::string_view text) {
  return found_in(context, text, Indicator::Url, false);
}
List extractHashes(NativeContext& context, std::string_view text) {
  return found_in(context, text, Indicator::Digest, true);
}
List extractEmails(NativeContext& context, std::string_view text) {
  return found_in(context, text, Indicator::Email, false);
}

}  // namespace flow::natives
