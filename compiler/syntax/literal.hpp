// What literals mean. Mistakes in them are reported once, here; the result is then a harmless stand-in.
#pragma once

#include <cstdint>
#include <string>

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// The text of a TextPiece with its escapes carried out: \n \t \r \" \\ \{ \} \u{1F600}, `{{` and `}}`.
// In a RawText nothing is an escape: take the piece's source text instead.
std::string decode_piece(const Tree& tree, NodeId piece, Diagnostics& diagnostics);
// A whole Text without holes (a Text, TextBlock or RawText node); holes are left out.
std::string plain_text(const Tree& tree, NodeId text, Diagnostics& diagnostics);
// Whether a Key is an expression in brackets.
bool is_computed_key(const Tree& tree, NodeId key);
// A Key that is a word or a string; keys have no holes.
std::string key_text(const Tree& tree, NodeId key, Diagnostics& diagnostics);
bool has_holes(const Tree& tree, NodeId text);

std::int64_t int_value(const Tree& tree, NodeId literal, Diagnostics& diagnostics);
// Whether it is `-9223372036854775808`: an Int, although what stands behind the sign is none.
bool is_least_int(const Tree& tree, NodeId node);
double float_value(const Tree& tree, NodeId literal, Diagnostics& diagnostics);
std::int64_t duration_value_us(const Tree& tree, NodeId literal, Diagnostics& diagnostics);

}  // namespace flow
