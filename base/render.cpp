// The terminal's and the JSON's view of a Diagnostic.
#include <algorithm>
#include <string>

#include "base/diagnostic.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kWidestLine = 160;  // longer source lines are shown around the mark

struct Palette {
  const char* error = "";
  const char* warning = "";
  const char* frame = "";
  const char* strong = "";
  const char* help = "";
  const char* reset = "";
};
constexpr Palette kColours{"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[1;36m", "\x1b[0m"};

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & '\xc0') != '\x80'; }));
}

// Each character that changes the direction of writing as U+FFFD.
std::string in_one_direction(std::string_view text) {
  std::string out;
  for (std::size_t at = direction_change_at(text); at != std::string_view::npos;
       at = direction_change_at(text)) {
    out += std::string(text.substr(0, at)) + "\xef\xbf\xbd";
    text.remove_prefix(at + 3);
  }
  return out.append(text);
}

// Tabs as one blank, control characters as dots and what is no UTF-8 as U+FFFD, so that the mark below stands
// where it should and the terminal obeys nobody's source.
std::string printable(std::string_view text) {
  std::string out;
  const auto append = [&](std::string_view good) {
    for (const char c : good)
      out += c == '\t' ? ' ' : (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) ? '.' : c;
  };
  for (auto bad = invalid_utf8_at(text); bad; bad = invalid_utf8_at(text)) {
    append(text.substr(0, *bad));
    out += "\xef\xbf\xbd";
    text.remove_prefix(*bad + 1);
  }
  append(text);
  return out;
}

class TextPrinter {
 public:
  TextPrinter(const Files& files, const Palette& palette) : files_(files), palette_(palette) {}

  std::string print(const Diagnostic& d) {
    const CodeRow& code = row(d.code);
    const SourceFile& file = *files_[d.file];
    const LineColumn start = file.position(d.span.begin);
    gutter_ = std::to_string(start.line).size();
    for (const Label& label : d.labels)
      gutter_ = std::max(gutter_, std::to_string(files_[label.file]->position(label.span.begin).line).size());
    const bool is_error = code.severity == Severity::Error;
    out_ += is_error ? palette_.error : palette_.warning;
    out_ += is_error ? "error[" : "warning[";
    out_ += std::string(code.id) + "]" + palette_.reset + palette_.strong + ": " + d.message +
            palette_.reset + "\n";
    place(file, start, "-->");
    frame("");
    out_ += "\n";
    excerpt(file, d.span, d.here, '^', is_error ? palette_.error : palette_.warning);
    for (const Label& label : d.labels) {
      const SourceFile& other = *files_[label.file];
      if (label.file != d.file) place(other, other.position(label.span.begin), ":::");
      excerpt(other, label.span, label.text, '-', palette_.frame);
    }
    if (!d.notes.empty() || !d.fixes.empty()) {
      frame("");
      out_ += "\n";
    }
    for (const std::string& note : d.notes) remark("note", note);
    for (const FixIt& fix : d.fixes) remark("help", fix.message);
    return std::move(out_);
  }

 private:
  void place(const SourceFile& file, LineColumn at, const char* arrow) {
    out_ += std::string(gutter_, ' ') + palette_.frame + arrow + palette_.reset + " " + file.name() + ":" +
            std::to_string(at.line) + ":" + std::to_string(at.column) + "\n";
  }

  void frame(const std::string& number) {
    out_ += palette_.frame + number + std::string(gutter_ + 1 - number.size(), ' ') + "|" + palette_.reset;
  }

  void remark(const char* kind, const std::string& text) {
    out_ += std::string(gutter_ + 1, ' ') + palette_.frame + "= " + palette_.help + kind + palette_.reset +
            ": " + text + "\n";
  }

