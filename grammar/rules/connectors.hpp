// Connectors: what can be called, and triggers that are polled.
#pragma once

#include "grammar/rules/declarations.hpp"

namespace flow::grammar {

struct duration_wanted : seq<duration_lit> {};

struct base_clause : seq<TAO_PEGTL_KEYWORD("base"), ws, must<plain_wanted>> {};
struct auth_clause : seq<TAO_PEGTL_KEYWORD("auth"), ws, must<name_wanted>, opt<ws, entries>> {};
struct quota_rate : seq<int_lit, ws, must<per_word>, ws, must<duration_wanted>> {};
struct rate_wanted : seq<quota_rate> {};
struct each_word : TAO_PEGTL_KEYWORD("each") {};
struct quota_each : seq<each_word, ws, must<name_wanted>> {};
struct quota_clause : seq<TAO_PEGTL_KEYWORD("quota"), ws, opt<ident, ws>, must<rate_wanted>,
                          star<ws, one<','>, ws, must<rate_wanted>>, opt<ws, quota_each>> {};
struct effect_word : sor<TAO_PEGTL_KEYWORD("read"), TAO_PEGTL_KEYWORD("act"), TAO_PEGTL_KEYWORD("notify")> {};
struct method_word : sor<TAO_PEGTL_KEYWORD("GET"), TAO_PEGTL_KEYWORD("POST"), TAO_PEGTL_KEYWORD("PATCH"),
                         TAO_PEGTL_KEYWORD("PUT"), TAO_PEGTL_KEYWORD("DELETE")> {};

struct path_wanted : seq<text_lit> {};
struct request_clause : seq<method_word, ws, must<path_wanted>> {};
struct smtp_clause : TAO_PEGTL_KEYWORD("SMTP") {};
struct runtime_clause : TAO_PEGTL_KEYWORD("RUNTIME") {};
struct egress_clause : TAO_PEGTL_KEYWORD("EGRESS") {};
struct mail_clause : TAO_PEGTL_KEYWORD("MAIL") {};
struct query_clause : seq<TAO_PEGTL_KEYWORD("query"), ws, must<entries_wanted>> {};
struct headers_clause : seq<TAO_PEGTL_KEYWORD("headers"), ws, must<entries_wanted>> {};
struct body_clause : seq<TAO_PEGTL_KEYWORD("body"), ws, must<operand_expr>, opt<ws, k_as, ws, must<plain_wanted>>> {};
struct form_clause : seq<TAO_PEGTL_KEYWORD("form"), ws, must<entries_wanted>> {};
struct multipart_clause : seq<TAO_PEGTL_KEYWORD("multipart"), ws, must<entries_wanted>> {};
struct gives_clause : seq<TAO_PEGTL_KEYWORD("gives"), ws, must<plain_wanted>, star<ws, k_or, ws, must<plain_wanted>>> {};
struct limit_word : TAO_PEGTL_KEYWORD("limit") {};
struct pages_clause : seq<TAO_PEGTL_KEYWORD("pages"), ws, must<plain_wanted>, ws, opt<TAO_PEGTL_KEYWORD("of"), ws, must<int_wanted>, ws>,
                          must<limit_word>, ws, must<int_wanted>> {};
struct dotted : seq<any_word, star<one<'.', '-'>, any_word>> {};  // of permissions some have a `-`
struct dotted_wanted : seq<dotted> {};
struct permission_clause : seq<TAO_PEGTL_KEYWORD("permission"), ws, must<dotted_wanted>, star<ws, k_or, ws, must<dotted_wanted>>> {};
struct error_arrow : string<'=', '>'> {};
struct error_clause : seq<k_error, ws, must<int_wanted>, ws, opt<plain_text, ws>, must<error_arrow>, ws, must<name_wanted>> {};
struct targets_clause : seq<TAO_PEGTL_KEYWORD("targets"), ws, must<name_wanted>> {};
struct inverse_clause : seq<TAO_PEGTL_KEYWORD("inverse"), ws, must<name_wanted>> {};
struct call_wanted : seq<postfix> {};
struct by_word : TAO_PEGTL_KEYWORD("by") {};
struct poll_word : TAO_PEGTL_KEYWORD("poll") {};
struct until_word : TAO_PEGTL_KEYWORD("until") {};
struct final_values : seq<one<'['>, ws, enum_value, star<ws, one<','>, ws, enum_value>, ws, must<close_bracket>> {};
struct final_wanted : seq<final_values> {};
struct completes_clause : seq<TAO_PEGTL_KEYWORD("completes"), ws, must<by_word>, ws, must<poll_word>, ws, must<call_wanted>, ws,
                              must<until_word>, ws, must<name_wanted>, ws, must<k_in>, ws, must<final_wanted>> {};
struct of_word : TAO_PEGTL_KEYWORD("of") {};
struct where_word : TAO_PEGTL_KEYWORD("where") {};
struct several_clause : seq<TAO_PEGTL_KEYWORD("several"), ws, must<by_word>, ws, must<call_wanted>, ws, must<of_word>, ws,
                            must<int_wanted>, ws, must<where_word>, ws, must<name_wanted>> {};
struct crash_repeat : TAO_PEGTL_KEYWORD("repeat") {};
struct crash_ask : TAO_PEGTL_KEYWORD("ask") {};
struct key_word : TAO_PEGTL_KEYWORD("key") {};
struct crash_lookup : seq<TAO_PEGTL_KEYWORD("lookup"), ws, must<call_wanted>,
                          opt<ws, where_word, ws, must<name_wanted>, ws, must<k_contains>, ws, must<key_word>>> {};
struct crash_rule : sor<crash_repeat, crash_ask, crash_lookup> {};
struct crash_word : TAO_PEGTL_KEYWORD("crash") {};
struct crash_clause : seq<k_on, ws, must<crash_word>, ws, must<crash_rule>> {};
struct source_clause : seq<TAO_PEGTL_KEYWORD("source"), ws, must<plain_wanted>> {};
struct retires_clause : seq<TAO_PEGTL_KEYWORD("retires"), ws, must<plain_wanted>> {};
struct bytes_word : TAO_PEGTL_KEYWORD("bytes") {};
struct size_clause : seq<TAO_PEGTL_KEYWORD("size"), ws, must<int_wanted>, ws, must<bytes_word>> {};
struct allow_comma : one<','> {};
struct allow_clause : seq<TAO_PEGTL_KEYWORD("allow"), ws, must<name_wanted>, ws, must<k_in>, ws, must<name_wanted>, ws,
                          must<allow_comma>, ws, must<name_wanted>> {};
struct method_wanted : seq<method_word> {};
struct then_clause : seq<k_then, ws, must<method_wanted>, ws, must<path_wanted>, opt<ws, k_when, ws, must<name_wanted>>> {};
struct upload_dot : one<'.'> {};
struct above_word : TAO_PEGTL_KEYWORD("above") {};
struct discard_word : TAO_PEGTL_KEYWORD("discard") {};
struct as_item : TAO_PEGTL_KEYWORD("as") {};
struct upload_clause : seq<TAO_PEGTL_KEYWORD("upload"), ws, must<name_wanted>, must<upload_dot>, must<name_wanted>, ws,
                           must<above_word>, ws, must<int_wanted>, ws, must<bytes_word>, ws, must<as_item>, ws, must<name_wanted>, ws,
                           must<path_wanted>, ws, must<operand_expr>, ws, must<discard_word>, ws, must<path_wanted>> {};
struct route_clause;
struct route_open : one<'{'> {};
struct route_body : seq<must<route_open>, star<ws, not_at<list_end>, must<route_clause>>, ws, must<close_brace>> {};
struct route_name : seq<as_item, ws, must<name_wanted>> {};
struct route : seq<by_word, ws, must<name_wanted>, opt<ws, route_name>, ws, route_body> {};
struct route_clause : sor<request_clause, smtp_clause, runtime_clause, egress_clause, mail_clause, query_clause, headers_clause, body_clause, form_clause,
                          multipart_clause, pages_clause, permission_clause, quota_clause, error_clause, crash_clause, size_clause, allow_clause,
                          then_clause, upload_clause> {};
struct operation_clause : sor<route, gives_clause, targets_clause, inverse_clause, completes_clause, several_clause, source_clause,
                              retires_clause, route_clause> {};
struct operation_body : seq<must<route_open>, star<ws, not_at<list_end>, must<operation_clause>>, ws, must<close_brace>> {};
struct operation : seq<effect_word, ws, must<name_wanted>, ws, must<parameters_open>, parameter_list,
                       opt<ws, result_type>, ws, operation_body> {};

struct from_wanted : seq<from_word> {};
struct binding_clause : seq<TAO_PEGTL_KEYWORD("binding"), ws, must<name_wanted>, ws, must<field_colon>, ws,
                            must<type_argument>, ws, must<from_wanted>, ws, must<name_wanted>> {};
struct name_list : seq<must<name_wanted>, star<ws, one<','>, ws, must<name_wanted>>> {};
struct expand_names : seq<TAO_PEGTL_KEYWORD("expand"), ws, name_list> {};
struct fetch_word : TAO_PEGTL_KEYWORD("by") {};
struct entity_clause : seq<TAO_PEGTL_KEYWORD("entity"), ws, must<name_wanted>, ws, must<field_colon>, ws, must<type_argument>,
                           ws, must<fetch_word>, ws, must<name_wanted>, ws, must<parameters_open>, ws, must<name_wanted>, ws,
                           must<arguments_close>, opt<ws, expand_names>> {};
struct top_word : TAO_PEGTL_KEYWORD("top") {};
struct every_word : TAO_PEGTL_KEYWORD("every") {};
struct overlap_word : TAO_PEGTL_KEYWORD("overlap") {};
struct poll_clause : seq<poll_word, ws, must<name_wanted>, ws, must<top_word>, ws, must<int_wanted>, ws, must<every_word>, ws,
                         must<duration_wanted>, ws, must<overlap_word>, ws, must<duration_wanted>> {};
struct trigger_key : seq<key_word, ws, must<name_wanted>> {};
struct cursor_clause : seq<TAO_PEGTL_KEYWORD("cursor"), ws, must<name_wanted>> {};
struct filterable_clause : seq<TAO_PEGTL_KEYWORD("filterable"), ws, name_list> {};
struct trigger_clause : sor<binding_clause, entity_clause, poll_clause, trigger_key, cursor_clause, filterable_clause> {};
struct trigger_decl : seq<TAO_PEGTL_KEYWORD("trigger"), ws, must<dotted_wanted>, ws, must<route_open>,
                          star<ws, not_at<list_end>, must<trigger_clause>>, ws, must<close_brace>> {};

struct member : sor<base_clause, auth_clause, quota_clause, enum_decl, record_decl, operation, trigger_decl> {};
struct member_wanted : seq<member> {};
struct r_member : seq<must<member_wanted>> {};
struct connector : seq<k_connector, ws, must<name_wanted>, ws, must<route_open>, star<ws, not_at<list_end>, r_member>, ws,
                       must<close_brace>> {};

}  // namespace flow::grammar
