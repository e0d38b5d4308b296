#include "compiler/parse/braces.hpp"

#include <algorithm>
#include <vector>

namespace flow {
namespace {

struct Line {
  std::size_t begin = 0, indent = 0;
};

// The line that begins there.
Line line_from(std::string_view text, std::size_t begin) {
  Line line{.begin = begin};
  while (begin + line.indent < text.size() &&
         (text[begin + line.indent] == ' ' || text[begin + line.indent] == '\t'))
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
  const std::size_t before = text.substr(0, from).rfind('\n');
  Line line = line_from(text, before == std::string_view::npos ? 0 : before + 1);
  std::size_t at = from;
  const auto go_to = [&](std::size_t next) {
    next = std::min(next, text.size());
    if (const std::size_t newline = text.substr(at, next - at).rfind('\n'); newline != std::string_view::npos)
      line = line_from(text, at + newline + 1);
    at = next;
  };
  while (at < std::min<std::size_t>(to, text.size())) {
    while (comment != tree.comments.end() && comment->span.end <= at) ++comment;
    if (comment != tree.comments.end() && comment->span.begin <= at) {
      go_to(comment->span.end);
      continue;
    }
    if (text[at] == '"') {
      go_to(behind_text(text, at));
      continue;
    }
    if (text[at] == '{') open.push_back({static_cast<std::uint32_t>(at), line});
    if (text[at] == '}' && !open.empty()) {
      const bool begins_line = line.begin + line.indent == at;
      if (begins_line && line.begin != open.back().line.begin && line.indent < open.back().line.indent)
        return open.back().at;
      open.pop_back();
    }
    go_to(at + 1);
  }
  return std::nullopt;
}

}  // namespace flow
