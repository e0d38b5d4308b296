// Statements, and the values that they keep.
#pragma once

#include "grammar/rules/expressions.hpp"

namespace flow::grammar {

// ---- Blocks ---------------------------------------------------------------------------------------------------------

struct statement;
struct block_open : one<'{'> {};
struct block_end : one<'}'> {};
struct r_statement : seq<statement> {};
// What may not begin a statement ends the list; anything else must be one, so that stray text is reported.
struct list_end : sor<eof, one<'}'>> {};
struct declaration_word
    : sor<k_flow, seq<k_on, not_at<ws, w_undo>>, k_fn, k_connector, TAO_PEGTL_KEYWORD("param"), TAO_PEGTL_KEYWORD("secret"),
          TAO_PEGTL_KEYWORD("record"), TAO_PEGTL_KEYWORD("enum"), TAO_PEGTL_KEYWORD("use"), TAO_PEGTL_KEYWORD("test"),
          seq<TAO_PEGTL_KEYWORD("ordered"), ws, TAO_PEGTL_KEYWORD("enum")>> {};
struct separator : one<';'> {};
struct statements : star<seq<star<ws, separator>, ws, not_at<sor<list_end, declaration_word>>, r_statement>> {};
struct no_function : not_at<k_fn> {};
struct block : seq<block_open, statements, star<ws, separator>, ws, must<no_function>, must<block_end>> {};
struct block_wanted : seq<block> {};

// ---- Clauses that several constructs share ---------------------------------------------------------------------------

struct most_word : seq<w_most> {};
struct at_word : seq<w_at> {};
struct once_word : seq<w_once> {};
struct at_most : seq<w_at, ws, must<most_word>, ws, must<count_value>> {};
struct at_once : seq<at_most, ws, must<at_word>, ws, must<once_word>> {};
struct times_word : seq<w_times> {};
struct at_most_times : seq<at_most, ws, must<times_word>> {};
struct within : seq<w_within, ws, must<duration_value>> {};
struct every : seq<w_every, ws, must<duration_value>> {};

// ---- Loops ----------------------------------------------------------------------------------------------------------

struct loop_name : seq<ident> {};
struct loop_in : seq<k_in> {};
struct on_error_collect : seq<k_on, ws, k_error, ws, TAO_PEGTL_KEYWORD("collect")> {};
struct on_error_stop : seq<k_on, ws, k_error, ws, k_stop> {};
struct on_error_choice : sor<on_error_collect, on_error_stop> {};
struct loop_on_error : seq<at<k_on, ws, k_error>, must<on_error_choice>> {};
struct truncate : TAO_PEGTL_KEYWORD("truncate") {};
struct loop_limit : seq<TAO_PEGTL_KEYWORD("limit"), ws, must<count_value>, opt<ws, truncate>> {};
struct loop_clause : sor<at_once, loop_on_error, loop_limit> {};
struct loop : seq<k_for, ws, must<loop_name>, opt<ws, one<','>, ws, must<loop_name>>, ws, must<loop_in>, ws,
                  must<operand_expr>, star<ws, loop_clause>, ws, must<block_wanted>> {};
struct for_statement : seq<loop> {};
struct for_expr : seq<loop> {};

struct k_until : seq<w_until, not_at<ws, one<'=', '.'>>> {};
struct until_condition : seq<not_at<one<'{'>>, expr> {};
struct until_clause : seq<k_until, ws, must<until_condition>> {};
struct repeat_clause : sor<every, within, at_most_times> {};
struct repeat_block : seq<block> {};
struct repeat_statement : seq<TAO_PEGTL_KEYWORD("repeat"), star<ws, repeat_clause>, ws, must<repeat_block>,
                              opt<ws, until_clause>, opt<ws, k_else, ws, must<block_wanted>>> {};

// ---- Calls and how they are made: what stands behind `=`, `return` and `yield`, or as a statement -----------------------

// A value must follow, so that `retry(…)` and `timeout = …` on the next line are statements of their own.
struct value_ahead : at<ws, sor<digit, ident>> {};
struct retry : seq<TAO_PEGTL_KEYWORD("retry"), value_ahead, ws, must<count_value>> {};
struct backoff : seq<TAO_PEGTL_KEYWORD("backoff"), value_ahead, ws, must<duration_value>,
                     opt<ws, two<'.'>, ws, must<duration_value>>> {};
struct timeout : seq<TAO_PEGTL_KEYWORD("timeout"), value_ahead, ws, must<duration_value>> {};
struct lease : seq<TAO_PEGTL_KEYWORD("lease"), value_ahead, ws, must<duration_value>> {};
struct else_value : seq<k_else, ws, must<operand_expr>> {};
struct call_within : seq<at<w_within, value_ahead>, within, opt<ws, else_value>> {};
struct modifier : seq<at<one<'r', 'b', 't', 'l', 'w'>>, sor<retry, backoff, timeout, lease, call_within>> {};

struct awaited_call : seq<postfix> {};
struct await_call : seq<k_await, ws, must<awaited_call>> {};
struct called_flow : seq<dotted_name, gap, call> {};
struct flow_ahead : at<plus<blank>, ident> {};
struct call_flow : seq<TAO_PEGTL_KEYWORD("call"), flow_ahead, ws, must<called_flow>> {};
struct start_flow : seq<TAO_PEGTL_KEYWORD("start"), flow_ahead, ws, must<called_flow>> {};
struct flow_call : seq<at<one<'a', 'c', 's'>>, sor<await_call, call_flow, start_flow>> {};
struct modified : seq<sor<flow_call, expr>, star<ws, modifier>> {};
struct attempted : seq<modified> {};
struct attempt : seq<k_attempt, ws, must<attempted>> {};
struct assigned_value : sor<for_expr, attempt, modified> {};

// ---- Statements that keep or give a value ----------------------------------------------------------------------------

struct let_name : seq<ident> {};
struct equals_sign : seq<one<'='>, not_at<one<'=', '>'>>> {};
struct named_value : seq<must<let_name>, ws, opt<one<':'>, ws, must<type_argument>, ws>, must<equals_sign>, ws,
                         must<assigned_value>> {};
struct let : seq<k_let, ws, named_value> {};
struct var : seq<k_var, ws, named_value> {};
struct yield_statement : seq<k_yield, ws, must<assigned_value>> {};
struct return_value : sor<for_expr, attempt, modified> {};
struct k_parallel : TAO_PEGTL_KEYWORD("parallel") {};
struct k_wait : TAO_PEGTL_KEYWORD("wait") {};
struct k_try : TAO_PEGTL_KEYWORD("try") {};
struct k_steps : TAO_PEGTL_KEYWORD("steps") {};
// Without a value when the block ends behind it, or what follows can only be a statement or the next arm of a `match`.
struct return_end : sor<list_end, separator, declaration_word, k_on, k_let, k_var, k_log, k_stop, k_fail, k_yield, k_return,
                        k_parallel, k_wait, k_try, k_steps, TAO_PEGTL_KEYWORD("repeat"), next_arm> {};
struct return_statement : seq<k_return, sor<at<ws, return_end>, seq<ws, must<return_value>>>> {};
// A statement that begins with an expression: it ends there, or what was read is assigned to. `no_assignment` lets the
// `=` pass behind what a statement begins with.
struct expr_end : success {};
struct assignment_end : seq<op_assign, ws, must<assigned_value>> {};
struct expr_statement : sor<seq<attempt, expr_end>, seq<modified, sor<seq<ws, assignment_end>, expr_end>>> {};

// ---- Statements that choose ------------------------------------------------------------------------------------------

struct if_statement;
struct else_part : sor<if_statement, block> {};
struct if_statement : seq<k_if, ws, must<operand_expr>, ws, must<block_wanted>,
                          opt<ws, k_else, ws, must<else_part>>> {};
struct lone_statement : seq<not_at<list_end>, statement> {};
struct arm_body : sor<block, lone_statement> {};
struct arm : seq<patterns, ws, must<arm_arrow>, ws, must<arm_body>> {};
struct arm_wanted : seq<arm> {};
struct r_arm : seq<must<arm_wanted>> {};
struct match_statement : seq<match_head, star<ws, not_at<arms_end>, r_arm, opt<ws, arm_separator>>, ws, must<match_close>> {};

// ---- Statements that run others ---------------------------------------------------------------------------------------

struct parallel_any : seq<k_parallel, ws, TAO_PEGTL_KEYWORD("any"), ws, must<block_wanted>> {};
struct parallel : seq<k_parallel, ws, must<block_wanted>> {};

struct timed_out : seq<TAO_PEGTL_KEYWORD("timed"), ws, TAO_PEGTL_KEYWORD("out")> {};
// Not the name of the step that follows.
struct step_status : seq<sor<TAO_PEGTL_KEYWORD("succeeded"), TAO_PEGTL_KEYWORD("failed"), timed_out,
                             TAO_PEGTL_KEYWORD("skipped")>,
                         not_at<ws, one<':'>>> {};
struct status_wanted : seq<step_status> {};
struct before_name : seq<ident> {};
struct after_step : seq<must<before_name>, opt<ws, step_status, star<ws, k_or, ws, must<status_wanted>>>> {};
struct after_clause : seq<w_after, ws, after_step, star<ws, one<','>, ws, not_at<ident, ws, one<':'>>, not_at<one<'}'>>, after_step>> {};
struct step_colon : one<':'> {};
struct step_call : sor<attempt, modified> {};
struct step : seq<ident, ws, must<step_colon>, ws, must<step_call>, opt<ws, after_clause>> {};
struct step_wanted : seq<step> {};
struct r_step : seq<must<step_wanted>> {};
struct steps_open : one<'{'> {};
struct steps_close : one<'}'> {};
struct steps : seq<k_steps, ws, must<steps_open>, star<ws, not_at<arms_end>, r_step, opt<ws, arm_separator>>, ws,
                   must<steps_close>> {};

struct error_name : seq<ident> {};
struct error_kind : seq<word_rule<true>> {};
struct kind_wanted : seq<error_kind> {};
struct catch_block : seq<block> {};
struct catch_kinds : seq<one<':'>, ws, must<kind_wanted>, star<ws, k_or, ws, must<kind_wanted>>> {};
struct catch_clause : seq<k_catch, ws, opt<error_name, ws, opt<catch_kinds, ws>>, must<catch_block>> {};
struct finally_clause : seq<TAO_PEGTL_KEYWORD("finally"), ws, must<block_wanted>> {};
struct handlers : sor<seq<catch_clause, star<ws, catch_clause>, opt<ws, finally_clause>>, finally_clause> {};
struct try_statement : seq<k_try, ws, must<block_wanted>, ws, must<handlers>> {};
struct undo : seq<k_on, ws, w_undo, ws, must<block_wanted>> {};

// ---- Other statements -------------------------------------------------------------------------------------------------

struct log_statement : seq<k_log, ws, must<operand_expr>> {};
struct stop_statement : seq<k_stop, opt<ws, not_at<next_arm>, at<sor<one<'"'>, any_text>>, expr>> {};
struct fail_statement : seq<k_fail, ws, must<operand_expr>> {};
struct wait_until : seq<k_wait, ws, w_until, at<ws, sor<digit, ident, one<'"'>>>, ws, must<operand_expr>> {};
struct wait_value : seq<duration_value> {};
struct wait_statement : seq<k_wait, ws, must<wait_value>> {};
// A text cannot follow a name, so that is a status in quotes.
struct status_ahead : at<ws, sor<digit, ident, one<'"'>>> {};
struct respond : seq<TAO_PEGTL_KEYWORD("respond"), status_ahead, ws, must<operand_expr>,
                     opt<ws, one<','>, ws, must<operand_expr>>> {};
struct statement_wanted
    : sor<let, var, if_statement, for_statement, log_statement, stop_statement, fail_statement, yield_statement,
          return_statement,
          seq<at<one<'m', 'o', 'p', 'r', 's', 't', 'w'>>, sor<match_statement, undo, parallel_any, parallel, repeat_statement,
                                                              respond, steps, try_statement, wait_until, wait_statement>>,
          expr_statement> {};
// `limit isolate to 5 per 1h` behind `do`: as statements these would be a row of names.
struct policy_ahead
    : sor<seq<w_once, plus<blank>, TAO_PEGTL_KEYWORD("per")>,
          seq<TAO_PEGTL_KEYWORD("limit"), plus<blank>, plus<sor<identifier_other, one<'.'>>>, plus<blank>, TAO_PEGTL_KEYWORD("to")>,
          seq<TAO_PEGTL_KEYWORD("protect"), plus<blank>, ident>, seq<TAO_PEGTL_KEYWORD("priority"), plus<blank>, ident>,
          seq<TAO_PEGTL_KEYWORD("dry"), plus<blank>, w_run>, seq<w_at, plus<blank>, w_most>, seq<w_within, plus<blank>, digit>> {};
struct no_policy : not_at<at<one<'a', 'd', 'l', 'o', 'p', 'w'>>, policy_ahead> {};
// `while x {`, `const n = 1`, `-- a comment`: words of other languages, compiler/parse/habits.cpp has what to write.
struct foreign_word
    : sor<TAO_PEGTL_KEYWORD("const"), TAO_PEGTL_KEYWORD("def"), TAO_PEGTL_KEYWORD("echo"), TAO_PEGTL_KEYWORD("elif"),
          TAO_PEGTL_KEYWORD("elseif"), TAO_PEGTL_KEYWORD("elsif"), TAO_PEGTL_KEYWORD("func"), TAO_PEGTL_KEYWORD("function"),
          TAO_PEGTL_KEYWORD("import"), TAO_PEGTL_KEYWORD("include"), TAO_PEGTL_KEYWORD("print"), TAO_PEGTL_KEYWORD("raise"),
          TAO_PEGTL_KEYWORD("require"), TAO_PEGTL_KEYWORD("throw")> {};
struct foreign_block : sor<TAO_PEGTL_KEYWORD("foreach"), TAO_PEGTL_KEYWORD("switch"), TAO_PEGTL_KEYWORD("unless"),
                           TAO_PEGTL_KEYWORD("while")> {};
struct foreign_ahead : sor<seq<foreign_word, plus<blank>, sor<identifier_first, one<'"'>>>,
                           seq<foreign_block, plus<blank>, sor<identifier_first, one<'(', '!'>>>, string<'-', '-'>> {};
struct no_foreign_word : not_at<at<one<'c', 'd', 'e', 'f', 'i', 'p', 'r', 's', 't', 'u', 'w', '-'>>, foreign_ahead> {};
struct statement : seq<must<no_policy>, must<no_foreign_word>, must<statement_wanted>> {};

}  // namespace flow::grammar
