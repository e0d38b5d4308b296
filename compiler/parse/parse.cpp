#include "compiler/parse/parse.hpp"

#include <fmt/format.h>

#include <string>
#include <type_traits>

#include "base/text.hpp"
#include "compiler/parse/builder.hpp"
#include "compiler/parse/recover.hpp"

namespace flow {
namespace {

namespace pegtl = tao::pegtl;
using Input = pegtl::memory_input<pegtl::tracking_mode::lazy>;

template <class Rule>
constexpr bool is_not_yet_supported =
    std::is_same_v<Rule, g::supported> || std::is_same_v<Rule, g::supported_declaration> ||
    std::is_same_v<Rule, g::later_expression> || std::is_same_v<Rule, g::no_policy>;

template <class Rule>
struct Control : pegtl::normal<Rule> {
  static constexpr bool enable = true;

  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match(In& in, Builder& builder) {
    if constexpr (is_recovering<Rule>) {
      return match_or_recover<Rule, A, M, Action, Ctl>(in, builder);
    } else if constexpr (std::is_same_v<Rule, g::comment>) {
      return match_comment<A, M, Action, Ctl>(in, builder);
    } else if constexpr (shape<Rule> == Shape::None) {
      return pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
    } else if constexpr (shape<Rule> == Shape::Nest) {
      if (++builder.nesting > kMaxNesting * kCountedPerLevel)
        throw SyntaxFailure{SyntaxFailure::Kind::TooDeep, offset(in, builder), ""};
      const bool matched = pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
      --builder.nesting;
      return matched;
    } else {
      return match_node<A, M, Action, Ctl>(in, builder);
    }
  }

  template <typename In>
  [[noreturn]] static void raise(const In& in, Builder& builder) {
    static_assert(g::message<Rule> != nullptr, "a rule under must<> needs a message in grammar/messages.hpp");
    throw SyntaxFailure{
        is_not_yet_supported<Rule> ? SyntaxFailure::Kind::NotYetSupported : SyntaxFailure::Kind::Expected,
        offset(in, builder), g::message<Rule>};
  }

 private:
  // Each bracket passes two rules that count: the expression and its operand.
  static constexpr int kCountedPerLevel = 3;

  template <typename In>
  static std::uint32_t offset(const In& in, const Builder& builder) {
    return static_cast<std::uint32_t>(in.current() - builder.begin);
  }

  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match_node(In& in, Builder& builder) {
    const std::uint32_t first = offset(in, builder);
    const Builder::Mark mark = builder.mark();
    if (!pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder)) {
      builder.cut(mark);
      return false;
    }
    if constexpr (A == pegtl::apply_mode::nothing) {
      builder.cut(mark);  // within at<> and not_at<>: a look ahead leaves no nodes
    } else if constexpr (shape<Rule> == Shape::Suffix) {
      const NodeId operand = builder.stack[mark.stack - 1];
      builder.push(kind_of<Rule>, builder.tree.nodes[operand].begin, offset(in, builder), mark.stack - 1);
    } else if (shape<Rule> != Shape::Fold || builder.stack.size() - mark.stack != 1) {
      builder.push(kind_of<Rule>, first, offset(in, builder), mark.stack);
    }
    return true;
  }

  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match_comment(In& in, Builder& builder) {
    const std::uint32_t first = offset(in, builder);
    if (!pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder)) return false;
    auto& comments = builder.tree.comments;
    if (comments.empty() || comments.back().span.begin < first) {  // blanks are read again after backtracking
      const std::uint32_t last = offset(in, builder);
      const std::string_view text = builder.tree.source->slice({first, last});
      comments.push_back({{first, last}, text.starts_with("///") && !text.starts_with("////")});
    }
    return true;
  }
};

template <class Rule>
struct NoAction {};

