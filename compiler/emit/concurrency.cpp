// What runs side by side becomes functions of the module, which are given what they use.
#include <algorithm>

#include "compiler/emit/branch_emitter.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

// ---- What a branch is given

std::pair<Meaning::Kind, std::uint32_t> RoutineEmitter::capture_key(const Meaning& what) {
  const bool is_field = what.kind == Meaning::Kind::EntityField;
  return {is_field ? Meaning::Kind::Entity : what.kind, what.index};
}

// What the nodes mention that is not their own, in a fixed order, each once.
std::vector<RoutineEmitter::Capture> RoutineEmitter::captured(std::span<const NodeId> bodies) {
  std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture> found;
  for (const NodeId body : bodies) {
    const auto own = builder_.checked().branch_locals.at(body);
    find_captures(body, own, found);
  }
  std::vector<Capture> captures;
  for (auto& [key, capture] : found) captures.push_back(std::move(capture));
  return captures;
}

void RoutineEmitter::find_captures(NodeId node, std::pair<std::uint32_t, std::uint32_t> own,
                                   std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found) {
  const Meaning& what = meaning(node);
  const auto key = capture_key(what);
  if (what.kind == Meaning::Kind::Local) {
    if (what.index < own.first || what.index >= own.second)
      found.try_emplace(key, Capture{.meaning = what,
                                     .given = {.reg = local_registers_[what.index],
                                               .type = builder_.type(body_.locals[what.index].type)},
                                     .name = body_.locals[what.index].name});
  } else if (what.kind == Meaning::Kind::Setting) {
    capture_setting(what.index, found);
  } else if (const std::optional<Given> outside = given(what)) {
    found.try_emplace(
        key, Capture{.meaning = {.kind = key.first, .index = key.second},
                     .given = *outside,
                     .name = key.first == what.kind ? std::string(tree_.text(node)) : std::string()});
  }
  if (const auto invoke = builder_.checked().invokes.find(node); invoke != builder_.checked().invokes.end())
    for (const std::uint32_t setting : builder_.checked().functions[invoke->second.function].settings)
      capture_setting(setting, found);
  capture_protections(node, found);
  for (const NodeId kid : tree_.kids(node)) find_captures(kid, own, found);
}

void RoutineEmitter::capture_setting(std::uint32_t index,
                                     std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found) {
  const CheckedSetting& setting = builder_.checked().settings[index];
  const Meaning what{.kind = Meaning::Kind::Setting, .index = index};
  found.try_emplace(capture_key(what), Capture{.meaning = what,
                                               .given = {.reg = setting_registers_.at(index),
                                                         .type = builder_.type(setting.type)},
                                               .name = setting.name});
}

void RoutineEmitter::give(std::span<const Capture> captures, std::uint32_t first) {
  for (std::size_t i = 0; i < captures.size(); ++i) {
    const Capture& capture = captures[i];
    const bool is_local = capture.meaning.kind == Meaning::Kind::Local;
    if (is_local && body_.locals[capture.meaning.index].is_var &&
        types().is(body_.locals[capture.meaning.index].type, TypeKind::Map))
      code_.add(Op::Share, capture.given.reg);
    code_.add(Op::Move, static_cast<std::uint32_t>(first + i), capture.given.reg);
  }
}

// ---- Loops

// The list of a loop that has a limit, cut to it or refused.
void RoutineEmitter::limit_list(const LoopParts& parts, Register list) {
  if (parts.limit == kNoNode) return;
  const std::uint32_t taken = code_.taken();
  const Register bounds = code_.take(2);
  const auto limit = static_cast<Register>(bounds + 1);
  value(parts.limit, limit);
  code_.mark(parts.limit);
  if (parts.truncates) {
    integer(0, bounds);
    code_.add(Op::Slice, list, list, bounds);
  } else {
    Label fits;
    const Register length = code_.take();
    code_.add(Op::ListLength, length, list);
    code_.jump(Op::JumpIfLessEqual, length, limit, fits);
    const Register first = code_.take(4);
    load_text("the list has ", kStringType, first);
    code_.add(Op::ToText, first + 1u, length);
    load_text(" items, and the limit of the loop is ", kStringType, static_cast<Register>(first + 2));
    code_.add(Op::ToText, first + 3u, limit);
    code_.add(Op::Concat, first, first, 4);
    raise(FaultKind::LimitReached, first);
    code_.place(fits);
  }
  code_.release_to(taken);
}

