#include "import/prose.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace flow::importer {
namespace {

constexpr std::size_t kLongest = 500;         // bytes of one explanation
constexpr std::size_t kLongestRead = 20'000;  // of the document's text; what follows is left out anyway

struct Entity {
  std::string_view name, text;
};
constexpr Entity kEntities[] = {{"&amp;", "&"},   {"&lt;", "<"},  {"&gt;", ">"},
                                {"&quot;", "\""}, {"&#39;", "'"}, {"&nbsp;", " "}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `<b>`, `</p>`, `<br/>`, `<!-- -->`: what begins like a tag and ends. `a < b` is none.
std::string without_tags(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<' && i + 1 < text.size() &&
        (is_letter(text[i + 1]) || text[i + 1] == '/' || text[i + 1] == '!')) {
      const std::size_t end = text.find_first_of("<>\n", i + 1);
      const std::string_view inside = text.substr(i + 1, end == std::string_view::npos ? 0 : end - i - 1);
      const bool is_known = inside.starts_with('/') || inside.starts_with('!') ||
                            std::ranges::all_of(inside.substr(0, inside.find(' ')), [](char c) {
                              return is_letter(c) || c == '/' || (c >= '1' && c <= '6');
                            });
      if (end != std::string_view::npos && text[end] == '>' && is_known) {
        out += ' ';
        i = end;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

// `[words](address)` is the words.
std::string without_links(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') {
      const std::size_t close = text.find_first_of("[]\n", i + 1);
      if (close != std::string_view::npos && text[close] == ']' && text.substr(close + 1).starts_with('(')) {
        const std::size_t end = text.find_first_of(")\n ", close + 2);
        if (end != std::string_view::npos && text[end] == ')') {
          out += text.substr(i + 1, close - i - 1);
          i = end;
          continue;
        }
      }
    }
    out += text[i];
  }
  return out;
}

std::string with_entities(std::string text) {
  for (const auto& [name, plain] : kEntities)
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += plain.size())
      text.replace(at, name.size(), plain);
  return text;
}

// One blank between words; a line that begins a list or a heading loses its mark, stars around words as well.
std::string one_line(std::string_view text) {
  std::string out;
  bool is_line_start = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' || c == '\r') {
      is_line_start = true;
      if (!out.empty() && out.back() != ' ') out += ' ';
      continue;
    }
    if (c == ' ' || c == '\t') {
      if (!out.empty() && out.back() != ' ') out += ' ';
      continue;
    }
    if (is_line_start && (c == '#' || ((c == '*' || c == '-') && i + 1 < text.size() && text[i + 1] == ' ')))
      continue;
    is_line_start = false;
    if (c == '*' && i + 1 < text.size() && text[i + 1] == '*') {
      ++i;
      continue;
    }
    out += c;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string cut(std::string text) {
  if (text.size() <= kLongest) return text;
  std::string_view kept = beginning_of(text, kLongest);
  const std::size_t sentence = kept.rfind(". ");
  if (sentence != std::string_view::npos && sentence > kLongest / 3)
    return std::string(kept.substr(0, sentence + 1));
  const std::size_t word = kept.rfind(' ');
  return std::string(kept.substr(0, word == std::string_view::npos ? kept.size() : word)) + " …";
}

bool ends_sentence(std::string_view text) {
  return text.ends_with('.') || text.ends_with('!') || text.ends_with('?') || text.ends_with(':') ||
         text.ends_with("…");
}

}  // namespace

std::string plain_prose(std::string_view text) {
  std::string lines;
  for (const char c : beginning_of(text, kLongestRead)) lines += c == '\t' ? ' ' : c == '\r' ? '\n' : c;
  std::string kept;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = lines.find('\n', begin);
    kept += printable(lines.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) break;
    kept += '\n';
    begin = end + 1;
  }
  return cut(one_line(with_entities(without_links(without_tags(kept)))));
}

std::string joined_prose(std::string_view title, std::string_view explanation) {
  std::string first = plain_prose(title), rest = plain_prose(explanation);
  const auto as_sentence = [](std::string text) {
    if (!text.empty() && !ends_sentence(text)) text += '.';
    return text;
  };
  if (first.empty() || lower_ascii(rest).starts_with(lower_ascii(first))) return as_sentence(std::move(rest));
  if (rest.empty()) return as_sentence(std::move(first));
  return as_sentence(std::move(first)) + " " + as_sentence(std::move(rest));
}

std::vector<std::string> doc_lines(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t characters = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    const auto wide = static_cast<std::size_t>(
        std::ranges::count_if(word, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    if (!line.empty() && characters + 1 + wide > width) {
      lines.push_back("/// " + line);
      line.clear();
      characters = 0;
    }
    line += (line.empty() ? "" : " ") + std::string(word);
    characters += wide + 1;
  }
  if (!line.empty()) lines.push_back("/// " + line);
  return lines;
}

}  // namespace flow::importer