  void excerpt(const SourceFile& file, Span span, const std::string& text, char mark, const char* colour) {
    const LineColumn start = file.position(span.begin);
    std::string_view line = file.line_text(start.line);
    std::size_t from = std::min<std::size_t>(span.begin - file.line_start(start.line), line.size());
    std::size_t to = std::min<std::size_t>(span.end - file.line_start(start.line), line.size());
    std::string before;
    if (line.size() > kWidestLine) {
      std::size_t cut = from > 60 ? from - 60 : 0;
      while (cut > 0 && (line[cut] & '\xc0') == '\x80') --cut;
      std::size_t length = std::min(kWidestLine, line.size() - cut);
      while (cut + length < line.size() && (line[cut + length] & '\xc0') == '\x80') ++length;
      line = line.substr(cut, length);
      from -= cut;
      to = std::min(to - cut, line.size());
      if (cut > 0) before = "...";
    }
    // A further mark in the line that was shown last stands below it; long lines are cut around each mark.
    const bool is_shown =
        shown_file_ == &file && shown_line_ == start.line && file.line_text(start.line).size() <= kWidestLine;
    if (!is_shown) {
      frame(std::to_string(start.line));
      out_ += (line.empty() ? "" : " ") + before + printable(line) + "\n";
    }
    shown_file_ = &file;
    shown_line_ = start.line;
    frame("");
    const std::size_t width =
        std::max<std::size_t>(1, code_points(line.substr(from, to > from ? to - from : 0)));
    out_ += " " + std::string(before.size() + code_points(line.substr(0, from)), ' ') + colour +
            std::string(width, mark) + (text.empty() ? "" : " " + text) + palette_.reset + "\n";
  }

  const Files& files_;
  const Palette& palette_;
  std::string out_;
  std::size_t gutter_ = 1;
  const SourceFile* shown_file_ = nullptr;
  std::uint32_t shown_line_ = 0;
};

std::string json_place(const SourceFile& file, Span span) {
  const LineColumn begin = file.position(span.begin);
  const LineColumn end = file.position(span.end);
  return "\"file\":" + json_quoted(file.name()) + ",\"offset\":" + std::to_string(span.begin) +
         ",\"length\":" + std::to_string(span.end - span.begin) + ",\"line\":" + std::to_string(begin.line) +
         ",\"column\":" + std::to_string(begin.column) + ",\"endLine\":" + std::to_string(end.line) +
         ",\"endColumn\":" + std::to_string(end.column);
}

template <class Items, class Print>
std::string json_array(const Items& items, Print print) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? "," : "") + print(item);
  return out + "]";
}

}  // namespace

std::string render_text(const Diagnostic& diagnostic, const Files& files, bool colours) {
  static constexpr Palette kPlain;
  return in_one_direction(TextPrinter(files, colours ? kColours : kPlain).print(diagnostic));
}

std::string render_json(const Diagnostic& d, const Files& files) {
  const CodeRow& code = row(d.code);
  return "{\"code\":" + json_quoted(code.id) + ",\"name\":" + json_quoted(code.name) +
         ",\"severity\":" + (code.severity == Severity::Error ? "\"error\"" : "\"warning\"") +
         ",\"message\":" + json_quoted(d.message) + "," + json_place(*files[d.file], d.span) +
         ",\"expected\":" + json_quoted(d.here) + ",\"labels\":" +
         json_array(d.labels,
                    [&](const Label& label) {
                      return "{" + json_place(*files[label.file], label.span) +
                             ",\"text\":" + json_quoted(label.text) + "}";
                    }) +
         ",\"notes\":" + json_array(d.notes, [](const std::string& note) { return json_quoted(note); }) +
         ",\"fixes\":" +
         json_array(d.fixes,
                    [&](const FixIt& fix) {
                      return "{" + json_place(*files[d.file], fix.span) +
                             ",\"replacement\":" + json_quoted(fix.replacement) +
                             ",\"message\":" + json_quoted(fix.message) + "}";
                    }) +
         "}";
}

}  // namespace flow
