// Texts: templates and sums of texts. However they are nested, one text is joined by one instruction; what it
// begins with may then grow where it stands.
#include "compiler/emit/routine_emitter.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

constexpr std::size_t kConcatAtOnce = 16;  // longer texts are joined in parts, so that registers suffice

TypeId type_of_kind(NodeKind kind) {
  return kind == NodeKind::Html ? kHtmlType : kind == NodeKind::Kql ? kKqlType : kStringType;
}

}  // namespace

// A value as part of a text of the given kind.
void RoutineEmitter::hole(NodeId node, NodeKind text_kind, Register target) {
  // `{machineId}` of an alert without a device reads `(unknown)`: a mail about what went wrong must go out.
  const bool is_address = builder_.checked().address_holes.contains(node);
  const auto check_scheme = [&] {
    if (is_address)
      code_.add_imm(Op::Native, target, target, 0, static_cast<std::uint32_t>(NativeId::webAddress));
  };
  if (const auto reg = printable_register(node); reg && text_kind != NodeKind::Kql) {
    code_.add(Op::ToText, target, *reg);
    check_scheme();
    if (text_kind == NodeKind::Html) code_.add(Op::EscapeHtml, target, target);
    return;
  }
  const TypeId type = type_of(node);
  const bool is_done = text_kind == NodeKind::Html  ? type == kHtmlType
                       : text_kind == NodeKind::Kql ? false
                                                    : type == kStringType;
  if (is_done) return value(node, target);
  const std::uint32_t taken = code_.taken();
  Register from = target;
  if (const auto already = existing(node))
    from = *already;
  else
    value(node, target);
  if (text_kind == NodeKind::Kql) {
    code_.add(Op::QuoteKql, target, from);
  } else {
    code_.add(Op::ToText, target, from);
    check_scheme();
    if (text_kind == NodeKind::Html) code_.add(Op::EscapeHtml, target, target);
  }
  code_.release_to(taken);
}

void RoutineEmitter::text(NodeId node, Register target) {
  const NodeKind kind = tree_.kind(node);
  if (kind != NodeKind::Html && kind != NodeKind::Kql) return joined_texts(node, target);
  std::vector<TextPart> parts;
  Diagnostics told;  // by the checker
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::TextPiece)
      add_literal(decode_piece(tree_, kid, told), parts);
    else
      parts.push_back({.node = kid, .text = {}});
  }
  join(parts, kind, target);
}

void RoutineEmitter::joined_texts(NodeId node, Register target) {
  std::vector<TextPart> parts;
  collect_parts(node, parts);
  join(parts, NodeKind::Text, target);
}

void RoutineEmitter::add_literal(std::string text, std::vector<TextPart>& parts) const {
  if (options_.optimise && text.empty()) return;
  if (options_.optimise && !parts.empty() && parts.back().node == kNoNode)
    parts.back().text += text;
  else
    parts.push_back({.node = kNoNode, .text = std::move(text)});
}

void RoutineEmitter::collect_parts(NodeId node, std::vector<TextPart>& parts) {
  if (const auto known = folded(node)) {
    if (auto printed = folded_text(types(), *known)) return add_literal(std::move(*printed), parts);
  }
  const bool is_string = type_of(node) == kStringType && builder_.checked().is_unwrapped[node] == 0;
  switch (is_string ? tree_.kind(node) : NodeKind::Bad) {
    case NodeKind::Paren: return collect_parts(tree_.kid(node, 0), parts);
    case NodeKind::Sum:
      for (std::size_t i = 0; i < tree_.kids(node).size(); i += 2) collect_parts(tree_.kid(node, i), parts);
      return;
    case NodeKind::Text:
    case NodeKind::TextBlock: {
      Diagnostics told;
      for (const NodeId kid : tree_.kids(node)) {
        if (tree_.kind(kid) == NodeKind::TextPiece)
          add_literal(decode_piece(tree_, kid, told), parts);
        else
          collect_parts(kid, parts);
      }
      return;
    }
    default: parts.push_back({.node = node, .text = {}}); return;
  }
}

void RoutineEmitter::join(const std::vector<TextPart>& parts, NodeKind kind, Register target) {
  const auto part_into = [&](const TextPart& part, Register reg) {
    if (part.node == kNoNode)
      load_text(part.text, type_of_kind(kind), reg);
    else
      hole(part.node, kind, reg);
  };
  if (parts.empty()) return load_text({}, type_of_kind(kind), target);
  if (parts.size() == 1) return part_into(parts[0], target);
  const Register first = code_.take();
  std::size_t count = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    part_into(parts[i], count == 0 ? first : code_.take());
    if (++count < kConcatAtOnce || i + 1 == parts.size()) continue;
    code_.add(Op::Concat, first, first, static_cast<std::uint32_t>(count));
    code_.release_to(first + 1u);
    count = 1;
  }
  code_.add(Op::Concat, target, first, static_cast<std::uint32_t>(count));
}

}  // namespace flow
