// `match`: all tests first, one behind the other, then what the arms do.
#include <algorithm>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

void RoutineEmitter::match(NodeId node, std::optional<Register> target) {
  const auto arms = tree_.kids(node).subspan(1);
  const NodeId subject_node = tree_.kid(node, 0);
  const std::uint32_t taken = code_.taken();
  const Register subject = operand(subject_node);
  std::vector<Label> bodies(arms.size());
  Label end;
  // The last arm takes what is left where that is all there is: an expression always gives something.
  const auto patterns = [&](NodeId arm) { return tree_.kids(arm).first(tree_.kids(arm).size() - 1); };
  const auto takes = [&](NodeId arm, NodeKind kind) {
    return std::ranges::any_of(patterns(arm), [&](NodeId pattern) { return tree_.kind(pattern) == kind; });
  };
  const bool has_any =
      std::ranges::any_of(arms, [&](NodeId arm) { return takes(arm, NodeKind::PatternAny); });
  if (types().is_optional(type_of(subject_node))) {
    const auto arm = std::ranges::find_if(arms, [&](NodeId candidate) {
      return takes(candidate, NodeKind::Null) || takes(candidate, NodeKind::PatternAny);
    });
    code_.jump(Op::JumpIfNull, subject, 0,
               arm == arms.end() ? end : bodies[static_cast<std::size_t>(arm - arms.begin())]);
  }
  bool is_decided = false;
  for (std::size_t i = 0; i < arms.size() && !is_decided; ++i) {
    if (takes(arms[i], NodeKind::PatternAny) || (target && !has_any && i + 1 == arms.size())) {
      code_.jump(bodies[i]);
      is_decided = true;
      break;
    }
    for (const NodeId pattern : patterns(arms[i])) {
      code_.mark(pattern);
      branch_pattern(subject, type_of(subject_node), pattern, bodies[i]);
    }
  }
  if (!is_decided) code_.jump(end);
  code_.release_to(target ? code_.taken() : taken);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    code_.place(bodies[i]);
    const NodeId body = tree_.kids(arms[i]).back();
    if (target)
      value(body, *target);
    else
      block(body);
    if (i + 1 < arms.size()) code_.jump(end);
  }
  code_.place(end);
  code_.release_to(taken);
}

// Goes to `target` when the subject, which is not null, is what the pattern says.
void RoutineEmitter::branch_pattern(Register subject, TypeId type, NodeId pattern, Label& target) {
  const NodeKind kind = tree_.kind(pattern);
  if (kind == NodeKind::Null) return;
  const std::uint32_t taken = code_.taken();
  const TypeId bare = types().without_null(type);
  const Storage storage = types().storage(bare);
  if (kind == NodeKind::PatternRange) {
    const Register low = operand(tree_.kid(pattern, 0)), high = operand(tree_.kid(pattern, 1));
    Label below;
    if (storage == Storage::Int) {
      code_.jump(Op::JumpIfLess, subject, low, below);
      code_.jump(Op::JumpIfLessEqual, subject, high, target);
    } else {
      const Register test = code_.take();
      code_.add(Op::LessEqualFloat, test, low, subject);
      code_.jump(Op::JumpIfNot, test, 0, below);
      code_.add(Op::LessEqualFloat, test, subject, high);
      code_.jump(Op::JumpIf, test, 0, target);
    }
    code_.place(below);
  } else if (storage == Storage::Bool) {
    code_.jump(kind == NodeKind::True ? Op::JumpIf : Op::JumpIfNot, subject, 0, target);
  } else if (storage == Storage::Enum) {
    code_.jump_short(Op::JumpIfEnum, subject, meaning(pattern).index, target);
  } else {
    const std::optional<Constant> known = folded(pattern);
    if (storage == Storage::Int && known && known->number == static_cast<std::int16_t>(known->number)) {
      code_.jump_short(Op::JumpIfEqualImm, subject, known->number, target);
    } else {
      const Register other = operand(pattern);
      if (storage == Storage::Int) {
        code_.jump(Op::JumpIfEqual, subject, other, target);
      } else {
        const Register test = code_.take();
        code_.add(storage == Storage::Float ? Op::EqualFloat : Op::EqualText, test, subject, other);
        code_.jump(Op::JumpIf, test, 0, target);
      }
    }
  }
  code_.release_to(taken);
}

}  // namespace flow
