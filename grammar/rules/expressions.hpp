// Blanks, words, numbers, texts, types and expressions. The conventions are in grammar/rules.hpp.
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
// `Level`, and of a module `notify.Level`: types begin with a capital letter, so that `x as Page.title` is a field.
struct qualified_name {
  using rule_t = qualified_name;
  using subs_t = empty_list;
  template <typename Input>
  static bool match(Input& in) {
    if (!word_rule<true>::match(in)) return false;
    const char* const dot = in.current();
    const char* at = dot;
    if (at == in.end() || *at != '.' || ++at == in.end() || *at < 'A' || *at > 'Z') return true;
    while (at != in.end() && (is_word_char(*at) || is_beyond_ascii(*at))) ++at;
    in.bump_in_this_line(static_cast<std::size_t>(at - dot));
    return true;
  }
};
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
struct k_match : TAO_PEGTL_KEYWORD("match") {};
struct k_await : TAO_PEGTL_KEYWORD("await") {};
struct k_attempt : TAO_PEGTL_KEYWORD("attempt") {};
struct k_catch : TAO_PEGTL_KEYWORD("catch") {};
struct k_as : TAO_PEGTL_KEYWORD("as") {};
// Words that mean something only where they stand; anywhere else they are names. `w_` marks those of several rules.
struct w_at : TAO_PEGTL_KEYWORD("at") {};
struct w_most : TAO_PEGTL_KEYWORD("most") {};
struct w_once : TAO_PEGTL_KEYWORD("once") {};
struct w_times : TAO_PEGTL_KEYWORD("times") {};
struct w_within : TAO_PEGTL_KEYWORD("within") {};
struct w_every : TAO_PEGTL_KEYWORD("every") {};
struct w_until : TAO_PEGTL_KEYWORD("until") {};
struct w_after : TAO_PEGTL_KEYWORD("after") {};
struct w_undo : TAO_PEGTL_KEYWORD("undo") {};
struct w_run : TAO_PEGTL_KEYWORD("run") {};
struct w_tenants : TAO_PEGTL_KEYWORD("tenants") {};

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
struct type_name : seq<qualified_name, opt<type_arguments>> {};
struct optional_mark : seq<one<'?'>, not_at<one<'?', '.'>>> {};  // folds what stands before it into an OptionalType
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
struct construct : seq<at<sor<upper, seq<ident, one<'.'>, upper>>>,
                       at<qualified_name, ws, one<'{'>, ws, sor<any_word, key_text>, ws, one<':'>>, qualified_name, ws, entries> {};

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
struct loop_in_place : failure {};  // a loop that gives a list stands where a statement takes a value
struct call_in_place : failure {};  // and so do calls that are waited for
struct match_expr;
struct primary : sor<number, any_text, list_lit, record_lit, paren_expr, if_expr, true_lit, false_lit, null_lit, construct,
                     ident, match_expr, seq<at<k_for>, must<loop_in_place>>,
                     seq<at<sor<k_await, k_attempt>>, must<call_in_place>>> {};

// Suffixes fold the operand before them into their own node.
struct field_name : seq<any_word> {};
struct field : seq<one<'.'>, not_at<one<'.'>>, ws, must<field_name>> {};
struct optional_field : seq<string<'?', '.'>, ws, must<field_name>> {};
struct index : seq<one<'['>, ws, must<operand_expr>, ws, must<close_bracket>> {};
struct call : seq<one<'('>, arguments> {};
struct cast_type : seq<one_type> {};
struct cast : seq<k_as, at<sor<seq<ws, ident>, seq<plus<blank>, any_word>>>, ws, must<cast_type>> {};
struct suffix : sor<seq<gap, sor<call, index>>, seq<ws, sor<field, optional_field, cast>>> {};
struct postfix : seq<primary, star<suffix>> {};

// `defender.isolate`, `AlertSeverity.High`
struct dotted_name : seq<ident, star<field>> {};

struct operand;
struct negate : seq<one<'-'>, ws, must<operand>> {};
struct operand : sor<negate, postfix> {};

