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
FLOW_MESSAGE(
    loop_in_place,
    "a loop that gives a list stands right behind `=`, `return` or `yield`; write `let list = for …` first")
FLOW_MESSAGE(loop_name,
             "expected a name for the item, as `for item in list { … }`; reserved words cannot be names")
FLOW_MESSAGE(loop_in, "expected `in` and a list, as `for item in list { … }`")
FLOW_MESSAGE(assigned_value, "expected a value")
FLOW_MESSAGE(return_value, "expected a value behind `return`, or the end of the block")
FLOW_MESSAGE(no_function,
             "a function stands at the top of a file; here a `}` is missing, or the function is misplaced")
FLOW_MESSAGE(block_end, "expected `}` to close this block")
FLOW_MESSAGE(block_wanted, "expected a block: `{` … `}`")
FLOW_MESSAGE(let_name, "expected a name; reserved words cannot be names")
FLOW_MESSAGE(equals_sign, "expected `=` and a value")
FLOW_MESSAGE(else_part, "expected a block or another `if` after `else`")
FLOW_MESSAGE(no_policy, "policies stand before `do`, behind the trigger and its condition")
FLOW_MESSAGE(no_foreign_word, "this is no word of Flow")
FLOW_MESSAGE(statement_wanted, "expected a statement")
FLOW_MESSAGE(flow_name, "expected the flow's name after `flow`")
FLOW_MESSAGE(trigger_part, "expected the rest of the trigger's name after the dot, as `alert.new`")
FLOW_MESSAGE(trigger_wanted, "expected a trigger after `on`, as `on alert.new` or `on every 15m`")
FLOW_MESSAGE(known_trigger,
             "there is no such trigger; expected one of a connector, as `alert.new`, or `every 15m`, "
             "`cron \"0 7 * * *\"`, `hunt(kql\"…\") every 1h`, `webhook \"name\" (payload: Record)`, "
             "`manual (host: String)`, `call (host: String) -> Bool`, `run.failed`, `stream \"topic\" "
             "(event: Record)`")
FLOW_MESSAGE(trigger_interval, "expected how often, as `on every 15m`")
FLOW_MESSAGE(up_word, "expected `catch up` and `none`, `last` or `all`")
FLOW_MESSAGE(catch_up_kind, "expected which missed times are made up for: `none`, `last` or `all`")
FLOW_MESSAGE(cron_schedule,
             "expected the five fields of a schedule in quotes, as `on cron \"0 7 * * MON-FRI\"`")
FLOW_MESSAGE(cron_zone, "expected a time zone in quotes, as `in \"Europe/Berlin\"`")
FLOW_MESSAGE(hunt_open, "expected `(` and a query, as `on hunt(kql\"DeviceEvents | …\") every 1h`")
FLOW_MESSAGE(hunt_query, "expected a query, as `on hunt(kql\"DeviceEvents | …\") every 1h`")
FLOW_MESSAGE(hunt_interval, "expected how often the query runs, as `every 1h`")
FLOW_MESSAGE(event_open, "expected what arrives and its type, as `(payload: Finding)`")
FLOW_MESSAGE(hook_name, "expected the hook's name in quotes, as `on webhook \"findings\" (payload: Finding)`")
FLOW_MESSAGE(topic_name, "expected the topic's name in quotes, as `on stream \"alerts\" (event: Finding)`")
FLOW_MESSAGE(failed_flow, "expected the name of a flow, as `on run.failed of isolate_host`")
FLOW_MESSAGE(once_what,
             "expected `per` and what makes two firings the same, as `once per machineId within 24h`")