// `n` items failed: `count` of them, the first with the message in `message`. Goes on when none did.
void RoutineEmitter::raise_collected(Register count, Register message) {
  Label none;
  code_.jump_short(Op::JumpIfEqualImm, count, 0, none);
  const std::uint32_t taken = code_.taken();
  const Register first = code_.take(3);
  code_.add(Op::ToText, first, count);
  load_text(" of the loop's items failed, the first with: ", kStringType, static_cast<Register>(first + 1));
  code_.add(Op::Unwrap, first + 2u, message);
  code_.add(Op::Concat, first, first, 3);
  code_.add(Op::Fail, first);
  code_.release_to(taken);
  code_.place(none);
}

bool RoutineEmitter::yields_once(NodeId body) const {
  const auto statements = tree_.kids(body);
  return !statements.empty() && tree_.kind(statements.back()) == NodeKind::Yield && yields_in(body) == 1;
}

std::size_t RoutineEmitter::yields_in(NodeId node) const {
  std::size_t yields = tree_.kind(node) == NodeKind::Yield ? 1 : 0;
  for (const NodeId kid : tree_.kids(node))
    if (tree_.kind(kid) != NodeKind::ForExpr) yields += yields_in(kid);
  return yields;
}

// A loop with `at most n at once`; `target` gets its list.
void RoutineEmitter::each(NodeId node, std::optional<Register> target) {
  const LoopParts parts = loop_parts(tree_, node);
  const std::uint32_t taken = code_.taken();
  const NodeId bodies[] = {parts.body};
  const std::vector<Capture> captures = captured(bodies);
  const Register list = code_.take(2 + captures.size());
  value(parts.list, list);
  limit_list(parts, list);
  value(parts.at_once, static_cast<Register>(list + 1));
  code_.mark(node);
  ensure_entities(node);
  give(captures, list + 2u);

  const TypeId yields = target ? types()[type_of(node)].element : kNoType;
  const bool is_single = target && yields_once(parts.body);
  const std::uint32_t function = builder_.reserve(1);
  BranchEmitter branch(builder_, tree_, body_, options_, node, protected_by_);
  branch.item(parts.item, item_type(parts.list));
  branch.item(parts.position, kIntType);
  branch.take_captures(captures);
  const TypeId result = branch.do_item(parts, yields, is_single);
  code_.exceed(branch.exceeded());
  builder_.put(function, branch.finish(result));
  builder_.module().types.list(result);

  const Register made = code_.take();
  code_.mark(node);
  code_.add_imm(Op::Each, made, list, 0, function);
  if (!target && parts.collects) {
    raise_failed_items(made);
  } else if (target && !is_single && !parts.collects) {
    Loop loop;
    code_.add_imm(Op::NewList, *target, *target, 0, builder_.type(type_of(node)));
    open_list(made, loop);
    code_.add(Op::JoinLists, *target, *target, loop.item);
    close_loop(loop);
  } else if (target) {
    code_.add(Op::Move, *target, made);
  }
  code_.release_to(taken);
}

// From a list of messages, null where an item succeeded.
void RoutineEmitter::raise_failed_items(Register messages) {
  const Register count = code_.take(), message = code_.take();
  integer(0, count);
  code_.add(Op::LoadNull, message);
  Loop loop;
  open_list(messages, loop);
  code_.jump(Op::JumpIfNull, loop.item, 0, loop.again);
  code_.add_imm(Op::AddIntImm, count, count, 0, 1);
  code_.jump(Op::JumpIfSet, message, 0, loop.again);
  code_.add(Op::Move, message, loop.item);
  close_loop(loop);
  raise_collected(count, message);
}

// ---- Branches

void RoutineEmitter::parallel(NodeId node) {
  const auto statements = tree_.kids(tree_.kid(node, 0));
  if (statements.empty()) return;
  const std::uint32_t taken = code_.taken();
  const std::vector<Capture> captures = captured(statements);
  const Register first = code_.take(std::max<std::size_t>(1, captures.size()));
  ensure_entities(node);
  give(captures, first);
  const auto count = static_cast<std::uint32_t>(statements.size());
  const std::uint32_t function = builder_.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    BranchEmitter branch(builder_, tree_, body_, options_, statements[i], protected_by_);
    branch.take_captures(captures);
    const TypeId result = branch.do_statement(statements[i]);
    code_.exceed(branch.exceeded());
    builder_.put(function + i, branch.finish(result));
  }
  code_.mark(node);
  code_.add_imm(tree_.kind(node) == NodeKind::Parallel ? Op::Parallel : Op::Race, code_.take(), first, count,
                function);
  code_.release_to(taken);
}

}  // namespace flow
