// Going on after a mistake. A rule that recovers is tried as usual; when something within it must match and
// does not, the mistake is noted, the text is skipped to where the next thing of that kind can begin, a Bad
// node takes the place, and the match counts as made. So one run finds every mistake.
#pragma once

#include <string_view>

#include "compiler/parse/builder.hpp"
#include "compiler/parse/parse.hpp"

namespace flow {

struct TooManyFailures {};

enum class Resume : std::uint8_t {
  None,
  Statement,    // at `;`, at the `}` that ends the block, or on a new line that begins like a statement
  Condition,    // at `do`, or on a new line that begins like a policy
  Trigger,      // the same, or at `when`
  Arm,          // on a new line that begins like an arm of a `match`, or at its `}`
  Step,         // on a new line that begins like a step, or at the `}` of the steps
  Test,         // on a new line that begins like what a test holds, or at its `}`
  Member,       // on a new line that begins like a member of a connector, or at its `}`
  Declaration,  // on a new line that begins like a declaration
};
template <class Rule>
inline constexpr Resume resume_at = Resume::None;
template <>
inline constexpr Resume resume_at<g::r_statement> = Resume::Statement;
template <>
inline constexpr Resume resume_at<g::r_condition> = Resume::Condition;
template <>
inline constexpr Resume resume_at<g::r_policy> = Resume::Condition;
template <>
inline constexpr Resume resume_at<g::r_trigger> = Resume::Trigger;
template <>
inline constexpr Resume resume_at<g::r_arm> = Resume::Arm;
template <>
inline constexpr Resume resume_at<g::r_step> = Resume::Step;
template <>
inline constexpr Resume resume_at<g::r_test_statement> = Resume::Test;
template <>
inline constexpr Resume resume_at<g::r_member> = Resume::Member;
template <>
inline constexpr Resume resume_at<g::r_declaration> = Resume::Declaration;

template <class Rule>
inline constexpr bool is_recovering = resume_at<Rule> != Resume::None;

// Where reading goes on after a mistake at `offset` of `text`, in something that began at `first`.
std::uint32_t resume_offset(std::string_view text, std::uint32_t first, std::uint32_t offset, Resume resume);

// The name that a skipped `let`, `var`, `param` … at `first` would have declared, so that its uses are not
// told as mistakes of their own; empty when there is none.
Span declared_name(std::string_view text, std::uint32_t first, std::uint32_t end);

template <class Rule, tao::pegtl::apply_mode A, tao::pegtl::rewind_mode M,
          template <typename...> class Action, template <typename...> class Ctl, typename In>
bool match_or_recover(In& in, Builder& builder) {
  const char* const start = in.current();
  const Builder::Mark mark = builder.mark();
  try {
    if (tao::pegtl::normal<Rule>::template match<A, M, Action, Ctl>(in, builder)) return true;
    builder.cut(mark);
    return false;
  } catch (const SyntaxFailure& failure) {
    if constexpr (A == tao::pegtl::apply_mode::nothing) throw;
    builder.cut(mark);
    builder.failures.push_back(failure);
    if (builder.failures.size() >= kMaxSyntaxErrors) throw TooManyFailures{};
    const std::string_view text = builder.tree.source->text();
    const auto first = static_cast<std::uint32_t>(start - builder.begin);
    std::uint32_t next = resume_offset(text, first, failure.offset, resume_at<Rule>);
    if (next <= first) next = resume_offset(text, first, first + 1, resume_at<Rule>);  // always onwards
    in.bump(0);
    const auto here = static_cast<std::uint32_t>(in.current() - builder.begin);
    if (next > here) in.bump(next - here);
    const std::size_t children = builder.stack.size();
    const auto last = static_cast<std::uint32_t>(in.current() - builder.begin);
    if (const Span name = declared_name(text, first, last); name.end > name.begin)
      builder.push(NodeKind::Ident, name.begin, name.end, children);
    builder.push(NodeKind::Bad, first, last, children);
    return true;
  }
}

}  // namespace flow
