// What to say when a rule that must match does not. One message a rule: a `must<>` without a message does not
// compile.
#pragma once

#include "grammar/rules.hpp"

namespace flow::grammar {

template <class Rule>
inline constexpr const char* message = nullptr;

#define FLOW_MESSAGE(rule, text) \
  template <>                    \
  inline constexpr const char* message<rule> = text;

FLOW_MESSAGE(block_comment_end, "this comment is never closed; expected `*/`")
FLOW_MESSAGE(number_end, "a number must not run into a word; units are ms, s, m, h, d and w")
FLOW_MESSAGE(hole_expr, "expected an expression after `{`; write `{{` for a brace in text")
FLOW_MESSAGE(hole_close, "expected `}` to close the hole in this text")
FLOW_MESSAGE(text_close, "expected `\"` to close this text on its line")
FLOW_MESSAGE(block_close, "expected `\"\"\"` to close this text block")
FLOW_MESSAGE(type_argument, "expected a type")
FLOW_MESSAGE(type_arguments_close, "expected `>` after the type's arguments")
FLOW_MESSAGE(type_operand, "expected a type after `or`")
FLOW_MESSAGE(operand_expr, "expected an expression")
FLOW_MESSAGE(close_paren, "expected `)`")
FLOW_MESSAGE(close_bracket, "expected `]`")
FLOW_MESSAGE(close_brace, "expected `}`")
FLOW_MESSAGE(list_close, "expected `,` or `]` in this list")
FLOW_MESSAGE(entries_close, "expected `,` or `}` in this record")
FLOW_MESSAGE(entry_colon, "expected `:` after the key")
FLOW_MESSAGE(entry_value, "expected a value after `:`")
FLOW_MESSAGE(lambda_body, "expected an expression after `=>`")
FLOW_MESSAGE(argument_value, "expected a value after the argument's name")
FLOW_MESSAGE(arguments_close, "expected `,` or `)` in this list of arguments")
FLOW_MESSAGE(then_word, "expected `then`: an `if` in an expression reads `if c then a else b`")
FLOW_MESSAGE(else_word, "expected `else`: an `if` in an expression needs both branches")
FLOW_MESSAGE(field_name, "expected a field's name after the dot")
FLOW_MESSAGE(operand, "expected an expression after `-`")
FLOW_MESSAGE(product_operand, "expected an expression after this operator")
FLOW_MESSAGE(sum_operand, "expected an expression after this operator")
FLOW_MESSAGE(coalesce_operand, "expected an expression after `\?\?`")
FLOW_MESSAGE(compare_operand, "expected an expression after this comparison")
FLOW_MESSAGE(is_operand, "expected a type after `is`")
FLOW_MESSAGE(no_assignment, "`=` does not compare; write `==`")
FLOW_MESSAGE(not_chained, "comparisons do not chain; join them with `and`")
FLOW_MESSAGE(not_operand, "expected an expression after `not`")
FLOW_MESSAGE(and_operand, "expected an expression after `and`")
FLOW_MESSAGE(or_operand, "expected an expression after `or`")
FLOW_MESSAGE(later_expression, "")
FLOW_MESSAGE(
    loop_in_place,
    "a loop that gives a list stands right behind `=`, `return` or `yield`; write `let list = for …` first")
FLOW_MESSAGE(no_loop_policy, "")
FLOW_MESSAGE(loop_name,
             "expected a name for the item, as `for item in list { … }`; reserved words cannot be names")
FLOW_MESSAGE(loop_in, "expected `in` and a list, as `for item in list { … }`")
FLOW_MESSAGE(assigned_value, "expected a value")
FLOW_MESSAGE(return_value, "expected a value behind `return`, or the end of the block")
FLOW_MESSAGE(supported, "")
FLOW_MESSAGE(no_policy, "")
FLOW_MESSAGE(supported_declaration, "")
FLOW_MESSAGE(no_function,
             "a function stands at the top of a file; here a `}` is missing, or the function is misplaced")
FLOW_MESSAGE(block_end, "expected `}` to close this block")
FLOW_MESSAGE(block_wanted, "expected a block: `{` … `}`")
FLOW_MESSAGE(let_name, "expected a name; reserved words cannot be names")
FLOW_MESSAGE(equals_sign, "expected `=` and a value")
FLOW_MESSAGE(else_part, "expected a block or another `if` after `else`")
FLOW_MESSAGE(statement_wanted, "expected a statement")
FLOW_MESSAGE(flow_name, "expected the flow's name after `flow`")
FLOW_MESSAGE(trigger_part, "expected the rest of the trigger's name after the dot, as `alert.new`")
FLOW_MESSAGE(trigger_name, "expected a trigger after `on`, as `on alert.new`")
FLOW_MESSAGE(do_word, "expected `do` and what the flow does")
FLOW_MESSAGE(on_wanted, "expected `on` and a trigger, as `on alert.new`")
FLOW_MESSAGE(plain_wanted, "expected a text in quotes, without holes")
FLOW_MESSAGE(int_wanted, "expected a whole number")
FLOW_MESSAGE(duration_wanted, "expected a duration, as `30s` or `1h`")
FLOW_MESSAGE(name_wanted, "expected a name")
FLOW_MESSAGE(entries_wanted, "expected `{` and entries, as `{ key: value }`")
FLOW_MESSAGE(per_word, "expected `per` and a duration, as `100 per 1m`")
FLOW_MESSAGE(rate_wanted, "expected a rate, as `100 per 1m`")
FLOW_MESSAGE(enum_values_wanted, "expected `{` and the values")
FLOW_MESSAGE(field_colon, "expected `:` and a type")
FLOW_MESSAGE(record_fields_wanted, "expected `{` and the fields")
FLOW_MESSAGE(parameters_open, "expected `(`")
FLOW_MESSAGE(function_name, "expected the function's name after `fn`; reserved words cannot be names")
FLOW_MESSAGE(function_open, "expected `(` and the function's parameters, as `fn twice(n: Int) -> Int { … }`")
FLOW_MESSAGE(parameter_name, "expected a parameter, as `n: Int`, or `)`; reserved words cannot be names")
FLOW_MESSAGE(parameters_close, "expected `,` or `)` in this list of parameters")
FLOW_MESSAGE(function_body, "expected `-> Type` and what the function does: `{ … }`, or `= value`")
FLOW_MESSAGE(path_wanted, "expected the path in quotes, as `\"/api/alerts/{alert}\"`")
FLOW_MESSAGE(dotted_wanted, "expected a name, as `Machine.Isolate`")
FLOW_MESSAGE(error_arrow, "expected `=>` and an error's name, as `=> Conflict`")
FLOW_MESSAGE(call_wanted, "expected a call of a read operation")
FLOW_MESSAGE(by_word, "expected `by`")
FLOW_MESSAGE(poll_word, "expected `poll`")
FLOW_MESSAGE(until_word, "expected `until`")
FLOW_MESSAGE(k_in, "expected `in`")
FLOW_MESSAGE(final_wanted, "expected a list of final values, as `[Succeeded, Failed]`")
FLOW_MESSAGE(k_contains, "expected `contains key`")
FLOW_MESSAGE(key_word, "expected `key`")
FLOW_MESSAGE(crash_word, "expected `crash`")
FLOW_MESSAGE(crash_rule, "expected `repeat`, `ask` or `lookup`")
FLOW_MESSAGE(route_open, "expected `{`")
FLOW_MESSAGE(route_clause,
             "expected a clause of a request: GET … DELETE, SMTP, query, headers, body, permission, quota, "
             "error, on crash")
FLOW_MESSAGE(
    operation_clause,
    "expected a clause of an operation: a request, by, gives, targets, inverse, completes, source, retires")
FLOW_MESSAGE(from_wanted, "expected `from`")
FLOW_MESSAGE(fetch_word, "expected `by` and the operation that fetches it")
FLOW_MESSAGE(top_word, "expected `top`")
FLOW_MESSAGE(every_word, "expected `every`")
FLOW_MESSAGE(overlap_word, "expected `overlap`")
FLOW_MESSAGE(trigger_clause, "expected binding, entity, poll, key, cursor or filterable")
FLOW_MESSAGE(member_wanted, "expected base, auth, quota, enum, record, read, act, notify or trigger")
FLOW_MESSAGE(declaration_wanted,
             "expected a flow or a function: `flow NAME on TRIGGER …`, `on TRIGGER …` or `fn NAME(…) …`")

#undef FLOW_MESSAGE

}  // namespace flow::grammar
