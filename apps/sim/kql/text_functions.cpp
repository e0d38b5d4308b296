#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/kql/functions.hpp"
#include "apps/sim/url.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

Value text(std::string value) {
  return Value::text(std::move(value));
}
std::int64_t length(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80;
}

std::string upper_ascii(std::string_view given) {
  std::string upper(given);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

// `text` has `term` between characters that belong to no word.
template <class Same>
bool has_term_by(std::string_view text, std::string_view term, bool at_start, bool at_end, Same same) {
  if (term.empty()) return true;
  for (std::size_t at = 0; at + term.size() <= text.size(); ++at) {
    if (!same(text.substr(at, term.size()), term)) continue;
    const std::size_t end = at + term.size();
    const bool starts = at == 0 || !is_word(text[at - 1]) || !is_word(term.front());
    const bool ends = end == text.size() || !is_word(text[end]) || !is_word(term.back());
    if ((starts || !at_start) && (ends || !at_end)) return true;
  }
  return false;
}
bool same_ignoring_case(std::string_view a, std::string_view b) {
  return equals_ignoring_case(a, b);
}
bool same(std::string_view a, std::string_view b) {
  return a == b;
}

// Counts characters, not bytes.
std::int64_t characters(std::string_view given) {
  return std::ranges::count_if(given, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}
// The byte at which character `index` begins, at most the end.
std::size_t byte_of(std::string_view given, std::int64_t index) {
  std::size_t at = 0;
  for (; at < given.size(); ++at)
    if ((static_cast<unsigned char>(given[at]) & 0xc0) != 0x80 && index-- == 0) return at;
  return at;
}

Value strcat(Run& run, Arguments a) {
  std::size_t size = 0;
  for (const Value& value : a) size += value.text().size();
  if (!run.spend(1, size)) return {};
  std::string joined;
  for (const Value& value : a) joined += value.text();
  return text(std::move(joined));
}

Value strcat_delim(Run& run, Arguments a) {
  std::size_t size = a.size() * a[0].text().size();
  for (const Value& value : a) size += value.text().size();
  if (!run.spend(1, size)) return {};
  std::string joined;
  for (std::size_t i = 1; i < a.size(); ++i) joined.append(i > 1 ? a[0].text() : "").append(a[i].text());
  return text(std::move(joined));
}

Value strcat_array(Run& run, Arguments a) {
  static const Json kNone;
  const Json::List& items = (a[0].json() != nullptr ? *a[0].json() : kNone).items();
  if (!run.spend(items.size(), items.size() * a[1].text().size())) return {};
  std::string joined;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) joined += a[1].text();
    joined += to_text(Value::dynamic(items[i]));
  }
  return text(std::move(joined));
}

Value substring(Run&, Arguments a) {
  const std::string_view whole = a[0].text();
  std::int64_t start = a[1].integer().value_or(0);
  if (start < 0) start = std::max<std::int64_t>(0, characters(whole) + start);
  const std::string_view rest = whole.substr(byte_of(whole, start));
  if (a.size() < 3) return text(std::string(rest));
  const std::int64_t count = std::max<std::int64_t>(0, a[2].integer().value_or(0));
  return text(std::string(rest.substr(0, byte_of(rest, count))));
}

Value indexof(Run&, Arguments a) {
  const std::string_view whole = a[0].text();
  const std::int64_t from = a.size() > 2 ? std::max<std::int64_t>(0, a[2].integer().value_or(0)) : 0;
  const std::size_t at = whole.find(a[1].text(), byte_of(whole, from));
  return at == std::string_view::npos ? std::int64_t{-1} : characters(whole.substr(0, at));
}

Value split(Run& run, Arguments a) {
  const std::string_view whole = a[0].text(), delimiter = a[1].text();
  Json list = Json::list();
  std::size_t start = 0;
  while (run.spend(1, 48)) {
    const std::size_t end = delimiter.empty() ? std::string_view::npos : whole.find(delimiter, start);
    list.add(std::string(whole.substr(start, end - start)));
    if (end == std::string_view::npos) break;
    start = end + delimiter.size();
  }
  if (a.size() < 3) return Value::dynamic(std::move(list));
  const std::int64_t index = a[2].integer().value_or(-1);
  Json one = Json::list();
  if (index >= 0 && index < length(list.items().size())) one.add(list.items()[index]);
  return Value::dynamic(std::move(one));
}

