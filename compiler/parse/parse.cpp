#include "compiler/parse/parse.hpp"

#include <string>

#include "base/text.hpp"
#include "compiler/parse/clauses.hpp"
#include "compiler/parse/direction.hpp"
#include "compiler/parse/failure.hpp"
#include "compiler/parse/recover.hpp"
#include "compiler/parse/report.hpp"

#include <fmt/format.h>

namespace flow {
namespace {

namespace pegtl = tao::pegtl;
using Input = pegtl::memory_input<pegtl::tracking_mode::lazy>;

template <class Rule>
struct Control : pegtl::normal<Rule> {
  static constexpr bool enable = true;

  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match(In& in, Builder& builder) {
    if constexpr (nesting_of < Rule >> 0) {
      builder.nesting += nesting_of<Rule>;
      if (builder.nesting > kMaxNesting * kCountedPerLevel) throw too_deep(in, builder);
      const bool matched = match_enclosed<A, M, Action, Ctl>(in, builder);
      builder.nesting -= nesting_of<Rule>;
      return matched;
    } else if constexpr (is_among<Rule, g::postfix, g::dotted_name, g::called_flow, g::tested_operation,
                                  g::run_flow, g::one_type>) {
      const int outer = std::exchange(builder.suffixes, 0);
      const bool matched = match_enclosed<A, M, Action, Ctl>(in, builder);
      builder.suffixes = outer;
      return matched;
    } else if constexpr (std::is_same_v<Rule, g::expr_statement>) {
      const std::uint32_t outer = std::exchange(builder.statement_begin, offset(in, builder));
      const bool matched = pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
      builder.statement_begin = outer;
      return matched;
    } else if constexpr (std::is_same_v<Rule, g::argument>) {
      const std::uint32_t outer = std::exchange(builder.argument_begin, offset(in, builder));
      const bool matched = pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
      builder.argument_begin = outer;
      return matched;
    } else if constexpr (std::is_same_v<Rule, g::lambda_body>) {
      ++builder.lambdas;
      const bool matched = pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
      --builder.lambdas;
      return matched;
    } else if constexpr (std::is_same_v<Rule, g::no_assignment> && A == pegtl::apply_mode::action) {
      // Behind what a statement begins with `=` assigns; anywhere else it was meant to compare.
      return builder.tree.nodes[builder.stack.back()].begin == builder.statement_begin ||
             match_enclosed<A, M, Action, Ctl>(in, builder);
    } else {
      return match_enclosed<A, M, Action, Ctl>(in, builder);
    }
  }

  template <typename In>
  [[noreturn]] static void raise(const In& in, Builder& builder) {
    static_assert(g::message<Rule> != nullptr, "a rule under must<> needs a message in grammar/messages.hpp");
    SyntaxFailure failure = failure_of<Rule>(offset(in, builder));
    failure.is_in_lambda = builder.lambdas > 0;
    if (failure.is_assignment && !builder.stack.empty()) {
      const Node& target = builder.tree.nodes[builder.stack.back()];
      failure.is_argument = target.kind == NodeKind::Ident && target.begin == builder.argument_begin;
    }
    throw failure;
  }

 private:
  template <typename In>
  static std::uint32_t offset(const In& in, const Builder& builder) {
    return static_cast<std::uint32_t>(in.current() - builder.begin);
  }

  template <typename In>
  static SyntaxFailure too_deep(const In& in, const Builder& builder) {
    return {.kind = SyntaxFailure::Kind::TooDeep,
            .mark = SyntaxFailure::Mark::Token,
            .offset = offset(in, builder)};
  }

  // Tells a closer that was not found where its opener is.
  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match_enclosed(In& in, Builder& builder) {
    if constexpr (is_enclosing<Rule>) {
      const std::uint32_t first = offset(in, builder);
      try {
        return match_shape<A, M, Action, Ctl>(in, builder);
      } catch (SyntaxFailure& failure) {
        if (failure.is_closer && failure.opener == 0xffffffff) failure.opener = first;
        throw;
      }
    } else {
      return match_shape<A, M, Action, Ctl>(in, builder);
    }
  }

  template <pegtl::apply_mode A, pegtl::rewind_mode M, template <typename...> class Action,
            template <typename...> class Ctl, typename In>
  static bool match_shape(In& in, Builder& builder) {
    if constexpr (is_recovering<Rule>)
      return match_or_recover<Rule, A, M, Action, Ctl>(in, builder);
    else if constexpr (std::is_same_v<Rule, g::comment>)
      return match_comment<A, M, Action, Ctl>(in, builder);
    else if constexpr (shape<Rule> == Shape::None)
      return pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder);
    else
      return match_node<A, M, Action, Ctl>(in, builder);
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
      if (++builder.suffixes > kMaxNesting) throw too_deep(in, builder);  // each holds the one before
      const NodeId operand = builder.stack[mark.stack - 1];
      builder.push(kind_of<Rule>, builder.tree.nodes[operand].begin, offset(in, builder), mark.stack - 1);
    } else if constexpr (shape<Rule> == Shape::End) {
      const NodeId begin = builder.stack[mark.stack - 1];
      builder.push(kind_of<Rule>, builder.tree.nodes[begin].begin, offset(in, builder), mark.stack - 1);
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

void read(Tree& tree, Diagnostics& diagnostics) {
  const std::string& text = tree.source->text();
  tree.nodes.reserve(text.size() / 6 + 16);
  tree.children.reserve(text.size() / 6 + 16);
  Builder builder{.tree = tree, .begin = text.data()};
  Input in(text.data(), text.data() + text.size(), tree.source->name());
  try {
    pegtl::parse<g::file, NoAction, Control>(in, builder);
  } catch (const SyntaxFailure& failure) {
    builder.failures.push_back(failure);
  } catch (const TooManyFailures&) {
  }
  report_failures(builder.failures, tree, diagnostics);
  report_direction_changes(tree, diagnostics);
  report_repeated_clauses(tree, diagnostics);
  if (!builder.stack.empty() && tree.kind(builder.stack.back()) == NodeKind::File)
    tree.root = builder.stack.back();
}

}  // namespace

Tree parse(std::shared_ptr<const SourceFile> source, std::uint32_t file, Diagnostics& diagnostics) {
  Tree tree;
  tree.source = std::move(source);
  tree.file = file;
  const std::string& text = tree.source->text();
  if (text.size() > kMaxSourceBytes) {
    diagnostics.report(Code::SourceTooLarge, file, {}, fmt::format("this source has {} bytes", text.size()))
        .note(fmt::format("the compiler reads up to {} MiB; a file may be split at any flow",
                          kMaxSourceBytes >> 20));
  } else if (const auto bad = invalid_utf8_at(text)) {
    const auto at = static_cast<std::uint32_t>(*bad);
    diagnostics.report(Code::InvalidUtf8, file, {at, at + 1}, "this byte is not valid UTF-8")
        .note("save the file as UTF-8");
  } else {
    read(tree, diagnostics);
  }
  if (tree.root ==
      kNoNode) {  // nothing could be read: an empty file, so that later passes need no special case
    tree.nodes.push_back(Node{.kind = NodeKind::File});
    tree.root = static_cast<NodeId>(tree.nodes.size() - 1);
  }
  return tree;
}

}  // namespace flow
