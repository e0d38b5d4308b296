#include "vm/interp/natives/indicators.hpp"

#include <algorithm>
#include <optional>

#include "base/domain.hpp"
#include "base/ip_address.hpp"
#include "base/text.hpp"

namespace flow::natives {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
// What domains, digests, addresses and the names of mail addresses are made of.
bool is_word_char(char c) {
  return is_alphanumeric(c) || std::string_view("._%+-:").find(c) != std::string_view::npos;
}
bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

std::string_view without_dots_and_hyphens(std::string_view word) {
  const auto is_edge = [](char c) { return !is_alphanumeric(c); };
  while (!word.empty() && is_edge(word.front())) word.remove_prefix(1);
  while (!word.empty() && is_edge(word.back())) word.remove_suffix(1);
  return word;
}

bool is_digest(std::string_view word) {
  return (word.size() == 32 || word.size() == 40 || word.size() == 64) && std::ranges::all_of(word, is_hex);
}

bool is_domain(std::string_view word) {
  return is_host_name(word) && !is_file_extension(word.substr(word.rfind('.') + 1));
}

// An IPv6 address has several colons and a digit; `12:30` and `std::string` are none.
std::optional<std::string_view> v6_address(std::string_view word) {
  constexpr std::size_t kLongest = 45;
  while (word.ends_with('.') || (word.ends_with(':') && !word.ends_with("::"))) word.remove_suffix(1);
  if (word.size() > kLongest || std::ranges::count(word, ':') < 2) return std::nullopt;
  if (std::ranges::none_of(word, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return parse_ip(word) ? std::optional(word) : std::nullopt;
}

class Finder {
 public:
  Finder(std::string_view text, const std::function<void(Indicator, std::string_view)>& found)
      : text_(text), found_(found) {}

  void run() {
    while (at_ < text_.size()) {
      if (!is_word_char(text_[at_])) {
        at_ += 1;
      } else if (!url()) {
        word();
      }
    }
  }

 private:
  // The scheme of a URL begins a word: `https://` may stand right behind other letters only with a sign
  // between.
  bool url() {
    static constexpr std::string_view kSchemes[] = {"https://", "http://", "ftp://"};
    std::size_t scheme = 0;
    for (const std::string_view each : kSchemes)
      if (equals_ignoring_case(text_.substr(at_, each.size()), each)) scheme = each.size();
    if (scheme == 0) return false;
    std::size_t end = at_ + scheme;
    while (end < text_.size() && is_url_char(text_[end])) ++end;
    const std::size_t all = end;
    while (end > at_ + scheme && is_trailing(end)) --end;
    const std::string_view whole = text_.substr(at_, end - at_);
    const std::string_view host = host_of(whole.substr(scheme));
    if (!host.empty()) {
      found_(Indicator::Url, whole);
      if (parse_ip(host))
        found_(Indicator::Ip, host);
      else if (is_host_name(host))
        found_(Indicator::Domain, host);
    }
    at_ = all;
    return true;
  }

  static bool is_url_char(char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f &&
           std::string_view("<>\"'`{}|\\^").find(c) == std::string_view::npos;
  }

  // Signs that end the sentence and not the URL; a closing bracket stays where the URL opened one.
  bool is_trailing(std::size_t end) const {
    const char c = text_[end - 1];
    if (c == ')' || c == ']') {
      const char open = c == ')' ? '(' : '[';
      const std::string_view whole = text_.substr(at_, end - at_);
      constexpr std::size_t kLooked = 256;  // so that a row of brackets is not looked through again and again
      return whole.substr(0, kLooked).find(open) == std::string_view::npos;
    }
    return std::string_view(".,;:!?*_").find(c) != std::string_view::npos;
  }

  static std::string_view host_of(std::string_view rest) {
    rest = rest.substr(0, rest.find_first_of("/?#"));
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
    if (rest.starts_with('[')) return rest.substr(1, std::min(rest.find(']'), rest.size()) - 1);
    return rest.substr(0, rest.find(':'));
  }

  void word() {
    const std::size_t begin = at_;
    // One that follows other letters is a part of their word: `größe.de`.
    const bool follows_letter = begin > 0 && is_beyond_ascii(text_[begin - 1]);
    while (at_ < text_.size() && is_word_char(text_[at_]) && !starts_url()) ++at_;
    std::string_view word = text_.substr(begin, at_ - begin);
    if (at_ < text_.size() && text_[at_] == '@' && email(word)) return;
    const bool touches_letter = follows_letter || (at_ < text_.size() && is_beyond_ascii(text_[at_]));
    if (touches_letter) return;
    if (const auto address = v6_address(word)) return found_(Indicator::Ip, *address);
    // What colons part: `evil.com:8080`, `sha256:…`.
    while (!word.empty()) {
      const std::size_t end = std::min(word.find(':'), word.size());
      part(without_dots_and_hyphens(word.substr(0, end)));
      word.remove_prefix(std::min(end + 1, word.size()));
    }
  }

  // Whether a URL begins here, within a word: `url:https://…`.
  bool starts_url() const {
    return (text_[at_] == 'h' || text_[at_] == 'H') && at_ > 0 && text_[at_ - 1] == ':' &&
           (equals_ignoring_case(text_.substr(at_, 7), "http://") ||
            equals_ignoring_case(text_.substr(at_, 8), "https://"));
  }

  void part(std::string_view word) {
    if (is_digest(word))
      found_(Indicator::Digest, word);
    else if (word.find('.') == std::string_view::npos)
      return;
    else if (parse_ip(word))
      found_(Indicator::Ip, word);
    else if (is_domain(word))
      found_(Indicator::Domain, word);
  }

  // `text_[at_]` is the @ behind `user`.
  bool email(std::string_view user) {
    constexpr std::size_t kLongestUser = 64;
    std::size_t end = at_ + 1;
    while (end < text_.size() && (is_alphanumeric(text_[end]) || text_[end] == '.' || text_[end] == '-'))
      ++end;
    std::string_view domain = text_.substr(at_ + 1, end - at_ - 1);
    while (domain.ends_with('.') || domain.ends_with('-')) domain.remove_suffix(1);
    if (const std::size_t colon = user.rfind(':'); colon != std::string_view::npos)
      user.remove_prefix(colon + 1);
    while (user.starts_with('.')) user.remove_prefix(1);
    if (user.empty() || user.size() > kLongestUser || !is_host_name(domain)) return false;
    found_(Indicator::Email, {user.data(), user.size() + 1 + domain.size()});
    at_ = end;
    return true;
  }

  std::string_view text_;
  const std::function<void(Indicator, std::string_view)>& found_;
  std::size_t at_ = 0;
};

struct Replacement {
  std::string_view from, to;
};
constexpr Replacement kRefanged[] = {
    {"[://]", "://"}, {"[:]//", "://"}, {"[:]", ":"},   {"[.]", "."},   {"(.)", "."},
    {"{.}", "."},     {"[dot]", "."},   {"(dot)", "."}, {"{dot}", "."}, {"[@]", "@"},
    {"(@)", "@"},     {"[at]", "@"},    {"(at)", "@"},  {"[/]", "/"},
};

}  // namespace

void find_indicators(std::string_view text, const std::function<void(Indicator, std::string_view)>& found) {
  Finder(text, found).run();
}

std::string refanged(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool begins_word = at == 0 || !is_alphanumeric(text[at - 1]);
    if (begins_word && (rest[0] == 'h' || rest[0] == 'H') &&
        equals_ignoring_case(rest.substr(0, 4), "hxxp")) {
      out += rest[0] == 'h' ? "http" : "HTTP";
      at += 4;
      continue;
    }
    const Replacement* found = nullptr;
    if (rest[0] == '[' || rest[0] == '(' || rest[0] == '{')
      for (const Replacement& each : kRefanged)
        if (found == nullptr && equals_ignoring_case(rest.substr(0, each.from.size()), each.from))
          found = &each;
    out += found == nullptr ? rest.substr(0, 1) : found->to;
    at += found == nullptr ? 1 : found->from.size();
  }
  return out;
}

}  // namespace flow::natives