Value replace_string(Run& run, Arguments a) {
  const std::string_view whole = a[0].text(), old = a[1].text(), now = a[2].text();
  if (old.empty()) return a[0];
  std::string result;
  std::size_t start = 0;
  while (true) {
    const std::size_t at = whole.find(old, start);
    if (!run.spend(1, now.size())) return {};
    result += whole.substr(start, at - start);
    if (at == std::string_view::npos) return text(std::move(result));
    result += now;
    start = at + old.size();
  }
}

Value strrep(Run& run, Arguments a) {
  const std::int64_t times = a[1].integer().value_or(0);
  if (times <= 0) return text("");
  const std::uint64_t each = a[0].text().size() + (a.size() > 2 ? a[2].text().size() : 0);
  if (times > 1'000'000 || !run.spend(1, each * static_cast<std::uint64_t>(times))) return {};
  std::string result;
  for (std::int64_t i = 0; i < times; ++i) {
    if (i > 0 && a.size() > 2) result += a[2].text();
    result += a[0].text();
  }
  return text(std::move(result));
}

Value countof(Run& run, Arguments a) {
  const std::string_view whole = a[0].text(), part = a[1].text();
  std::int64_t count = 0;
  if (part.empty()) return count;
  for (std::size_t at = whole.find(part); at != std::string_view::npos && run.spend(1);
       at = whole.find(part, at + 1))
    ++count;
  return count;
}

Value reversed(Run&, Arguments a) {
  std::string result;
  const std::string_view whole = a[0].text();
  for (std::size_t end = whole.size(), at = whole.size(); at > 0;) {
    --at;
    if ((static_cast<unsigned char>(whole[at]) & 0xc0) == 0x80) continue;
    result += whole.substr(at, end - at);
    end = at;
  }
  return text(std::move(result));
}

std::string base64(std::string_view bytes) {
  std::string encoded = sim::base64url_encoded(bytes);
  std::ranges::replace(encoded, '-', '+');
  std::ranges::replace(encoded, '_', '/');
  while (encoded.size() % 4 != 0) encoded += '=';
  return encoded;
}

Value base64_decoded_text(Run&, Arguments a) {
  auto decoded = sim::base64_decoded(a[0].text());
  return text(decoded && !invalid_utf8_at(*decoded) ? std::move(*decoded) : "");
}

Value url_decoded(Run&, Arguments a) {
  auto decoded = sim::percent_decoded(a[0].text(), false);
  return decoded && !invalid_utf8_at(*decoded) ? text(std::move(*decoded)) : a[0];
}

// Scheme, host, port, path, user name, password, query parameters, fragment.
Value parse_url(Run&, Arguments a) {
  std::string_view rest = a[0].text();
  Json url = Json::object();
  const std::size_t scheme = rest.find("://");
  url.set("Scheme", scheme == std::string_view::npos ? "" : std::string(rest.substr(0, scheme)));
  if (scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  std::string fragment, query;
  if (const std::size_t at = rest.find('#'); at != std::string_view::npos)
    fragment = rest.substr(at + 1), rest = rest.substr(0, at);
  if (const std::size_t at = rest.find('?'); at != std::string_view::npos)
    query = rest.substr(at + 1), rest = rest.substr(0, at);
  std::string_view host = rest.substr(0, rest.find('/'));
  const std::string path(rest.substr(host.size()));
  std::string user, password, port;
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = host.substr(0, at);
    user = login.substr(0, login.find(':'));
    if (user.size() < login.size()) password = login.substr(user.size() + 1);
    host.remove_prefix(at + 1);
  }
  if (const std::size_t at = host.rfind(':'); at != std::string_view::npos && host.back() != ']')
    port = host.substr(at + 1), host = host.substr(0, at);
  Json parameters = Json::object();
  const auto pairs = sim::parse_form(query);
  if (pairs)
    for (const auto& [name, value] : *pairs) parameters.set(name, value);
  url.set("Host", std::string(host)).set("Port", port).set("Path", path).set("Username", user);
  url.set("Password", password).set("Query Parameters", std::move(parameters)).set("Fragment", fragment);
  return Value::dynamic(std::move(url));
}

