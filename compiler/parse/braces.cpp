#include "compiler/parse/braces.hpp"

#include <algorithm>
#include <vector>

namespace flow {
namespace {

struct Line {
  std::size_t begin = 0, indent = 0;
};

Line line_of(std::string_view text, std::size_t at) {
  Line line;
  if (const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
      newline != std::string_view::npos)
    line.begin = newline + 1;
  while (line.begin + line.indent < at &&
         (text[line.begin + line.indent] == ' ' || text[line.begin + line.indent] == '\t'))
    ++line.indent;
  return line;
}

// Behind the text that begins at `at`. One within a hole ends it early; its quotes come in pairs, too.
std::size_t behind_text(std::string_view text, std::size_t at) {
  const bool is_block = text.substr(at, 3) == "\"\"\"";
  if (is_block) {
    const std::size_t close = text.find("\"\"\"", at + 3);
    return close == std::string_view::npos ? text.size() : close + 3;
  }
  for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

}  // namespace

std::optional<std::uint32_t> unclosed_brace(const Tree& tree, std::uint32_t from, std::uint32_t to) {
  const std::string_view text = tree.source->text();
  struct Open {
    std::uint32_t at;
    Line line;
  };
  std::vector<Open> open;
  auto comment =
      std::ranges::lower_bound(tree.comments, from, {}, [](const Comment& c) { return c.span.begin; });
  for (std::size_t at = from; at < std::min<std::size_t>(to, text.size());) {
    while (comment != tree.comments.end() && comment->span.end <= at) ++comment;
    if (comment != tree.comments.end() && comment->span.begin <= at) {
      at = comment->span.end;
      continue;
    }
    if (text[at] == '"') {
      at = behind_text(text, at);
      continue;
    }
    if (text[at] == '{') open.push_back({static_cast<std::uint32_t>(at), line_of(text, at)});
    if (text[at] == '}' && !open.empty()) {
      const Line line = line_of(text, at);
      const bool begins_line = line.begin + line.indent == at;
      if (begins_line && line.begin != open.back().line.begin && line.indent < open.back().line.indent)
        return open.back().at;
      open.pop_back();
    }
    ++at;
  }
  return std::nullopt;
}

}  // namespace flow
