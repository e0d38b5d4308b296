// Holes of pages and queries: whether a value can stand where they are.
#include "compiler/check/checker.hpp"
#include "compiler/check/templates.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void Checker::page_holes(NodeId node) {
  HtmlScanner scanner;
  Diagnostics told;        // mistakes in escapes, when the parts are read for good
  NodeId begun = kNoNode;  // the hole right before, when it begins an address
  bool is_wrong = false;   // told once
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::TextPiece) {
      const std::string part = decode_piece(tree_, kid, told);
      if (begun != kNoNode && HtmlScanner::may_complete_scheme(part)) {
        report(Code::UnsafeHole, begun, "what follows this value could make another scheme of it")
            .note("an address that begins with a value goes on with `/`, `?` or `#`, or ends");
        is_wrong = true;
      }
      if (!part.empty()) begun = kNoNode;
      scanner.read(part);
      continue;
    }
    const HtmlScanner::Place place = scanner.place();
    const bool is_markup = out_.type[kid] == kHtmlType;
    if (begun != kNoNode) {
      report(Code::UnsafeHole, kid,
             "two values side by side could make a scheme at the beginning of an address")
          .note("put a `/` between them, or join them before and write one hole");
      is_wrong = true;
    } else if (place == HtmlScanner::Place::Unsafe) {
      if (!is_wrong)
        report(Code::UnsafeHole, kid, "no value is safe at this place of a page").note(scanner.why());
      is_wrong = true;
    } else if (is_markup && place != HtmlScanner::Place::Text) {
      report(Code::UnsafeHole, kid,
             fmt::format("{} is `Html`, and an attribute takes text only", quoted(kid)));
      is_wrong = true;
    }
    begun = kNoNode;
    if (place == HtmlScanner::Place::AddressStart) {
      begun = kid;
      out_.address_holes.insert(kid);
    }
    scanner.take_hole();
  }
  if (const std::string open = scanner.open_end(); !open.empty() && !is_wrong) {
    const Span end{tree_.span(node).end - 1, tree_.span(node).end};
    diagnostics_.report(Code::MarkupLeftOpen, tree_.file, end, fmt::format("this text ends within {}", open))
        .note("what is put behind it would be read as a part of that; close it here");
  }
}

void Checker::query_holes(NodeId node) {
  KqlScanner scanner;
  Diagnostics told;
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::TextPiece) {
      scanner.read(decode_piece(tree_, kid, told));
      continue;
    }
    if (const std::string why = scanner.why(); !why.empty()) {
      Diagnostic& d = report(Code::UnsafeHole, kid, "no value can stand at this place of a query");
      const std::string_view source = tree_.source->text();
      const Span span = tree_.span(kid);
      const bool is_quoted = span.begin >= 2 && span.end + 2 <= source.size() &&
                             source[span.begin - 1] == '{' && source[span.begin - 2] == '\'' &&
                             source[span.end] == '}' && source[span.end + 1] == '\'';
      if (scanner.is_in_string() && is_quoted)
        d.fix({span.begin - 2, span.end + 2}, fmt::format("{{{}}}", tree_.text(kid)),
              fmt::format("write `{{{}}}` without quotes: {}", tree_.text(kid), why));
      else if (scanner.is_in_string())
        d.note(why + fmt::format("; join the texts before: `{{\"… {{{}}} …\"}}`", tree_.text(kid)));
      else
        d.note(why);
      return;  // one mistake makes others of the holes behind it
    }
    scanner.take_hole();
  }
}

}  // namespace flow