FLOW_MESSAGE(once_key, "expected what makes two firings the same, as `once per machineId within 24h`")
FLOW_MESSAGE(once_within, "expected `within` and a duration, as `once per machineId within 24h`")
FLOW_MESSAGE(limited_operation, "expected an operation, as `limit isolate to 10 per 1h`")
FLOW_MESSAGE(to_word, "expected `to` and how many calls, as `limit isolate to 10 per 1h`")
FLOW_MESSAGE(limit_per, "expected `per` and a duration, as `limit isolate to 10 per 1h`")
FLOW_MESSAGE(limit_else, "expected what happens over the limit: `ask \"lead@contoso.com\"`, `fail` or `skip`")
FLOW_MESSAGE(priority_level, "expected `low`, `normal` or `high`")
FLOW_MESSAGE(tenants_word, "expected `tenants` and a list, as `in tenants [\"contoso\"]`")
FLOW_MESSAGE(tenants_list, "expected a list of tenants, as `in tenants [\"contoso\"]`")
FLOW_MESSAGE(dry_word, "expected `dry run`")
FLOW_MESSAGE(most_word, "expected `most`, as `at most 8 at once`")
FLOW_MESSAGE(at_word, "expected `at once`, as `at most 8 at once`")
FLOW_MESSAGE(once_word, "expected `at once`, as `at most 8 at once`")
FLOW_MESSAGE(times_word, "expected `times`, as `3 times`")
FLOW_MESSAGE(count_value, "expected a number")
FLOW_MESSAGE(duration_value, "expected a duration, as `30s`, `15m` or `24h`")
FLOW_MESSAGE(on_error_choice, "a loop takes `on error collect` or `on error stop` before its block")
FLOW_MESSAGE(repeat_block, "expected how often and a block, as `repeat every 30s at most 10 times { … }`")
FLOW_MESSAGE(until_condition, "expected a condition after `until`, as `until action.status == Succeeded`")
FLOW_MESSAGE(call_in_place,
             "`await` and `attempt` begin a statement, or stand right behind `=`, `return` or `yield`; write "
             "`let x = await …` first")
FLOW_MESSAGE(awaited_call, "expected a call after `await`, as `await isolate(machineId) within 30m`")
FLOW_MESSAGE(attempted, "expected a call after `attempt`, as `attempt isolate(machineId)`")
FLOW_MESSAGE(called_flow, "expected a flow with its arguments in brackets, as `call other_flow(host: name)`")
FLOW_MESSAGE(match_subject, "expected what `match` chooses by, as `match severity { High => …, _ => … }`")
FLOW_MESSAGE(match_open,
             "expected `{` and what to do for each value, as `match severity { High => …, _ => … }`")
FLOW_MESSAGE(match_close, "expected `}` to close this `match`")
FLOW_MESSAGE(pattern_wanted, "expected another value after the comma, as `High, Medium => …`")
FLOW_MESSAGE(range_end, "expected the end of the range, as `1..5`")
FLOW_MESSAGE(binding_name, "expected a name after `as`; reserved words cannot be names")
FLOW_MESSAGE(arm_arrow, "expected `=>` and what to do then, as `High => …`")
FLOW_MESSAGE(arm_value, "expected a value after `=>`")
FLOW_MESSAGE(arm_body, "expected a statement or a block after `=>`")
FLOW_MESSAGE(value_arm_wanted, "expected a value and `=>`, as `High, Medium => 1`, or `}`")
FLOW_MESSAGE(arm_wanted, "expected a value and `=>`, as `High, Medium => log \"…\"`, or `}`")
FLOW_MESSAGE(cast_type, "expected a type after `as`")
FLOW_MESSAGE(wait_value, "expected how long, as `wait 15m`, or `wait until` and a time")
FLOW_MESSAGE(handlers, "expected `catch` or `finally` after the block, as `try { … } catch e { … }`")
FLOW_MESSAGE(kind_wanted, "expected the name of an error, as `catch e: NotFound { … }`")
FLOW_MESSAGE(catch_block, "expected a block after `catch`, as `catch e { … }` or `catch e: NotFound { … }`")
FLOW_MESSAGE(steps_open, "expected `{` and steps, as `steps { cut: isolate(machineId) }`")
FLOW_MESSAGE(steps_close, "expected `}` to close these steps")
FLOW_MESSAGE(step_wanted, "expected a step, as `cut: isolate(machineId) after scan`, or `}`")
FLOW_MESSAGE(step_colon, "expected `:` and the step's call, as `cut: isolate(machineId)`")
FLOW_MESSAGE(step_call, "expected the step's call, as `cut: isolate(machineId)`")
FLOW_MESSAGE(before_name, "expected the name of a step, as `after cut failed or timed out`")
FLOW_MESSAGE(status_wanted, "expected `succeeded`, `failed`, `timed out` or `skipped`")
FLOW_MESSAGE(do_word, "expected `do` and what the flow does")
FLOW_MESSAGE(on_wanted, "expected `on` and a trigger, as `on alert.new`")
FLOW_MESSAGE(plain_wanted, "expected a text in quotes, without holes")
FLOW_MESSAGE(int_wanted, "expected a whole number")
FLOW_MESSAGE(duration_wanted, "expected a duration, as `30s` or `1h`")
FLOW_MESSAGE(name_wanted, "expected a name")
FLOW_MESSAGE(entries_wanted, "expected `{` and entries, as `{ key: value }`")
FLOW_MESSAGE(per_word, "expected `per` and a duration, as `100 per 1m`")
FLOW_MESSAGE(rate_wanted, "expected a rate, as `100 per 1m`")
FLOW_MESSAGE(enum_values_wanted, "expected `{` and the values, as `enum Level { Low, High }`")
FLOW_MESSAGE(field_colon, "expected `:` and a type")
FLOW_MESSAGE(values_close, "expected `,` or `}` in this list of values")
FLOW_MESSAGE(fields_close, "expected `,` or `}` in this list of fields")
FLOW_MESSAGE(type_declared,
             "expected the type's name, as `record Finding { … }`; reserved words cannot be names")