constexpr Function kTextFunctions[] = {
    {"tolower", "s", 's', [](Run&, Arguments a) { return text(lower_ascii(a[0].text())); }},
    {"toupper", "s", 's', [](Run&, Arguments a) { return text(upper_ascii(a[0].text())); }},
    {"strlen", "s", 'l', [](Run&, Arguments a) { return Value(characters(a[0].text())); }},
    {"string_size", "s", 'l', [](Run&, Arguments a) { return Value(length(a[0].text().size())); }},
    {"strcat", "s*", 's', strcat},
    {"strcat_delim", "ss*", 's', strcat_delim},
    {"strcat_array", "js", 's', strcat_array},
    {"strrep", "sl?s", 's', strrep},
    {"substring", "sl?l", 's', substring},
    {"indexof", "ss?l", 'l', indexof},
    {"split", "ss?l", 'j', split},
    {"replace_string", "sss", 's', replace_string},
    {"countof", "ss", 'l', countof},
    {"reverse", "s", 's', reversed},
    {"strcmp", "ss", 'l',
     [](Run&, Arguments a) { return Value(std::int64_t{compare(a[0], a[1]).value_or(0)}); }},
    {"isempty", "a", 'b', [](Run&, Arguments a) { return Value(to_text(a[0]).empty()); }},
    {"isnotempty", "a", 'b', [](Run&, Arguments a) { return Value(!to_text(a[0]).empty()); }},
    {"notempty", "a", 'b', [](Run&, Arguments a) { return Value(!to_text(a[0]).empty()); }},
    {"base64_encode_tostring", "s", 's', [](Run&, Arguments a) { return text(base64(a[0].text())); }},
    {"base64_decode_tostring", "s", 's', base64_decoded_text},
    {"url_encode", "s", 's', [](Run&, Arguments a) { return text(percent_encoded(a[0].text())); }},
    {"url_decode", "s", 's', url_decoded},
    {"parse_url", "s", 'j', parse_url},
};

bool contains_ignoring_case(std::string_view whole, std::string_view part) {
  if (part.empty()) return true;
  for (std::size_t at = 0; at + part.size() <= whole.size(); ++at)
    if (equals_ignoring_case(whole.substr(at, part.size()), part)) return true;
  return false;
}

constexpr struct {
  std::string_view name;
  TextTest test;
} kTests[] = {
    {"has", has_term},
    {"has_cs", [](std::string_view a, std::string_view b) { return has_term_by(a, b, true, true, same); }},
    {"hasprefix", [](std::string_view a,
                     std::string_view b) { return has_term_by(a, b, true, false, same_ignoring_case); }},
    {"hasprefix_cs",
     [](std::string_view a, std::string_view b) { return has_term_by(a, b, true, false, same); }},
    {"hassuffix", [](std::string_view a,
                     std::string_view b) { return has_term_by(a, b, false, true, same_ignoring_case); }},
    {"hassuffix_cs",
     [](std::string_view a, std::string_view b) { return has_term_by(a, b, false, true, same); }},
    {"contains", contains_ignoring_case},
    {"contains_cs",
     [](std::string_view a, std::string_view b) { return a.find(b) != std::string_view::npos; }},
    {"startswith",
     [](std::string_view a, std::string_view b) { return equals_ignoring_case(a.substr(0, b.size()), b); }},
    {"startswith_cs", [](std::string_view a, std::string_view b) { return a.starts_with(b); }},
    {"endswith",
     [](std::string_view a, std::string_view b) {
       return a.size() >= b.size() && equals_ignoring_case(a.substr(a.size() - b.size()), b);
     }},
    {"endswith_cs", [](std::string_view a, std::string_view b) { return a.ends_with(b); }},
    {"=~", same_ignoring_case},
};

}  // namespace

bool has_term(std::string_view text, std::string_view term) {
  return has_term_by(text, term, true, true, same_ignoring_case);
}

TextTest text_test(std::string_view name) {
  for (const auto& known : kTests)
    if (known.name == name) return known.test;
  return nullptr;
}

std::span<const Function> text_functions() {
  return kTextFunctions;
}

}  // namespace flow::kql
