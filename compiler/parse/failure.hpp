// How the failure of a rule under must<> is told: what is marked, and what more can be said.
#pragma once

#include <type_traits>

#include "compiler/parse/builder.hpp"

namespace flow {

template <class Rule, class... Among>
inline constexpr bool is_among = (std::is_same_v<Rule, Among> || ...);

// A list's next thing was wanted, or a word is not what it should be: the word itself is wrong, nothing is
// missing.
template <class Rule>
inline constexpr bool marks_token =
    is_among<Rule, g::no_assignment, g::no_policy, g::no_foreign_word, g::not_chained, g::no_function,
             g::loop_in_place, g::call_in_place, g::known_trigger, g::on_error_choice, g::arm_wanted,
             g::value_arm_wanted, g::step_wanted, g::test_statement, g::member_wanted, g::declaration_wanted,
             g::statement_wanted, g::operation_clause, g::route_clause, g::trigger_clause>;

// Closers of what may span lines. The opener is marked when the end of the file is no help.
template <class Rule>
inline constexpr bool marks_opener = is_among<Rule, g::block_close, g::block_comment_end>;
template <class Rule>
inline constexpr bool is_closer =
    marks_opener<Rule> ||
    is_among<Rule, g::block_end, g::no_function, g::close_paren, g::close_bracket, g::close_brace,
             g::match_close, g::steps_close, g::test_close, g::values_close, g::fields_close, g::list_close,
             g::entries_close, g::arguments_close>;
// The rules that such a closer ends; each begins with its opener.
template <class Rule>
inline constexpr bool is_enclosing =
    is_among<Rule, g::block, g::text_block, g::html_lit, g::kql_lit, g::block_comment, g::list_lit,
             g::record_lit, g::paren_expr, g::call, g::index, g::connector, g::operation, g::match_statement,
             g::match_expr, g::steps, g::test, g::enum_values, g::record_fields>;

template <class Rule>
constexpr SyntaxFailure failure_of(std::uint32_t offset) {
  using Mark = SyntaxFailure::Mark;
  return {.kind = SyntaxFailure::Kind::Expected,
          .mark = marks_opener<Rule>                    ? Mark::Opener
                  : marks_token<Rule>                   ? Mark::Token
                  : std::is_same_v<Rule, g::number_end> ? Mark::Number
                                                        : Mark::Gap,
          .offset = offset,
          .message = g::message<Rule>,
          .wants_name =
              is_among<Rule, g::let_name, g::flow_name, g::trigger_wanted, g::operand_expr, g::argument_value,
                       g::entry_value, g::statement_wanted, g::loop_name, g::function_name, g::parameter_name,
                       g::assigned_value, g::return_value, g::type_declared, g::match_subject, g::param_name,
                       g::secret_name, g::module_alias, g::binding_name>,
          .wants_separator = is_among<Rule, g::arguments_close, g::list_close, g::entries_close,
                                      g::values_close, g::fields_close>,
          .is_assignment = std::is_same_v<Rule, g::no_assignment>,
          .is_closer = is_closer<Rule>};
}

}  // namespace flow