FLOW_MESSAGE(record_fields_wanted,
             "expected `{` and the fields, as `record Finding { host: String, score: Int = 0 }`")
FLOW_MESSAGE(parameters_open, "expected `(`")
FLOW_MESSAGE(function_name, "expected the function's name after `fn`; reserved words cannot be names")
FLOW_MESSAGE(function_open, "expected `(` and the function's parameters, as `fn twice(n: Int) -> Int { … }`")
FLOW_MESSAGE(parameter_name, "expected a parameter, as `n: Int`, or `)`; reserved words cannot be names")
FLOW_MESSAGE(parameters_close, "expected `,` or `)` in this list of parameters")
FLOW_MESSAGE(function_body, "expected `-> Type` and what the function does: `{ … }`, or `= value`")
FLOW_MESSAGE(native_name, "expected the function's name after `native fn`")
FLOW_MESSAGE(native_parameter_name, "expected a parameter, as `n: Int`, or `)`")
FLOW_MESSAGE(type_parameter, "expected a name for the type, as `native fn first<T>(list: List<T>) -> T?`")
FLOW_MESSAGE(type_parameters_close, "expected `,` or `>` in this list of types")
FLOW_MESSAGE(native_type, "expected a type, as `List<T>`, or a function's, as `T => Bool`")
FLOW_MESSAGE(param_name,
             "expected the parameter's name, as `param soc: Email`; reserved words cannot be names")
FLOW_MESSAGE(param_colon, "expected `:` and the parameter's type, as `param soc: Email`")
FLOW_MESSAGE(secret_name, "expected the secret's name, as `secret vt_key`; reserved words cannot be names")
FLOW_MESSAGE(used_module, "expected a module, as `use notify` or `use \"lib/notify.flow\" as notify`")
FLOW_MESSAGE(module_alias, "expected a name after `as`; reserved words cannot be names")
FLOW_MESSAGE(test_name,
             "expected what the test shows, in quotes, as `test \"a VIP is never isolated\" { … }`")
FLOW_MESSAGE(test_open, "expected `{` and what is given and expected")
FLOW_MESSAGE(test_close, "expected `}` to close this test")
FLOW_MESSAGE(
    test_statement,
    "expected `given …`, `run`, `after 2h` or `expect …`, as `given alert { severity: High }` or `expect "
    "isolate(machineId) once`")
FLOW_MESSAGE(given_name,
             "expected what is given, as `given alert { severity: High }` or `given isolate fails Conflict`")