struct op_multiply : one<'*'> {};
struct op_divide : seq<one<'/'>, not_at<one<'/', '*'>>> {};
struct op_modulo : one<'%'> {};
struct product_operand : seq<operand> {};
struct product : seq<operand, star<ws, sor<op_multiply, op_divide, op_modulo>, ws, must<product_operand>>> {};
struct op_add : one<'+'> {};
// What follows it may be the pattern of the next arm of a `match`.
// `-- text` is meant as a comment, which is told.
struct op_subtract : seq<one<'-'>, not_at<number, ws, sor<arrow, two<'.'>>>, not_at<one<'-'>, blank>> {};
struct sum_operand : seq<product> {};
struct sum : seq<product, star<ws, sor<op_add, op_subtract>, ws, must<sum_operand>>> {};
struct coalesce_operand : seq<sum> {};
struct coalesce : seq<sum, star<ws, string<'?', '?'>, ws, must<coalesce_operand>>> {};
// A length of time or a number, where a word of the language or a block may follow: no comparison, no record.
struct duration_value : seq<not_at<one<'{'>>, coalesce> {};
struct count_value : seq<not_at<one<'{'>>, coalesce> {};

struct op_equal : string<'=', '='> {};
struct op_not_equal : string<'!', '='> {};
struct op_less_equal : string<'<', '='> {};
struct op_less : one<'<'> {};
struct op_greater_equal : string<'>', '='> {};
struct op_greater : one<'>'> {};
struct op_in : seq<k_in, not_at<ws, w_tenants, plus<blank>, one<'['>>> {};  // that is a policy
struct op_not_in : seq<k_not, ws, k_in> {};
struct op_contains : seq<k_contains> {};
struct op_starts_with : seq<k_starts_with> {};
struct op_ends_with : seq<k_ends_with> {};
struct op_matches : seq<k_matches> {};
struct type_arms;
struct op_is : seq<k_is, not_at<type_arms>> {};
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

// ---- Matches: as an expression here, as a statement in statements.hpp ------------------------------------------------

struct pattern_any : seq<one<'_'>, not_at<identifier_other>> {};
struct binding_name : seq<ident> {};
struct pattern_is : seq<k_is, ws, must<is_operand>, opt<ws, k_as, ws, must<binding_name>>> {};
struct negative_number : seq<one<'-'>, ws, number> {};
struct pattern_number : sor<negative_number, number> {};
struct range_end : seq<pattern_number> {};
struct pattern_range : seq<pattern_number, opt<ws, two<'.'>, ws, must<range_end>>> {};
struct pattern : sor<pattern_any, pattern_is, pattern_range, any_text, true_lit, false_lit, null_lit, dotted_name> {};
struct pattern_wanted : seq<pattern> {};
struct patterns : seq<pattern, star<ws, one<','>, ws, must<pattern_wanted>>> {};
struct arm_arrow : seq<arrow> {};
// Whether an arm begins here: what stands before it ends. Texts are passed over without reading what they hold, so that
// looking ahead stays short.
struct text_ahead : seq<one<'"'>, star<sor<escaped, not_one<'"', '\\', '\n', '\r'>>>, one<'"'>> {};
struct type_ahead : seq<type_name, opt<ws, k_as, ws, ident>> {};
struct pattern_ahead : sor<pattern_any, seq<k_is, ws, type_ahead>, pattern_range, text_ahead, true_lit, false_lit, null_lit,
                           dotted_name> {};
struct next_arm : at<pattern_ahead, star<ws, one<','>, ws, pattern_ahead>, ws, arrow> {};
// `is Type =>`, behind the `is`.
struct type_arms : seq<ws, type_ahead, star<ws, one<','>, ws, pattern_ahead>, ws, arrow> {};
struct arm_separator : one<',', ';'> {};
struct arms_end : sor<eof, one<'}'>> {};
struct match_open : one<'{'> {};
struct match_close : one<'}'> {};
struct match_subject : seq<not_at<one<'{'>>, expr> {};
struct match_head : seq<k_match, ws, must<match_subject>, ws, must<match_open>> {};
struct arm_value : seq<expr> {};
struct value_arm : seq<patterns, ws, must<arm_arrow>, ws, must<arm_value>> {};
struct value_arm_wanted : seq<value_arm> {};
struct value_arms : star<ws, not_at<arms_end>, must<value_arm_wanted>, opt<ws, arm_separator>> {};
struct match_expr : seq<match_head, value_arms, ws, must<match_close>> {};

}  // namespace flow::grammar
