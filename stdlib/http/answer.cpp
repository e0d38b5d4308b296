#include "stdlib/http/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

// Replaces the characters of `text` that U+202A-202E, U+2066-2069, U+2028 and U+2029 are written with.
bool hides_something(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\xe2\x80" && text.substr(at, 2) != "\xe2\x81") return false;
  if (at + 2 >= text.size()) return false;
  const auto last = static_cast<unsigned char>(text[at + 2]);
  return text[at + 1] == '\x80' ? last >= 0xa8 && last <= 0xae : last >= 0xa6 && last <= 0xa9;
}

void cut_at_character(std::string& text, std::size_t limit) {
  const auto is_inside = [&](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  if (text.size() > limit) {
    while (limit > 0 && is_inside(limit)) --limit;
    text.resize(limit);
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

}  // namespace

std::optional<std::int64_t> parse_http_date_us(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 29 || text[3] != ',' || text.substr(25) != " GMT" || text[19] != ':' || text[22] != ':')
    return std::nullopt;
  const auto month_name = std::ranges::find(kMonths, text.substr(8, 3));
  const auto d = number(text.substr(5, 2)), y = number(text.substr(12, 4)), h = number(text.substr(17, 2)),
             m = number(text.substr(20, 2)), s = number(text.substr(23, 2));
  if (month_name == kMonths.end() || !d || !y || !h || !m || !s || *h > 23 || *m > 59 || *s > 60)
    return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(month_name - kMonths.begin()) + 1},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  const auto time = sys_days{date} + hours{*h} + minutes{*m} + seconds{*s};
  return duration_cast<microseconds>(time.time_since_epoch()).count();
}

std::optional<std::int64_t> retry_after_us(const HttpResponse& response, std::int64_t now_us) {
  const std::string_view value = response.header("Retry-After");
  if (value.empty()) return std::nullopt;
  if (const auto seconds = number(value)) return std::min(std::max(*seconds, 1) * kSecond, kDay);
  const auto date = parse_http_date_us(value);
  if (!date) return std::nullopt;
  return std::clamp(*date - now_us, kSecond, kDay);
}

std::string excerpt(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size() && out.size() <= limit; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (hides_something(text, i)) {
      out += "\xef\xbf\xbd";
      i += 2;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", c);
    } else {
      out += text[i];
    }
  }
  cut_at_character(out, limit);
  for (auto bad = invalid_utf8_at(out); bad; bad = invalid_utf8_at(out)) out[*bad] = '?';
  return out;
}

Fault fault_of(const TransportError& error) {
  using Kind = TransportError::Kind;
  FaultKind kind = FaultKind::Unavailable;
  switch (error.kind) {
    case Kind::Refused: kind = FaultKind::BadRequest; break;
    case Kind::Timeout: kind = FaultKind::Timeout; break;
    case Kind::Cancelled: kind = FaultKind::Cancelled; break;
    case Kind::TooLarge:
    case Kind::Malformed: kind = FaultKind::InvalidResponse; break;
    case Kind::Resolve:
    case Kind::Connect:
    case Kind::Tls:
    case Kind::Closed: break;
  }
  return {.kind = kind, .message = excerpt(error.message, 400), .maybe_executed = error.maybe_executed};
}

std::string without_secret(std::string text, std::string_view secret) {
  if (secret.empty()) return text;
  replace_all(text, secret, "***");
  const std::string quoted = json_quoted(secret);
  const std::string_view inside = std::string_view(quoted).substr(1, quoted.size() - 2);
  if (inside != secret) replace_all(text, inside, "***");
  return text;
}

}  // namespace flow