FLOW_MESSAGE(given_value,
             "expected a value, as `given alert { severity: High }` or `given get_alert returns { … }`")
FLOW_MESSAGE(given_param_name, "expected a parameter's name, as `given param soc = \"soc@contoso.com\"`")
FLOW_MESSAGE(failure_kind, "expected the name of an error, as `given isolate fails Conflict once`")
FLOW_MESSAGE(
    expectation,
    "expected what should have happened, as `expect isolate(machineId) once`, `expect no actions` or "
    "`expect failed`")
FLOW_MESSAGE(next_operation, "expected the call that comes next, as `expect isolate then mail`")
FLOW_MESSAGE(path_wanted, "expected the path in quotes, as `\"/api/alerts/{alert}\"`")
FLOW_MESSAGE(dotted_wanted, "expected a name, as `Machine.Isolate`")
FLOW_MESSAGE(bytes_word, "expected `bytes`, as `4_000_000 bytes`")
FLOW_MESSAGE(
    allow_comma,
    "expected `,` and the setting that lists what else is allowed, as `allow from in sender, senders`")
FLOW_MESSAGE(method_wanted, "expected the second request, as `then POST \"/drafts/{result.id}/send\"`")
FLOW_MESSAGE(upload_dot, "expected `.` and the field with the bytes, as `attachments.content`")
FLOW_MESSAGE(above_word, "expected `above` and a number of bytes")
FLOW_MESSAGE(discard_word, "expected `discard` and the path of what the first request made")
FLOW_MESSAGE(as_item, "expected `as` and a name for the item")
FLOW_MESSAGE(error_arrow, "expected `=>` and an error's name, as `=> Conflict`")
FLOW_MESSAGE(call_wanted, "expected a call of a read operation")
FLOW_MESSAGE(by_word, "expected `by`")
FLOW_MESSAGE(poll_word, "expected `poll`")
FLOW_MESSAGE(until_word, "expected `until`")
FLOW_MESSAGE(of_word, "expected `of` and how many one call asks for at most")
FLOW_MESSAGE(where_word, "expected `where` and the field that tells the elements apart")
FLOW_MESSAGE(k_in, "expected `in`")
FLOW_MESSAGE(final_wanted, "expected a list of final values, as `[Succeeded, Failed]`")
FLOW_MESSAGE(k_contains, "expected `contains key`")
FLOW_MESSAGE(key_word, "expected `key`")
FLOW_MESSAGE(crash_word, "expected `crash`")
FLOW_MESSAGE(crash_rule, "expected `repeat`, `ask` or `lookup`")
FLOW_MESSAGE(route_open, "expected `{`")
FLOW_MESSAGE(
    route_clause,
    "expected a clause of a request: GET … DELETE, SMTP, MAIL, RUNTIME, EGRESS, query, headers, body, form, "
    "multipart, pages, permission, quota, error, size, allow, upload, then, on crash")
FLOW_MESSAGE(operation_clause,
             "expected a clause of an operation: a request, by, gives, targets, inverse, completes, several, "
             "source, retires")
FLOW_MESSAGE(limit_word, "expected `limit` and how many pages are read at most")
FLOW_MESSAGE(from_wanted, "expected `from`")
FLOW_MESSAGE(fetch_word, "expected `by` and the operation that fetches it")
FLOW_MESSAGE(top_word, "expected `top`")
FLOW_MESSAGE(every_word, "expected `every`")
FLOW_MESSAGE(overlap_word, "expected `overlap`")
FLOW_MESSAGE(cursor_path,
             "expected a field, or where the time stands in an event, as `\"properties/changed\"`")
FLOW_MESSAGE(trigger_clause, "expected binding, entity, poll, key, cursor or filterable")
FLOW_MESSAGE(member_wanted, "expected base, auth, quota, enum, record, read, act, notify or trigger")
FLOW_MESSAGE(declaration_wanted,
             "expected a flow or a function: `flow NAME on TRIGGER …`, `on TRIGGER …` or `fn NAME(…) …`")

#undef FLOW_MESSAGE

}  // namespace flow::grammar
