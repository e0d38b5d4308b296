// What the compiler says about a source: data first. The terminal, JSON and an editor are printers of the
// same value.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.hpp"
#include "base/span.hpp"

namespace flow {

enum class Code : std::uint16_t {
#define FLOW_DIAGNOSTIC(number, name, severity, title) name,
#include "base/diagnostics.def"
#undef FLOW_DIAGNOSTIC
};
enum class Severity : std::uint8_t { Error, Warning };

struct CodeRow {
  Code code;
  std::string_view id;    // `F0204`
  std::string_view name;  // `UnknownEnumValue`
  Severity severity;
  std::string_view title;
};
const CodeRow& row(Code code);
std::vector<CodeRow> all_codes();

struct Label {
  Span span;
  std::string text;
  std::uint32_t file = 0;  // index among the printed files
};
struct FixIt {
  Span span;  // empty: insert
  std::string replacement;
  std::string message;  // "did you mean `High`?"
};

struct Diagnostic {
  Code code = Code::SyntaxError;
  std::uint32_t file = 0;
  Span span;
  std::string message;        // starts lower case, no full stop, the user's text in backticks
  std::string here;           // a few words under the mark: what would be accepted
  std::vector<Label> labels;  // other places, each with a few words
  std::vector<std::string> notes;
  std::vector<FixIt> fixes;

  Diagnostic& expecting(std::string text) { return here = std::move(text), *this; }
  Diagnostic& label(Span where, std::string text) {
    return labels.push_back({where, std::move(text), file}), *this;
  }
  Diagnostic& note(std::string text) { return notes.push_back(std::move(text)), *this; }
  Diagnostic& fix(Span where, std::string replacement, std::string text) {
    return fixes.push_back({where, std::move(replacement), std::move(text)}), *this;
  }
};

// Collects what one compilation finds. References given by report() are valid until the next report().
class Diagnostics {
 public:
  Diagnostic& report(Code code, std::uint32_t file, Span span, std::string message);

  const std::vector<Diagnostic>& all() const { return all_; }
  bool has_errors() const { return errors_ != 0; }
  std::size_t errors() const { return errors_; }
  std::size_t warnings() const { return all_.size() - errors_; }
  void sort_by_place();
  // Lets `change` move each to another place; it may not change the code.
  template <class Change>
  void relocate(Change change) {
    for (Diagnostic& diagnostic : all_) change(diagnostic);
  }

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

// `files[i]` is the text that file number i of the diagnostics speaks of.
using Files = std::vector<std::shared_ptr<const SourceFile>>;

std::string render_text(const Diagnostic& diagnostic, const Files& files, bool colours);
// One JSON object: code, severity, message, file, span with lines and columns, labels, notes, fixes.
std::string render_json(const Diagnostic& diagnostic, const Files& files);

}  // namespace flow
