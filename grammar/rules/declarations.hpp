// What stands at the top of a file beside flows and connectors: parameters, secrets, types, functions, modules.
#pragma once

#include "grammar/rules/statements.hpp"

namespace flow::grammar {

struct plain_wanted : seq<plain_text> {};
struct int_wanted : seq<int_lit> {};
struct name_wanted : seq<any_word> {};
struct entries_wanted : seq<entries> {};
struct per_word : TAO_PEGTL_KEYWORD("per") {};

// ---- Types ----------------------------------------------------------------------------------------------------------

struct type_declared : seq<ident> {};
struct enum_value : seq<any_word> {};
struct values_close : one<'}'> {};
struct enum_values : seq<one<'{'>, ws, opt<enum_value, star<ws, one<','>, ws, enum_value>, opt<ws, one<','>>, ws>,
                         must<values_close>> {};
struct enum_values_wanted : seq<enum_values> {};
struct enum_decl : seq<opt<TAO_PEGTL_KEYWORD("ordered"), ws>, TAO_PEGTL_KEYWORD("enum"), ws, must<type_declared>, ws,
                       must<enum_values_wanted>> {};
struct from_word : TAO_PEGTL_KEYWORD("from") {};
struct field_colon : one<':'> {};
struct default_value : seq<equals_sign, ws, must<operand_expr>> {};
struct field_decl : seq<any_word, ws, must<field_colon>, ws, must<type_argument>, opt<ws, from_word, ws, must<plain_wanted>, star<ws, k_or, ws, must<plain_wanted>>>,
                        opt<ws, default_value>> {};
struct fields_close : one<'}'> {};
struct record_fields : seq<one<'{'>, ws, opt<field_decl, star<ws, one<','>, ws, field_decl>, opt<ws, one<','>>, ws>,
                           must<fields_close>> {};
struct record_fields_wanted : seq<record_fields> {};
struct record_decl : seq<TAO_PEGTL_KEYWORD("record"), ws, must<type_declared>, ws, must<record_fields_wanted>> {};

// ---- Functions ------------------------------------------------------------------------------------------------------

struct parameter_decl : seq<any_word, ws, must<field_colon>, ws, must<type_argument>,
                            opt<ws, equals_sign, ws, must<operand_expr>>> {};
struct parameters_open : one<'('> {};
struct parameter_list : seq<ws, opt<parameter_decl, star<ws, one<','>, ws, parameter_decl>, opt<ws, one<','>>, ws>,
                            must<arguments_close>> {};
struct result_type : seq<string<'-', '>'>, ws, must<type_argument>> {};
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

// Functions of the library, whose body is the runtime's.
struct type_parameter : seq<ident> {};
struct type_parameters_close : one<'>'> {};
struct type_parameters : seq<one<'<'>, ws, must<type_parameter>, star<ws, one<','>, ws, must<type_parameter>>, ws,
                             must<type_parameters_close>> {};
struct function_type : seq<sor<seq<one<'('>, ws, opt<type, star<ws, one<','>, ws, type>, ws>, one<')'>>, one_type>, ws, arrow, ws,
                           must<type_argument>> {};
struct native_type : sor<function_type, type> {};
// Reserved words can stand there: `contains` is an operator and a method, `in` names an argument.
struct native_name : seq<any_word> {};
struct native_parameter_name : seq<any_word> {};
struct native_parameter : seq<must<native_parameter_name>, ws, must<field_colon>, ws, must<native_type>,
                              opt<ws, equals_sign, ws, must<operand_expr>>> {};
struct native_parameters : seq<ws, opt<not_at<one<')'>>, native_parameter,
                                       star<ws, one<','>, ws, not_at<one<')'>>, native_parameter>, opt<ws, one<','>>, ws>,
                               must<parameters_close>> {};
struct native_function : seq<TAO_PEGTL_KEYWORD("native"), ws, k_fn, ws, must<native_name>, opt<type_parameters>, ws,
                             must<function_open>, native_parameters, opt<ws, result_type>> {};

// ---- Parameters, secrets, modules -------------------------------------------------------------------------------------

struct param_name : seq<ident> {};
struct param_colon : one<':'> {};
struct param : seq<TAO_PEGTL_KEYWORD("param"), ws, must<param_name>, ws, must<param_colon>, ws, must<type_argument>,
                   opt<ws, equals_sign, ws, must<operand_expr>>> {};
struct secret_name : seq<ident> {};
struct secret : seq<TAO_PEGTL_KEYWORD("secret"), ws, must<secret_name>> {};
struct used_module : sor<plain_text, ident> {};
struct module_alias : seq<ident> {};
struct use : seq<TAO_PEGTL_KEYWORD("use"), ws, must<used_module>, opt<ws, k_as, ws, must<module_alias>>> {};

}  // namespace flow::grammar
