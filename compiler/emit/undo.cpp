// `on undo`: what is registered on the way, and carried out backwards when the run fails. Each statement has
// a list for each value that it needs, and all together a list of which was registered when; so a statement
// in a loop is undone as often as it was reached, with the values there were.
#include "compiler/emit/flow_emitter.hpp"

namespace flow {

void FlowEmitter::declare_undos() {
  if (flow_.undos.empty()) return;
  undo_order_ = code_.take();
  code_.add_imm(Op::NewList, undo_order_, undo_order_, 0, builder_.module().types.list(kIntType));
  for (const NodeId node : flow_.undos) {
    UndoSite site{.number = static_cast<std::int64_t>(undo_sites_.size()), .lists = {}};
    const NodeId bodies[] = {tree_.kid(node, 0)};
    for (const Capture& capture : captured(bodies)) {
      if (capture.meaning.kind != Meaning::Kind::Local) continue;
      const Register list = code_.take();
      code_.add_imm(Op::NewList, list, list, 0, builder_.module().types.list(capture.given.type));
      site.lists.emplace(capture.meaning.index, list);
    }
    undo_sites_.emplace(node, std::move(site));
  }
}

void FlowEmitter::undo(NodeId node) {
  const UndoSite& site = undo_sites_.at(node);
  ensure_entities(node);
  for (const auto& [local, list] : site.lists) {
    const Register reg = local_registers_[local];
    if (types().is(body_.locals[local].type, TypeKind::Map)) code_.add(Op::Share, reg);
    code_.add(Op::Append, list, reg);
  }
  const Register number = code_.take();
  integer(site.number, number);
  code_.add(Op::Append, undo_order_, number);
}

// The last item of the list into `target`, and the list without it.
void FlowEmitter::take_last(Register list, Register target) {
  const std::uint32_t taken = code_.taken();
  const Register from = code_.take(2);
  const auto last = static_cast<Register>(from + 1);
  integer(0, from);
  code_.add(Op::ListLength, last, list);
  code_.add_imm(Op::AddIntImm, last, last, 0, -1);
  code_.add(Op::GetItem, target, list, last);
  code_.add(Op::Slice, list, list, from);
  code_.release_to(taken);
}

void FlowEmitter::emit_undos() {
  if (flow_.undos.empty()) return;
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  Label done;
  const std::uint32_t again = code_.here();
  const Register number = code_.take();
  code_.mark(flow_.undos.front());
  code_.add(Op::ListLength, number, undo_order_);
  code_.jump_short(Op::JumpIfEqualImm, number, 0, done);
  take_last(undo_order_, number);
  for (const NodeId node : flow_.undos) {
    const UndoSite& site = undo_sites_.at(node);
    const std::uint32_t before = code_.taken();
    const std::size_t known = code_.names();
    Label next;
    code_.mark(node);
    code_.jump_short(Op::JumpIfNotEqualImm, number, site.number, next);
    for (const auto& [local, list] : site.lists) {
      const Register reg = code_.take();
      take_last(list, reg);
      name_local(local, reg);
    }
    Guard guard;
    open_guard(guard);
    block(tree_.kid(node, 0));
    close_guard(guard);
    code_.jump_back(Op::Jump, 0, again);
    if (guard.begin < guard.end) {  // the others are undone all the same
      const Register first = code_.take(2);
      const Register message = place_handler(guard);
      code_.mark(node);
      load_text("not undone: ", kStringType, first);
      code_.add(Op::Move, first + 1u, message);
      code_.add(Op::Concat, first, first, 2);
      code_.add(Op::Log, first);
      code_.jump_back(Op::Jump, 0, again);
    }
    end_locals(before, known);
    code_.place(next);
  }
  code_.jump_back(Op::Jump, 0, again);
  code_.place(done);
  end_locals(taken, names);
}

}  // namespace flow
