#include "import/names.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "grammar/words.hpp"

namespace flow::importer {
namespace {

constexpr std::size_t kLongestName = 60;

// Letters with marks, as ASCII writes them: U+00C0 to U+017F. `_` is none.
constexpr std::string_view kPlain =
    "AAAAAAACEEEEIIIIDNOOOOO_OUUUUYTsaaaaaaaceeeeiiiidnooooo_ouuuuyty"
    "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL"
    "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

// ASCII letters and digits; anything else becomes a blank.
std::string plain_letters(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x80) {
      const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      out += is_letter ? name[i] : ' ';
    } else if (c >= 0xc3 && c <= 0xc5 && i + 1 < name.size()) {
      const std::uint32_t code = (c & 0x1fu) << 6 | (static_cast<unsigned char>(name[++i]) & 0x3fu);
      const char plain = code >= 0xc0 && code < 0x180 ? kPlain[code - 0xc0] : '_';
      out += plain == '_' ? ' ' : plain;
    } else if (c >= 0xc0) {
      out += ' ';
    }
  }
  return out;
}

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c;
}

// `listHTTPServers_v2` is list, HTTP, Servers, v2.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const std::string text = plain_letters(name);
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') {
      end_word();
      continue;
    }
    const bool is_after_lower = i > 0 && !is_upper(text[i - 1]) && text[i - 1] != ' ';
    // `IDs` and `URLs` are words.
    const bool is_plural =
        i + 1 < text.size() && text[i + 1] == 's' && (i + 2 == text.size() || !is_lower(text[i + 2]));
    const bool begins_word =
        is_upper(c) && (is_after_lower || (i + 1 < text.size() && is_lower(text[i + 1]) && !is_plural));
    if (begins_word) end_word();
    word += c;
  }
  end_word();
  return words;
}

std::string lower_word(std::string_view word) {
  std::string out;
  for (const char c : word) out += lower(c);
  return out;
}

std::string capital_word(std::string_view word) {
  std::string out = lower_word(word);
  if (!out.empty()) out[0] = upper(out[0]);
  return out;
}

std::string shortened(std::string name) {
  if (name.size() > kLongestName) name.resize(kLongestName);
  while (name.ends_with('_')) name.pop_back();
  return name;
}

}  // namespace

std::string snake_case(std::string_view name) {
  std::string out;
  for (const std::string& word : words_of(name)) out += (out.empty() ? "" : "_") + lower_word(word);
  return shortened(std::move(out));
}

std::string camel_case(std::string_view name) {
  std::string out;
  for (const std::string& word : words_of(name)) out += out.empty() ? lower_word(word) : capital_word(word);
  return shortened(std::move(out));
}

std::string pascal_case(std::string_view name) {
  std::string out;
  for (const std::string& word : words_of(name)) out += capital_word(word);
  return shortened(std::move(out));
}

bool is_word(std::string_view name) {
  if (name.empty() || !grammar::is_word_start(name[0])) return false;
  for (const char c : name)
    if (!grammar::is_word_char(c)) return false;
  return true;
}

std::string Names::take(std::string_view wanted, std::string_view when_empty) {
  std::string name(wanted.empty() ? when_empty : wanted);
  if (name[0] >= '0' && name[0] <= '9')
    name = std::string(when_empty) + (when_empty.ends_with('_') ? "" : "_") + name;
  if (!allows_reserved_ && grammar::is_keyword(name)) name += '_';
  std::string free = name;
  if (taken_.contains(free)) {
    std::uint64_t& number = last_number_.try_emplace(name, 1).first->second;
    do free = fmt::format("{}{}", name, ++number);
    while (taken_.contains(free));
  }
  taken_.insert(free);
  return free;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\': out += '\\', out += c; break;
      case '{': out += "{{"; break;
      case '}': out += "}}"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default: out += c;
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + escaped(text) + '"';
}

std::string entry_key(std::string_view name) {
  if (is_word(name)) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\' || c == '{' || c == '}') out += '\\';
    if (c == '\n' || c == '\r')
      out += c == '\n' ? "\\n" : "\\r";
    else
      out += c;
  }
  return out + '"';
}

}  // namespace flow::importer
