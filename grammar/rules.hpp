// The grammar of Flow, as PEGTL rules and nothing else: messages are in messages.hpp, what becomes of a match is in
// compiler/parse. grammar/flow.ebnf says the same for readers; a test holds the two to the same examples. Files are here;
// what they hold is in grammar/rules/.
//
// Conventions. `ws` is written out wherever blanks, newlines and comments may stand; a rule never begins or ends with
// it, so that the span of a node is exactly its text. `must<X>` is written where only X can follow; each such X has a
// message. Rules whose name begins with `r_` wrap another rule with error recovery (compiler/parse/recover.hpp). `k_` and
// `w_` begin the names of words: reserved ones, and ones that mean something only where they stand.
#pragma once

#include "grammar/rules/connectors.hpp"
#include "grammar/rules/flows.hpp"
#include "grammar/rules/tests.hpp"

namespace flow::grammar {

struct declaration : sor<named_flow, bare_flow, function, param, secret, record_decl, enum_decl, use, test, connector,
                         native_function> {};
struct declaration_wanted : seq<declaration> {};
struct r_declaration : seq<must<declaration_wanted>> {};
struct byte_order_mark : utf8::bom {};
struct file : seq<opt<byte_order_mark>, star<star<ws, separator>, ws, not_at<eof>, r_declaration>, star<ws, separator>, ws> {};

}  // namespace flow::grammar
