// Tests, which `flow test` runs: what is given, what is expected.
#pragma once

#include "grammar/rules/declarations.hpp"

namespace flow::grammar {

struct w_given : TAO_PEGTL_KEYWORD("given") {};
struct w_expect : TAO_PEGTL_KEYWORD("expect") {};
struct w_no : TAO_PEGTL_KEYWORD("no") {};

// `isolate`, `defender.isolate`, `isolate(machineId)`
struct tested_operation : seq<dotted_name, opt<gap, call>> {};
struct counting_word : sor<TAO_PEGTL_KEYWORD("never"), w_once, TAO_PEGTL_KEYWORD("twice")> {};
struct counted : sor<counting_word, seq<at<digit>, int_lit, ws, must<times_word>>> {};

struct given_value : seq<expr> {};
struct given_name : seq<not_at<sor<w_given, w_expect>>, ident> {};
struct given_input : seq<w_given, ws, must<given_name>, ws, opt<equals_sign, ws>, must<given_value>> {};
struct given_param_name : seq<ident> {};
struct given_param : seq<w_given, ws, TAO_PEGTL_KEYWORD("param"), ws, must<given_param_name>, ws, must<equals_sign>, ws,
                         must<given_value>> {};
struct given_event : seq<w_given, ws, TAO_PEGTL_KEYWORD("event"), ws, plain_text, ws, must<given_value>> {};
struct given_returns : seq<w_given, ws, tested_operation, ws, TAO_PEGTL_KEYWORD("returns"), ws, must<given_value>,
                           opt<ws, counted>> {};
struct failure_kind : seq<error_kind> {};
struct given_fails : seq<w_given, ws, tested_operation, ws, TAO_PEGTL_KEYWORD("fails"), ws, must<failure_kind>,
                         opt<ws, plain_text>, opt<ws, counted>> {};
struct given : sor<given_param, given_event, given_returns, given_fails, given_input> {};

struct time_passes : seq<w_after, ws, must<duration_value>> {};
struct test_word : sor<w_given, w_expect, w_after, w_run> {};
struct run_flow : seq<w_run, opt<ws, not_at<test_word>, dotted_name, opt<gap, call>>> {};

struct expect_no_actions : seq<w_expect, ws, w_no, ws, TAO_PEGTL_KEYWORD("actions")> {};
struct expect_none : seq<w_expect, ws, w_no, at<ws, ident>, ws, tested_operation> {};
struct expect_log : seq<w_expect, ws, k_log, ws, must<operand_expr>> {};
// `result` alone may be a name as well: `expect result == 3`.
struct result_ahead : at<ws, sor<digit, one<'"', '{', '['>, ident, k_true, k_false, k_null, k_match>> {};
struct expect_result : seq<w_expect, ws, TAO_PEGTL_KEYWORD("result"), at<space>, result_ahead, ws, must<operand_expr>> {};
struct outcome_word : seq<at<sor<TAO_PEGTL_KEYWORD("finished"), TAO_PEGTL_KEYWORD("failed"), TAO_PEGTL_KEYWORD("skipped"),
                                 TAO_PEGTL_KEYWORD("stopped")>>, any_word> {};
struct outcome_end : at<ws, sor<one<'"', '}', ';'>, test_word>> {};
struct expect_outcome : seq<w_expect, ws, outcome_word, outcome_end, opt<ws, plain_text>> {};
struct next_operation : seq<tested_operation> {};
struct expect_order : seq<w_expect, ws, tested_operation, plus<ws, k_then, ws, must<next_operation>>> {};
struct expectation : seq<not_at<sor<w_given, w_expect>>, expr> {};
struct expect_value : seq<w_expect, ws, must<expectation>, opt<ws, counted>> {};
struct expect : sor<expect_no_actions, expect_none, expect_log, expect_result, expect_outcome, expect_order, expect_value> {};

struct test_statement : sor<given, expect, time_passes, run_flow> {};
struct r_test_statement : seq<must<test_statement>> {};
struct test_name : seq<plain_text> {};
struct test_open : one<'{'> {};
struct test_close : one<'}'> {};
struct test : seq<TAO_PEGTL_KEYWORD("test"), ws, must<test_name>, ws, must<test_open>,
                  star<star<ws, separator>, ws, not_at<list_end>, r_test_statement>, star<ws, separator>, ws, must<test_close>> {};

}  // namespace flow::grammar
