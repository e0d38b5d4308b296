// Flows: triggers, conditions, policies, what they do.
#pragma once

#include "grammar/rules/declarations.hpp"

namespace flow::grammar {

// ---- Triggers -------------------------------------------------------------------------------------------------------

struct catch_up_kind : seq<at<sor<TAO_PEGTL_KEYWORD("none"), TAO_PEGTL_KEYWORD("last"), TAO_PEGTL_KEYWORD("all")>>, any_word> {};
struct up_word : TAO_PEGTL_KEYWORD("up") {};
struct catch_up : seq<k_catch, ws, must<up_word>, ws, must<catch_up_kind>> {};
struct trigger_interval : seq<duration_value> {};
struct on_every : seq<w_every, not_at<one<'.'>>, ws, must<trigger_interval>, opt<ws, catch_up>> {};
struct cron_schedule : seq<plain_text> {};
struct cron_zone : seq<plain_text> {};
struct on_cron : seq<TAO_PEGTL_KEYWORD("cron"), not_at<one<'.'>>, ws, must<cron_schedule>,
                     opt<ws, k_in, ws, not_at<w_tenants>, must<cron_zone>>, opt<ws, catch_up>> {};
struct hunt_open : one<'('> {};
struct hunt_query : seq<expr> {};
struct hunt_interval : seq<every> {};
struct batch : TAO_PEGTL_KEYWORD("batch") {};
struct on_hunt : seq<TAO_PEGTL_KEYWORD("hunt"), not_at<one<'.'>>, gap, must<hunt_open>, ws, must<hunt_query>, ws,
                     must<close_paren>, ws, must<hunt_interval>, opt<ws, batch>> {};
struct event_open : one<'('> {};
struct hook_name : seq<plain_text> {};
struct on_webhook : seq<TAO_PEGTL_KEYWORD("webhook"), not_at<one<'.'>>, ws, must<hook_name>, ws, must<event_open>,
                        function_parameters> {};
struct topic_name : seq<plain_text> {};
struct on_stream : seq<TAO_PEGTL_KEYWORD("stream"), not_at<one<'.'>>, ws, must<topic_name>, ws, must<event_open>,
                       function_parameters> {};
struct on_manual : seq<TAO_PEGTL_KEYWORD("manual"), not_at<one<'.'>>, opt<ws, one<'('>, function_parameters>> {};
struct on_call : seq<TAO_PEGTL_KEYWORD("call"), not_at<one<'.'>>, opt<ws, one<'('>, function_parameters>,
                     opt<ws, result_type>> {};
struct failed_flow : seq<ident> {};
struct on_run_failed : seq<w_run, one<'.'>, TAO_PEGTL_KEYWORD("failed"), opt<ws, TAO_PEGTL_KEYWORD("of"), ws, must<failed_flow>>> {};
// `on evry 15m` is no trigger, whoever declares it.
struct known_trigger : not_at<ident, star<one<'.'>, any_word>, ws, sor<digit, one<'"', '('>>> {};
struct trigger_part : seq<any_word> {};
struct trigger_name : seq<must<known_trigger>, ident, star<one<'.'>, must<trigger_part>>> {};
struct trigger_wanted : sor<seq<at<one<'e', 'c', 'h', 'w', 'm', 'r', 's'>>, sor<on_every, on_cron, on_hunt, on_webhook, on_manual,
                                                                               on_call, on_run_failed, on_stream>>,
                            trigger_name> {};
struct on_trigger : seq<k_on, ws, must<trigger_wanted>> {};
struct r_trigger : seq<on_trigger> {};

// ---- Conditions and policies ------------------------------------------------------------------------------------------

struct condition : seq<k_when, ws, must<operand_expr>> {};
struct r_condition : seq<condition> {};

struct once_key : seq<expr> {};
struct once_within : seq<within> {};
struct once_what : seq<per_word> {};
struct once_per : seq<w_once, ws, must<once_what>, ws, must<once_key>, ws, must<once_within>> {};
struct limited_operation : seq<dotted_name> {};
struct to_word : TAO_PEGTL_KEYWORD("to") {};
struct limit_per : seq<per_word> {};
struct else_ask : seq<TAO_PEGTL_KEYWORD("ask"), ws, must<operand_expr>> {};
struct else_fail : seq<k_fail> {};
struct else_skip : TAO_PEGTL_KEYWORD("skip") {};
struct limit_else : sor<else_ask, else_fail, else_skip> {};
struct limit_policy : seq<TAO_PEGTL_KEYWORD("limit"), ws, must<limited_operation>, ws, must<to_word>, ws, must<count_value>, ws,
                          must<limit_per>, ws, must<duration_value>, opt<ws, k_else, ws, must<limit_else>>> {};
struct protect : seq<TAO_PEGTL_KEYWORD("protect"), ws, must<operand_expr>> {};
struct priority_level : seq<at<sor<TAO_PEGTL_KEYWORD("low"), TAO_PEGTL_KEYWORD("normal"), TAO_PEGTL_KEYWORD("high")>>, any_word> {};
struct priority : seq<TAO_PEGTL_KEYWORD("priority"), ws, must<priority_level>> {};
struct tenants_word : seq<w_tenants> {};
struct tenants_list : seq<list_lit> {};
struct tenants : seq<k_in, ws, must<tenants_word>, ws, must<tenants_list>> {};
struct dry_word : seq<w_run> {};
struct dry_run : seq<TAO_PEGTL_KEYWORD("dry"), ws, must<dry_word>> {};
struct policy : sor<once_per, limit_policy, protect, within, at_once, priority, tenants, dry_run> {};
struct r_policy : seq<policy> {};

// ---- Flows ----------------------------------------------------------------------------------------------------------

struct flow_name : seq<ident> {};
struct do_word : seq<k_do> {};
struct one_line : seq<statements, star<ws, separator>> {};
struct do_part : seq<must<do_word>, ws, sor<block, one_line>> {};
struct on_error : seq<k_on, ws, k_error, ws, opt<error_name, ws>, must<block_wanted>> {};
struct on_wanted : seq<r_trigger> {};
struct flow_rest : seq<opt<ws, r_condition>, star<ws, r_policy>, ws, do_part, opt<ws, on_error>> {};
struct named_flow : seq<k_flow, ws, must<flow_name>, ws, must<on_wanted>, flow_rest> {};
struct bare_flow : seq<not_at<k_on, ws, k_error>, r_trigger, flow_rest> {};

}  // namespace flow::grammar
