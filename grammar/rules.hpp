// The grammar of Flow, as PEGTL rules and nothing else: messages are in messages.hpp, what becomes of a match is in
// compiler/parse. grammar/flow.ebnf says the same for readers; a test holds the two to the same examples.
//
// Conventions. `ws` is written out wherever blanks, newlines and comments may stand; a rule never begins or ends with
// it, so that the span of a node is exactly its text. `must<X>` is written where only X can follow; each such X has a
// message. Rules whose name begins with `r_` wrap another rule with error recovery (compiler/parse/recover.hpp).
#pragma once

#include <tao/pegtl.hpp>

#include "grammar/words.hpp"

namespace flow::grammar {

using namespace tao::pegtl;  // NOLINT: the rules read like EBNF

// ---- Blanks, words, numbers -----------------------------------------------------------------------------------------

struct block_comment_end : string<'*', '/'> {};
struct block_comment : seq<string<'/', '*'>, until<at<sor<block_comment_end, eof>>>, must<block_comment_end>> {};
struct line_comment : seq<string<'/', '/'>, star<not_one<'\n'>>> {};

// Blanks, newlines and comments. Most places have none or one blank, so that case is decided without a rule.
struct comment : sor<line_comment, block_comment> {};
struct ws_slow : star<sor<plus<one<' ', '\t', '\r', '\n'>>, seq<at<one<'/'>>, comment>>> {};
struct ws {
  using rule_t = ws;
  using subs_t = type_list<ws_slow>;
  template <apply_mode A, rewind_mode M, template <typename...> class Action, template <typename...> class Control,
            typename Input, typename... States>
  static bool match(Input& in, States&&... st) {
    if (in.empty()) return true;
    const char first = in.peek_char();
    if (first != ' ' && first != '\n' && first != '/' && first != '\t' && first != '\r') return true;
    if (first == ' ' && in.size(2) > 1) {
      const char second = in.peek_char(1);
      if (second > '/' || second == '"' || second == '(') {
        in.bump_in_this_line(1);
        return true;
      }
    }
    return Control<ws_slow>::template match<A, M, Action, Control>(in, st...);
  }
};
// Blanks on this line only: `(` and `[` continue an expression only where the callee ends.
struct gap : star<one<' ', '\t'>> {};

// A word; with `Free` only one that is not reserved. Letters beyond ASCII are taken as part of a word, so that
// `größe` is one mistake and not three; parse() reports them.
template <bool Free>
struct word_rule {
  using rule_t = word_rule;
  using subs_t = empty_list;
  template <typename Input>
  static bool match(Input& in) {
    const char* const begin = in.current();
    const char* at = begin;
    const char* const end = in.end();
    if (at == end || !(is_word_start(*at) || is_beyond_ascii(*at))) return false;
    while (at != end && (is_word_char(*at) || is_beyond_ascii(*at))) ++at;
    const auto length = static_cast<std::size_t>(at - begin);
    if (Free && is_keyword({begin, length})) return false;
    in.bump_in_this_line(length);
    return true;
  }
};
struct ident : word_rule<true> {};
struct any_word : word_rule<false> {};     // after a dot, as a key or argument name: reserved words may stand there
struct k_flow : TAO_PEGTL_KEYWORD("flow") {};
struct k_on : TAO_PEGTL_KEYWORD("on") {};
struct k_when : TAO_PEGTL_KEYWORD("when") {};
struct k_do : TAO_PEGTL_KEYWORD("do") {};
struct k_error : TAO_PEGTL_KEYWORD("error") {};
struct k_let : TAO_PEGTL_KEYWORD("let") {};
struct k_var : TAO_PEGTL_KEYWORD("var") {};
struct k_fn : TAO_PEGTL_KEYWORD("fn") {};
struct k_for : TAO_PEGTL_KEYWORD("for") {};
struct k_yield : TAO_PEGTL_KEYWORD("yield") {};
struct k_return : TAO_PEGTL_KEYWORD("return") {};
struct k_if : TAO_PEGTL_KEYWORD("if") {};
struct k_then : TAO_PEGTL_KEYWORD("then") {};
struct k_else : TAO_PEGTL_KEYWORD("else") {};
struct k_and : TAO_PEGTL_KEYWORD("and") {};
struct k_or : TAO_PEGTL_KEYWORD("or") {};
struct k_not : TAO_PEGTL_KEYWORD("not") {};
struct k_in : TAO_PEGTL_KEYWORD("in") {};
struct k_is : TAO_PEGTL_KEYWORD("is") {};
struct k_contains : TAO_PEGTL_KEYWORD("contains") {};
struct k_starts_with : TAO_PEGTL_KEYWORD("startsWith") {};
struct k_ends_with : TAO_PEGTL_KEYWORD("endsWith") {};
struct k_matches : TAO_PEGTL_KEYWORD("matches") {};
struct k_true : TAO_PEGTL_KEYWORD("true") {};
struct k_false : TAO_PEGTL_KEYWORD("false") {};
struct k_null : TAO_PEGTL_KEYWORD("null") {};
struct k_log : TAO_PEGTL_KEYWORD("log") {};
struct k_stop : TAO_PEGTL_KEYWORD("stop") {};
struct k_fail : TAO_PEGTL_KEYWORD("fail") {};
struct k_connector : TAO_PEGTL_KEYWORD("connector") {};

struct digits : plus<digit> {};
struct unit : sor<string<'m', 's'>, one<'s', 'm', 'h', 'd', 'w'>> {};
struct number_end : not_at<identifier_other> {};
struct grouped : seq<digits, star<one<'_'>, digits>> {};  // 1_000_000
struct float_lit : seq<grouped, one<'.'>, digits, opt<one<'e', 'E'>, opt<one<'+', '-'>>, digits>, must<number_end>> {};
struct duration_lit : seq<plus<digits, unit>, number_end> {};
struct int_lit : seq<grouped, must<number_end>> {};
struct number : sor<seq<at<grouped, one<'.'>, digit>, float_lit>, duration_lit, int_lit> {};

// ---- Text -----------------------------------------------------------------------------------------------------------

struct expr;
struct hole_expr : seq<expr> {};
struct hole_close : one<'}'> {};
struct hole : seq<one<'{'>, ws, must<hole_expr>, ws, must<hole_close>> {};
struct code_point : seq<string<'u', '{'>, star<xdigit>, one<'}'>> {};  // its braces are no hole
struct escaped : seq<one<'\\'>, sor<code_point, not_one<'\n', '\r'>>> {};
struct piece_char : sor<not_one<'"', '{', '}', '\\', '\n', '\r'>, two<'{'>, escaped, one<'}'>> {};
struct text_piece : plus<piece_char> {};
struct text_close : one<'"'> {};
struct text_body : seq<star<sor<text_piece, hole>>, must<text_close>> {};

struct block_close : string<'"', '"', '"'> {};
struct block_char : sor<not_one<'"', '{', '}', '\\'>, two<'{'>, seq<one<'\\'>, sor<code_point, any>>, one<'}'>,
                        seq<not_at<block_close>, one<'"'>>> {};
struct block_piece : plus<block_char> {};
struct block_body : seq<star<sor<block_piece, hole>>, must<block_close>> {};

struct any_text_body : sor<seq<block_close, block_body>, seq<one<'"'>, text_body>> {};
struct text_lit : seq<one<'"'>, text_body> {};
struct text_block : seq<block_close, block_body> {};
struct html_lit : seq<string<'h', 't', 'm', 'l'>, at<one<'"'>>, any_text_body> {};
struct kql_lit : seq<string<'k', 'q', 'l'>, at<one<'"'>>, any_text_body> {};
struct raw_piece : plus<not_one<'"', '\n', '\r'>> {};
struct raw_text : seq<string<'r', 'a', 'w', '"'>, opt<raw_piece>, must<text_close>> {};
struct any_text : sor<text_block, text_lit, html_lit, kql_lit, raw_text> {};
// A plain string without holes, where a declaration wants a constant.
struct plain_text : seq<one<'"'>, opt<text_piece>, must<text_close>> {};

// ---- Types ----------------------------------------------------------------------------------------------------------

struct type;
struct type_argument : seq<type> {};
struct type_arguments_close : one<'>'> {};
struct type_arguments : seq<one<'<'>, ws, must<type_argument>, star<ws, one<','>, ws, must<type_argument>>, ws,
                            must<type_arguments_close>> {};
struct type_name : seq<ident, opt<type_arguments>> {};
struct optional_mark : one<'?'> {};  // folds what stands before it into an OptionalType
struct one_type : seq<type_name, opt<optional_mark>> {};
struct type_operand : seq<one_type> {};
struct type : seq<one_type, star<ws, k_or, ws, must<type_operand>>> {};

// ---- Expressions, tightest first ------------------------------------------------------------------------------------

struct close_paren : one<')'> {};
struct close_bracket : one<']'> {};
struct close_brace : one<'}'> {};
struct list_close : one<']'> {};
struct entries_close : one<'}'> {};
struct operand_expr : seq<expr> {};

struct list_item : seq<expr> {};
struct list_lit : seq<one<'['>, ws, opt<list_item, star<ws, one<','>, ws, list_item>, opt<ws, one<','>>, ws>,
                      must<list_close>> {};
struct computed_key : seq<one<'['>, ws, must<operand_expr>, ws, must<close_bracket>> {};
struct key_text : seq<one<'"'>, star<sor<escaped, not_one<'"', '\\', '\n', '\r'>>>, must<text_close>> {};
struct key : sor<any_word, key_text, computed_key> {};
struct entry_colon : one<':'> {};
struct entry_value : seq<expr> {};
struct entry : seq<key, ws, must<entry_colon>, ws, must<entry_value>> {};
struct entries : seq<one<'{'>, ws, opt<entry, star<ws, one<','>, ws, entry>, opt<ws, one<','>>, ws>, must<entries_close>> {};
struct record_lit : seq<entries> {};
// `Name {` begins a record only when an entry follows, so that a block may follow a condition.
struct construct : seq<at<upper>, at<ident, ws, one<'{'>, ws, sor<any_word, key_text>, ws, one<':'>>, ident, ws, entries> {};

struct lambda_params : sor<ident, seq<one<'('>, ws, ident, star<ws, one<','>, ws, ident>, ws, one<')'>>> {};
struct lambda_body : seq<expr> {};
struct arrow : string<'=', '>'> {};
struct lambda : seq<at<lambda_params, ws, arrow>, lambda_params, ws, arrow, ws, must<lambda_body>> {};
struct argument_name : seq<any_word> {};
struct argument_value : sor<lambda, expr> {};
struct named_argument : seq<at<any_word, ws, one<':'>>, argument_name, ws, one<':'>, ws, must<argument_value>> {};
struct argument : sor<named_argument, lambda, expr> {};
struct arguments_close : one<')'> {};
struct arguments : seq<ws, opt<argument, star<ws, one<','>, ws, argument>, opt<ws, one<','>>, ws>, must<arguments_close>> {};

struct paren_expr : seq<one<'('>, ws, must<operand_expr>, ws, must<close_paren>> {};
struct then_word : seq<k_then> {};
struct else_word : seq<k_else> {};
struct if_expr : seq<k_if, ws, must<operand_expr>, ws, must<then_word>, ws, must<operand_expr>, ws, must<else_word>, ws,
                     must<operand_expr>> {};
struct true_lit : seq<k_true> {};
struct false_lit : seq<k_false> {};
struct null_lit : seq<k_null> {};
struct later_expression : failure {};  // in the language, not in this version of the compiler
struct later_word : sor<TAO_PEGTL_KEYWORD("await"), TAO_PEGTL_KEYWORD("attempt"), TAO_PEGTL_KEYWORD("match")> {};
struct loop_in_place : failure {};  // a loop that gives a list stands where a statement takes a value
struct primary : sor<number, any_text, list_lit, record_lit, paren_expr, if_expr, true_lit, false_lit, null_lit, construct,
                     ident, seq<at<later_word>, must<later_expression>>, seq<at<k_for>, must<loop_in_place>>> {};

// Suffixes fold the operand before them into their own node.
struct field_name : seq<any_word> {};
struct field : seq<one<'.'>, ws, must<field_name>> {};
struct optional_field : seq<string<'?', '.'>, ws, must<field_name>> {};
struct index : seq<one<'['>, ws, must<operand_expr>, ws, must<close_bracket>> {};
struct call : seq<one<'('>, arguments> {};
struct suffix : sor<seq<gap, sor<call, index>>, seq<ws, sor<field, optional_field>>> {};
struct postfix : seq<primary, star<suffix>> {};

struct operand;
struct negate : seq<one<'-'>, ws, must<operand>> {};
struct operand : sor<negate, postfix> {};

struct op_multiply : one<'*'> {};
struct op_divide : seq<one<'/'>, not_at<one<'/', '*'>>> {};
struct op_modulo : one<'%'> {};
struct product_operand : seq<operand> {};
struct product : seq<operand, star<ws, sor<op_multiply, op_divide, op_modulo>, ws, must<product_operand>>> {};
struct op_add : one<'+'> {};
struct op_subtract : one<'-'> {};
struct sum_operand : seq<product> {};
struct sum : seq<product, star<ws, sor<op_add, op_subtract>, ws, must<sum_operand>>> {};
struct coalesce_operand : seq<sum> {};
struct coalesce : seq<sum, star<ws, string<'?', '?'>, ws, must<coalesce_operand>>> {};

struct op_equal : string<'=', '='> {};
struct op_not_equal : string<'!', '='> {};
struct op_less_equal : string<'<', '='> {};
struct op_less : one<'<'> {};
struct op_greater_equal : string<'>', '='> {};
struct op_greater : one<'>'> {};
struct op_in : seq<k_in> {};
struct op_not_in : seq<k_not, ws, k_in> {};
struct op_contains : seq<k_contains> {};
struct op_starts_with : seq<k_starts_with> {};
struct op_ends_with : seq<k_ends_with> {};
struct op_matches : seq<k_matches> {};
struct op_is : seq<k_is> {};
struct op_assign : seq<one<'='>, not_at<one<'=', '>'>>> {};
struct compare_op : sor<op_equal, op_not_equal, op_less_equal, op_less, op_greater_equal, op_greater, op_in, op_not_in,
                        op_contains, op_starts_with, op_ends_with, op_matches> {};
struct compare_operand : seq<coalesce> {};
struct is_operand : seq<type_name> {};
struct no_assignment : not_at<ws, op_assign> {};
struct not_chained : not_at<ws, sor<compare_op, op_is>> {};
struct compare : seq<coalesce, must<no_assignment>,
                     opt<ws, sor<seq<op_is, ws, must<is_operand>>, seq<compare_op, ws, must<compare_operand>>>,
                         must<not_chained>>> {};
struct not_operand;
struct negation : seq<k_not, ws, must<not_operand>> {};
struct not_operand : sor<negation, compare> {};
struct and_operand : seq<not_operand> {};
struct conjunction : seq<not_operand, star<ws, k_and, ws, must<and_operand>>> {};
struct or_operand : seq<conjunction> {};
struct disjunction : seq<conjunction, star<ws, k_or, ws, must<or_operand>>> {};
struct expr : seq<disjunction> {};

// ---- Statements -----------------------------------------------------------------------------------------------------

struct statement;
struct block_open : one<'{'> {};
struct block_end : one<'}'> {};
struct r_statement : seq<statement> {};
// What may not begin a statement ends the list; anything else must be one, so that stray text is reported.
struct list_end : sor<eof, one<'}'>> {};
struct declaration_word : sor<k_flow, k_on, k_fn, k_connector, TAO_PEGTL_KEYWORD("param"), TAO_PEGTL_KEYWORD("secret"),
                              TAO_PEGTL_KEYWORD("record"), TAO_PEGTL_KEYWORD("enum"), TAO_PEGTL_KEYWORD("use"),
                              TAO_PEGTL_KEYWORD("test")> {};
struct separator : one<';'> {};
struct statements : star<seq<star<ws, separator>, ws, not_at<sor<list_end, declaration_word>>, r_statement>> {};
struct no_function : not_at<k_fn> {};
struct block : seq<block_open, statements, star<ws, separator>, ws, must<no_function>, must<block_end>> {};
struct block_wanted : seq<block> {};

struct loop_name : seq<ident> {};
struct loop_in : seq<k_in> {};
struct no_loop_policy : not_at<sor<TAO_PEGTL_KEYWORD("at"), TAO_PEGTL_KEYWORD("limit")>> {};
struct loop : seq<k_for, ws, must<loop_name>, opt<ws, one<','>, ws, must<loop_name>>, ws, must<loop_in>, ws,
                  must<operand_expr>, ws, must<no_loop_policy>, must<block_wanted>> {};
struct for_statement : seq<loop> {};
struct for_expr : seq<loop> {};
struct assigned_value : sor<for_expr, expr> {};

struct let_name : seq<ident> {};
struct equals_sign : seq<one<'='>, not_at<one<'='>>> {};
struct named_value : seq<must<let_name>, ws, opt<one<':'>, ws, must<type_argument>, ws>, must<equals_sign>, ws,
                         must<assigned_value>> {};
struct let : seq<k_let, ws, named_value> {};
struct var : seq<k_var, ws, named_value> {};
struct if_statement;
struct else_part : sor<if_statement, block> {};
struct if_statement : seq<k_if, ws, must<operand_expr>, ws, must<block_wanted>,
                          opt<ws, k_else, ws, must<else_part>>> {};
struct log_statement : seq<k_log, ws, must<operand_expr>> {};
struct stop_statement : seq<k_stop, opt<ws, at<sor<one<'"'>, any_text>>, expr>> {};
struct fail_statement : seq<k_fail, ws, must<operand_expr>> {};
struct yield_statement : seq<k_yield, ws, must<assigned_value>> {};
struct return_value : sor<for_expr, expr> {};
// Without a value when the block ends behind it, or what follows can only be a statement.
struct return_end : sor<list_end, separator, declaration_word, k_let, k_var, k_log, k_stop, k_fail, k_yield, k_return> {};
struct return_statement : seq<k_return, sor<at<ws, return_end>, seq<ws, must<return_value>>>> {};
// A statement that begins with an expression: it ends there, or what was read is assigned to. `no_assignment` lets the
// `=` pass behind what a statement begins with.
struct expr_end : success {};
struct assignment_end : seq<op_assign, ws, must<assigned_value>> {};
struct expr_statement : seq<expr, sor<seq<ws, assignment_end>, expr_end>> {};
// In the language, not in this version of the compiler.
struct unsupported_word : sor<TAO_PEGTL_KEYWORD("match"), TAO_PEGTL_KEYWORD("parallel"), TAO_PEGTL_KEYWORD("repeat"),
                              TAO_PEGTL_KEYWORD("wait"), TAO_PEGTL_KEYWORD("await"), TAO_PEGTL_KEYWORD("attempt"),
                              TAO_PEGTL_KEYWORD("try"), TAO_PEGTL_KEYWORD("steps")> {};
struct supported : not_at<unsupported_word> {};
struct statement_wanted : sor<let, var, if_statement, for_statement, log_statement, stop_statement, fail_statement,
                              yield_statement, return_statement, expr_statement> {};
struct statement : seq<must<supported>, must<statement_wanted>> {};

// ---- Flows ----------------------------------------------------------------------------------------------------------

struct flow_name : seq<ident> {};
struct trigger_part : seq<any_word> {};
struct trigger_name : seq<ident, star<one<'.'>, must<trigger_part>>> {};
struct on_trigger : seq<k_on, ws, must<trigger_name>> {};
struct condition : seq<k_when, ws, must<operand_expr>> {};
struct r_condition : seq<condition> {};
struct policy_word : sor<TAO_PEGTL_KEYWORD("once"), TAO_PEGTL_KEYWORD("limit"), TAO_PEGTL_KEYWORD("protect"),
                         TAO_PEGTL_KEYWORD("within"), TAO_PEGTL_KEYWORD("at"), TAO_PEGTL_KEYWORD("priority"),
                         TAO_PEGTL_KEYWORD("dry"), TAO_PEGTL_KEYWORD("in")> {};
struct no_policy : not_at<policy_word> {};
struct policies : seq<must<no_policy>> {};
struct r_policies : seq<policies> {};
struct do_word : seq<k_do> {};
struct one_line : seq<statements, star<ws, separator>> {};
struct do_part : seq<must<do_word>, ws, sor<block, one_line>> {};
struct error_name : seq<ident> {};
struct on_error : seq<k_on, ws, k_error, ws, opt<error_name, ws>, must<block_wanted>> {};
struct on_wanted : seq<on_trigger> {};
struct flow_rest : seq<opt<ws, r_condition>, ws, r_policies, ws, do_part, opt<ws, on_error>> {};
struct named_flow : seq<k_flow, ws, must<flow_name>, ws, must<on_wanted>, flow_rest> {};
struct bare_flow : seq<not_at<k_on, ws, k_error>, on_trigger, flow_rest> {};

// ---- Functions and connectors: both have parameters -----------------------------------------------------------------

struct plain_wanted : seq<plain_text> {};
struct int_wanted : seq<int_lit> {};
struct duration_wanted : seq<duration_lit> {};
struct name_wanted : seq<any_word> {};
struct entries_wanted : seq<entries> {};
struct per_word : TAO_PEGTL_KEYWORD("per") {};

struct base_clause : seq<TAO_PEGTL_KEYWORD("base"), ws, must<plain_wanted>> {};
struct auth_clause : seq<TAO_PEGTL_KEYWORD("auth"), ws, must<name_wanted>, ws, must<entries_wanted>> {};
struct quota_rate : seq<int_lit, ws, must<per_word>, ws, must<duration_wanted>> {};
struct rate_wanted : seq<quota_rate> {};
struct quota_clause : seq<TAO_PEGTL_KEYWORD("quota"), ws, opt<ident, ws>, must<rate_wanted>,
                          star<ws, one<','>, ws, must<rate_wanted>>> {};
struct enum_value : seq<any_word> {};
struct enum_values : seq<one<'{'>, ws, opt<enum_value, star<ws, one<','>, ws, enum_value>, opt<ws, one<','>>, ws>,
                         must<close_brace>> {};
struct enum_values_wanted : seq<enum_values> {};
struct enum_decl : seq<opt<TAO_PEGTL_KEYWORD("ordered"), ws>, TAO_PEGTL_KEYWORD("enum"), ws, must<name_wanted>, ws,
                       must<enum_values_wanted>> {};
struct from_word : TAO_PEGTL_KEYWORD("from") {};
struct field_colon : one<':'> {};
struct field_decl : seq<any_word, ws, must<field_colon>, ws, must<type_argument>, opt<ws, from_word, ws, must<plain_wanted>>> {};
struct record_fields : seq<one<'{'>, ws, opt<field_decl, star<ws, one<','>, ws, field_decl>, opt<ws, one<','>>, ws>,
                           must<close_brace>> {};
struct record_fields_wanted : seq<record_fields> {};
struct record_decl : seq<TAO_PEGTL_KEYWORD("record"), ws, must<name_wanted>, ws, must<record_fields_wanted>> {};

struct effect_word : sor<TAO_PEGTL_KEYWORD("read"), TAO_PEGTL_KEYWORD("act"), TAO_PEGTL_KEYWORD("notify")> {};
struct parameter_decl : seq<any_word, ws, must<field_colon>, ws, must<type_argument>,
                            opt<ws, equals_sign, ws, must<operand_expr>>> {};
struct parameters_open : one<'('> {};
struct parameter_list : seq<ws, opt<parameter_decl, star<ws, one<','>, ws, parameter_decl>, opt<ws, one<','>>, ws>,
                            must<arguments_close>> {};
struct result_type : seq<string<'-', '>'>, ws, must<type_argument>> {};
struct method_word : sor<TAO_PEGTL_KEYWORD("GET"), TAO_PEGTL_KEYWORD("POST"), TAO_PEGTL_KEYWORD("PATCH"),
                         TAO_PEGTL_KEYWORD("PUT"), TAO_PEGTL_KEYWORD("DELETE")> {};

struct function_name : seq<ident> {};
struct function_open : one<'('> {};
struct function_value : seq<equals_sign, ws, must<assigned_value>> {};
struct function_body : sor<block, function_value> {};
struct parameter_name : seq<ident> {};
struct parameters_close : one<')'> {};
struct function_parameter : seq<must<parameter_name>, ws, must<field_colon>, ws, must<type_argument>,
                                opt<ws, equals_sign, ws, must<operand_expr>>> {};
struct more_parameters : seq<ws, one<','>, ws, not_at<one<')'>>, function_parameter> {};
struct function_parameters : seq<ws, sor<one<')'>, seq<function_parameter, star<more_parameters>, opt<ws, one<','>>, ws,
                                                       must<parameters_close>>>> {};
struct function : seq<k_fn, ws, must<function_name>, ws, must<function_open>, function_parameters, opt<ws, result_type>, ws,
                      must<function_body>> {};

struct path_wanted : seq<text_lit> {};
struct request_clause : seq<method_word, ws, must<path_wanted>> {};
struct smtp_clause : TAO_PEGTL_KEYWORD("SMTP") {};
struct query_clause : seq<TAO_PEGTL_KEYWORD("query"), ws, must<entries_wanted>> {};
struct headers_clause : seq<TAO_PEGTL_KEYWORD("headers"), ws, must<entries_wanted>> {};
struct body_clause : seq<TAO_PEGTL_KEYWORD("body"), ws, must<operand_expr>> {};
struct gives_clause : seq<TAO_PEGTL_KEYWORD("gives"), ws, must<plain_wanted>> {};
struct dotted : seq<any_word, star<one<'.'>, any_word>> {};
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
struct crash_repeat : TAO_PEGTL_KEYWORD("repeat") {};
struct crash_ask : TAO_PEGTL_KEYWORD("ask") {};
struct where_word : TAO_PEGTL_KEYWORD("where") {};
struct key_word : TAO_PEGTL_KEYWORD("key") {};
struct crash_lookup : seq<TAO_PEGTL_KEYWORD("lookup"), ws, must<call_wanted>,
                          opt<ws, where_word, ws, must<name_wanted>, ws, must<k_contains>, ws, must<key_word>>> {};
struct crash_rule : sor<crash_repeat, crash_ask, crash_lookup> {};
struct crash_word : TAO_PEGTL_KEYWORD("crash") {};
struct crash_clause : seq<k_on, ws, must<crash_word>, ws, must<crash_rule>> {};
struct source_clause : seq<TAO_PEGTL_KEYWORD("source"), ws, must<plain_wanted>> {};
struct retires_clause : seq<TAO_PEGTL_KEYWORD("retires"), ws, must<plain_wanted>> {};
struct route_clause;
struct route_open : one<'{'> {};
struct route_body : seq<must<route_open>, star<ws, not_at<list_end>, must<route_clause>>, ws, must<close_brace>> {};
struct route : seq<by_word, ws, must<name_wanted>, ws, route_body> {};
struct route_clause : sor<request_clause, smtp_clause, query_clause, headers_clause, body_clause, permission_clause,
                          quota_clause, error_clause, crash_clause> {};
struct operation_clause : sor<route, gives_clause, targets_clause, inverse_clause, completes_clause, source_clause,
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

// ---- Files ----------------------------------------------------------------------------------------------------------

struct unsupported_declaration : sor<TAO_PEGTL_KEYWORD("param"), TAO_PEGTL_KEYWORD("secret"), TAO_PEGTL_KEYWORD("record"),
                                     TAO_PEGTL_KEYWORD("enum"), TAO_PEGTL_KEYWORD("use"), TAO_PEGTL_KEYWORD("test")> {};
struct supported_declaration : not_at<unsupported_declaration> {};
struct declaration : sor<named_flow, bare_flow, function, connector> {};
struct declaration_wanted : seq<declaration> {};
struct r_declaration : seq<must<supported_declaration>, must<declaration_wanted>> {};
struct byte_order_mark : utf8::bom {};
struct file : seq<opt<byte_order_mark>, star<star<ws, separator>, ws, not_at<eof>, r_declaration>, star<ws, separator>, ws> {};

}  // namespace flow::grammar