// The end of the last word or sign before `offset`, when a line ends between them: what is missing is missing there.
Span blame(const SourceFile& source, const Tree& tree, std::uint32_t offset) {
  const std::string& text = source.text();
  std::uint32_t last = offset;
  bool passed_line = offset >= text.size();
  for (bool moved = true; moved;) {
    moved = false;
    while (last > 0 && (text[last - 1] == ' ' || text[last - 1] == '\t' || text[last - 1] == '\n' || text[last - 1] == '\r')) {
      passed_line = passed_line || text[last - 1] == '\n';
      --last;
      moved = true;
    }
    for (const Comment& comment : tree.comments)
      if (comment.span.end == last && last > 0) {
        last = comment.span.begin;
        moved = true;
      }
  }
  if (passed_line && last > 0) return {last - 1, last};
  std::uint32_t end = offset;
  if (end < text.size() && g::is_word_start(text[end]))
    while (end < text.size() && g::is_word_char(text[end])) ++end;
  else if (end < text.size())
    do ++end;
    while (end < text.size() && (text[end] & '\xc0') == '\x80');
  return {offset, end};
}

void report(const SyntaxFailure& failure, const Tree& tree, Diagnostics& diagnostics) {
  const SourceFile& source = *tree.source;
  const Span span = blame(source, tree, failure.offset);
  const std::string found(source.slice(span));
  switch (failure.kind) {
    case SyntaxFailure::Kind::TooDeep:
      diagnostics.report(Code::NestedTooDeeply, tree.file, span, "brackets or blocks are nested too deeply here")
          .note(fmt::format("the limit is {} levels; name a part with `let` and use the name", kMaxNesting));
      return;
    case SyntaxFailure::Kind::NotYetSupported:
      diagnostics
          .report(Code::NotYetSupported, tree.file, span,
                  fmt::format("`{}` is part of the language, but this version of Flow does not compile it yet", found))
          .note("docs/language.md says what this version compiles");
      return;
    case SyntaxFailure::Kind::Expected: {
      const bool at_token = span.begin == failure.offset && span.end > span.begin;
      Diagnostic& d = diagnostics.report(Code::SyntaxError, tree.file, span, failure.message);
      if (at_token && g::is_keyword(found)) d.expecting(fmt::format("`{}` is a reserved word", found));
      return;
    }
  }
}

}  // namespace

Tree parse(std::shared_ptr<const SourceFile> source, std::uint32_t file, Diagnostics& diagnostics) {
  Tree tree;
  tree.source = std::move(source);
  tree.file = file;
  const std::string& text = tree.source->text();
  if (text.size() > kMaxSourceBytes) {
    diagnostics.report(Code::SourceTooLarge, file, {}, fmt::format("this source has {} MiB", text.size() >> 20))
        .note(fmt::format("the compiler reads up to {} MiB", kMaxSourceBytes >> 20));
  } else if (const auto bad = invalid_utf8_at(text)) {
    const auto at = static_cast<std::uint32_t>(*bad);
    diagnostics.report(Code::InvalidUtf8, file, {at, at + 1}, "this byte is not valid UTF-8")
        .note("save the file as UTF-8");
  } else {
    tree.nodes.reserve(text.size() / 6 + 16);
    tree.children.reserve(text.size() / 6 + 16);
    Builder builder{tree, text.data(), {}, {}, 0};
    Input in(text.data(), text.data() + text.size(), tree.source->name());
    try {
      pegtl::parse<g::file, NoAction, Control>(in, builder);
    } catch (const SyntaxFailure& failure) {
      builder.failures.push_back(failure);
    } catch (const TooManyFailures&) {
    }
    for (const SyntaxFailure& failure : builder.failures) report(failure, tree, diagnostics);
    if (builder.failures.size() >= kMaxSyntaxErrors)
      diagnostics.report(Code::TooManyErrors, file, {}, fmt::format("too many mistakes; stopped after {}", kMaxSyntaxErrors));
    if (!builder.stack.empty() && tree.kind(builder.stack.back()) == NodeKind::File) tree.root = builder.stack.back();
  }
  if (tree.root == kNoNode) {  // nothing could be read: an empty file, so that later passes need no special case
    tree.nodes.push_back(Node{.kind = NodeKind::File});
    tree.root = static_cast<NodeId>(tree.nodes.size() - 1);
  }
  return tree;
}

}  // namespace flow
