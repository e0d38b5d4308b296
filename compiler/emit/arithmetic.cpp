// Sums and products: of numbers, of times and lengths of time, and of lists.
#include "compiler/emit/routine_emitter.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

Op float_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddFloat;
    case NodeKind::OpSubtract: return Op::SubtractFloat;
    case NodeKind::OpMultiply: return Op::MultiplyFloat;
    default: return Op::DivideFloat;
  }
}
Op int_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddInt;
    case NodeKind::OpSubtract: return Op::SubtractInt;
    case NodeKind::OpMultiply: return Op::MultiplyInt;
    case NodeKind::OpDivide: return Op::DivideInt;
    default: return Op::ModuloInt;
  }
}
Op span_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddSpan;
    case NodeKind::OpSubtract: return Op::SubtractSpan;
    case NodeKind::OpMultiply: return Op::MultiplySpan;
    case NodeKind::OpDivide: return Op::DivideSpan;
    default: return Op::ModuloSpan;
  }
}

bool fits(std::int64_t number) {
  return number == static_cast<std::int32_t>(number);
}

}  // namespace

void RoutineEmitter::arithmetic(NodeId node, Register target) {
  const auto kids = tree_.kids(node);
  const bool is_float = type_of(node) == kFloatType;
  if (tree_.kind(node) == NodeKind::Negate)
    return code_.add(is_float ? Op::NegateFloat : Op::NegateInt, target, operand(kids[0]));
  if (type_of(node) == kStringType) return joined_texts(node, target);
  if (types().is(type_of(node), TypeKind::List)) return joined_lists(node, target);

  Form form = form_of(type_of(kids[0]));  // of what stands in `sum`: Time, Duration or a plain Int
  std::size_t at = 1;
  Register sum = 0;
  const std::uint32_t taken = code_.taken();
  // The results before the last stay in a temporary, for an operand may need `target`.
  const auto place_for = [&](std::size_t op) {
    if (op + 2 >= kids.size()) return target;
    code_.release_to(taken);
    return code_.take();
  };
  const NodeKind first_op = tree_.kind(kids[1]);
  const auto first = folded(kids[0]);
  const bool commutes = first_op == NodeKind::OpAdd || first_op == NodeKind::OpMultiply;
  if (first && first->type == kIntType && fits(first->number) && commutes && !folded(kids[2]) &&
      type_of(kids[2]) == kIntType && !is_float) {  // 3 * x
    const Register right = operand(kids[2]);
    sum = place_for(1);
    arithmetic_with_number(first_op, right, kids[0], sum);
    at = 3;
  } else {
    sum = operand(kids[0]);
  }
  for (; at + 1 < kids.size(); at += 2) {
    const NodeKind op = tree_.kind(kids[at]);
    const NodeId right = kids[at + 1];
    const Form right_form = form_of(type_of(right));
    const bool is_span = !is_float && (form != Form::Plain || right_form != Form::Plain);
    if (!is_float && !is_span) {
      const std::uint32_t before = code_.taken();
      const Register partial = place_for(at);
      if (arithmetic_with_number(op, sum, right, partial)) {
        sum = partial;
        continue;
      }
      code_.release_to(before);
    }
    const Register next = operand(right);
    Op instruction = is_float ? float_op(op) : int_op(op);
    if (is_span) {
      instruction = span_op(op);
      form = arithmetic_form(instruction, form, right_form).value_or(Form::Plain);
    }
    const Register partial = place_for(at);
    code_.add(instruction, partial, sum, next);
    sum = partial;
  }
}

// Writes `x op right` when there is an instruction for a number that is known. Says whether.
bool RoutineEmitter::arithmetic_with_number(NodeKind op, Register x, NodeId right, Register target) {
  const auto known = folded(right);
  if (!known || known->type != kIntType || !fits(known->number)) return false;
  const std::int64_t number = known->number;
  const bool is_division = op == NodeKind::OpDivide || op == NodeKind::OpModulo;
  if (is_division && (number == 0 || number == -1)) return false;
  if (op == NodeKind::OpSubtract && !fits(-number)) return false;
  const Op instruction = op == NodeKind::OpMultiply ? Op::MultiplyIntImm
                         : op == NodeKind::OpDivide ? Op::DivideIntImm
                         : op == NodeKind::OpModulo ? Op::ModuloIntImm
                                                    : Op::AddIntImm;
  code_.add_imm(instruction, target, x, 0, op == NodeKind::OpSubtract ? -number : number);
  return true;
}

// `list + [item]` grows the list by its items; other lists are joined.
void RoutineEmitter::joined_lists(NodeId node, Register target) {
  constexpr std::size_t kMostAppended = 4;
  const auto kids = tree_.kids(node);
  Register sum = operand(kids[0]);
  const Register partial = kids.size() > 3 ? code_.take() : target;
  const std::uint32_t taken = code_.taken();
  for (std::size_t at = 2; at < kids.size(); at += 2) {
    const NodeId right = without_parens(kids[at]);
    const Register joined = at + 2 < kids.size() ? partial : target;
    if (tree_.kind(right) == NodeKind::List && tree_.kids(right).size() <= kMostAppended) {
      std::vector<Register> items;
      for (const NodeId item : tree_.kids(right)) items.push_back(kept_operand(item));
      code_.add(Op::Move, joined, sum);
      for (const Register item : items) code_.add(Op::Append, joined, item);
    } else {
      code_.add(Op::JoinLists, joined, sum, operand(right));
    }
    sum = joined;
    code_.release_to(taken);
  }
}

}  // namespace flow
