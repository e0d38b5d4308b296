// `match`: all tests first, one behind the other, then what the arms do.
#include <algorithm>
#include <map>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

void RoutineEmitter::match(NodeId node, std::optional<Register> target) {
  const auto arms = tree_.kids(node).subspan(1);
  const NodeId subject_node = tree_.kid(node, 0);
  const std::uint32_t taken = code_.taken();
  const Register subject = operand(subject_node);
  std::vector<Label> bodies(arms.size());
  Label end;
  // The names of arms keep their registers until the arms are carried out.
  const std::size_t names = code_.names();
  std::map<NodeId, Register> named;
  // The last arm takes what is left where that is all there is: an expression always gives something.
  const auto patterns = [&](NodeId arm) { return tree_.kids(arm).first(tree_.kids(arm).size() - 1); };
  const auto takes = [&](NodeId arm, NodeKind kind) {
    return std::ranges::any_of(patterns(arm), [&](NodeId pattern) { return tree_.kind(pattern) == kind; });
  };
  const bool has_any =
      std::ranges::any_of(arms, [&](NodeId arm) { return takes(arm, NodeKind::PatternAny); });
  const std::uint32_t begin = code_.here();
  if (types().is_optional(type_of(subject_node))) {
    const auto arm = std::ranges::find_if(arms, [&](NodeId candidate) {
      return takes(candidate, NodeKind::Null) || takes(candidate, NodeKind::PatternAny);
    });
    code_.jump(Op::JumpIfNull, subject, 0,
               arm == arms.end() ? end : bodies[static_cast<std::size_t>(arm - arms.begin())]);
  }
  const auto takes_all = [&](NodeId arm) {
    return takes(arm, NodeKind::PatternAny) || std::ranges::any_of(patterns(arm), [&](NodeId pattern) {
             return tree_.kind(pattern) == NodeKind::PatternIs &&
                    type_of(tree_.kid(pattern, 0)) == types().without_null(type_of(subject_node));
           });
  };
  for (const NodeId arm : arms)
    for (const NodeId pattern : patterns(arm))
      if (tree_.kind(pattern) == NodeKind::PatternIs && tree_.kids(pattern).size() > 1)
        named.emplace(pattern, code_.take());
  const std::uint32_t names_end = code_.taken();
  bool is_decided = false;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (takes_all(arms[i]) || (target && !has_any && i + 1 == arms.size())) {
      if (const auto name = named.find(patterns(arms[i])[0]); name != named.end()) {
        if (is_map_variable(subject_node)) code_.add(Op::Share, subject);
        code_.add(Op::Unwrap, name->second, subject);
      }
      code_.jump(bodies[i]);
      is_decided = true;
      break;
    }
    for (const NodeId pattern : patterns(arms[i])) {
      code_.mark(pattern);
      if (tree_.kind(pattern) == NodeKind::PatternIs)
        branch_type(subject, type_of(subject_node), pattern, named, bodies[i]);
      else
        branch_pattern(subject, type_of(subject_node), pattern, bodies[i]);
    }
  }
  if (!is_decided) code_.jump(end);
  const std::uint32_t behind = code_.here();
  code_.release_to(target ? code_.taken() : named.empty() ? taken : names_end);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    code_.place(bodies[i]);
    if (options_.points != nullptr)
      options_.points->push_back({.routine = body_.name,
                                  .begin = begin,
                                  .end = behind,
                                  .when = true,
                                  .condition = arms[i],
                                  .match = node,
                                  .taken = code_.here()});
    const NodeId body = tree_.kids(arms[i]).back();
    const std::size_t before = code_.names();
    if (const auto name = named.find(patterns(arms[i])[0]); name != named.end())
      name_local(meaning(tree_.kid(name->first, 1)).index, name->second);
    if (target)
      value(body, *target);
    else
      block(body);
    code_.end_names(before);
    if (i + 1 < arms.size()) code_.jump(end);
  }
  code_.place(end);
  end_locals(taken, names);
}

// `is Type`: the conversion is tried, and its fault handled here; what it makes is what the arm names.
void RoutineEmitter::branch_type(Register subject, TypeId type, NodeId pattern,
                                 const std::map<NodeId, Register>& named, Label& target) {
  const std::uint32_t taken = code_.taken();
  const TypeId wanted = type_of(tree_.kid(pattern, 0));
  const auto name = named.find(pattern);
  const Register made = name == named.end() ? code_.take() : name->second;
  const Op op = types().without_null(type) == kJsonType ? Op::JsonTo : Op::CheckText;
  const std::uint32_t begin = code_.here();
  code_.add_imm(op, made, subject, 0, builder_.type(wanted));
  const std::uint32_t behind = code_.here();
  code_.jump(target);
  if (begin < behind)
    routine_.handlers.push_back(
        {.begin = begin, .end = behind, .target = code_.here(), .register_ = code_.take()});
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
