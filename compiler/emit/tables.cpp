// Tables of rows, as HTML and as CSV. The columns of records are known here; those of maps are a list in the
// run.
#include "base/text.hpp"
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

// `text` with a constant behind it; a register behind `text` is free for it.
void RoutineEmitter::grow(Register text, std::string more, TypeId type) {
  const auto behind = static_cast<Register>(text + 1);
  load_text(std::move(more), type, behind);
  code_.add(Op::Concat, text, text, 2);
}

// The value as a cell of a table: escaped HTML, or a cell of CSV. Null is empty.
void RoutineEmitter::cell(Register value, TypeId type, bool is_html, Register target) {
  const TypeId text_type = is_html ? kHtmlType : kStringType;
  const TypeId bare = types().without_null(type);
  Label is_null, end;
  const bool may_be_null = types().is_optional(type);
  if (may_be_null) code_.jump(Op::JumpIfNull, value, 0, is_null);
  const std::uint32_t taken = code_.taken();
  const bool is_list = types().is(bare, TypeKind::List);
  if (is_list) {
    const Register between = code_.take();
    load_text(", ", kStringType, between);
    code_.add(Op::JoinTexts, target, value, between);
  } else if (is_html && bare == kHtmlType) {
    code_.add(Op::Move, target, value);
  } else {
    code_.add(Op::ToText, target, value);
  }
  if (is_html && bare != kHtmlType) code_.add(Op::EscapeHtml, target, target);
  const Storage storage = types().storage(bare);
  const bool is_text = is_list || storage == Storage::Text || storage == Storage::Enum;
  if (!is_html && is_text) {
    const Register argument = code_.take();
    code_.add(Op::Move, argument, target);
    code_.add_imm(Op::Native, target, argument, 0, static_cast<std::int64_t>(NativeId::csvCell));
  }
  code_.release_to(taken);
  if (!may_be_null) return;
  code_.jump(end);
  code_.place(is_null);
  load_text("", text_type, target);
  code_.place(end);
}

// The names that are given, or all keys of all rows in the order in which they first come.
RoutineEmitter::Register RoutineEmitter::table_columns(const CheckedMethod& method, Register rows) {
  TypeTable& made = builder_.module().types;
  const TypeId names = made.list(kStringType);
  const Register columns = code_.take();
  const NodeId given = method.arguments[0];
  Label has_columns;
  const bool is_given = given != kNoNode && type_of(given) != kNullType;
  if (is_given) {
    const Register maybe = code_.take();
    value(given, maybe);
    if (!types().is_optional(type_of(given))) {
      code_.add(Op::Move, columns, maybe);
      return columns;
    }
    Label is_null, end;
    code_.jump(Op::JumpIfNull, maybe, 0, is_null);
    code_.add(Op::Move, columns, maybe);
    code_.jump(has_columns);
    code_.place(is_null);
  }
  const Register known = code_.take(), yes = code_.take();
  code_.add_imm(Op::NewMap, known, 0, 0, made.map(kStringType, kBoolType));
  code_.add(Op::LoadBool, yes, 1);
  Loop each_row;
  open_list(rows, each_row);
  Loop each_key;
  open_map(each_row.item, each_key);
  code_.add(Op::SetKey, known, each_key.item, yes);
  close_loop(each_key);
  close_loop(each_row);
  code_.add_imm(Op::Keys, columns, known, 0, names);
  code_.place(has_columns);
  return columns;
}

void RoutineEmitter::html_table(const CheckedMethod& method, Register target) {
  const TypeId row_type = item_type(method.receiver);
  const bool is_map = types().is(row_type, TypeKind::Map);
  const Register rows = operand(method.receiver);
  const Register columns = is_map ? table_columns(method, rows) : Register{0};
  const Register page = code_.take(2), field = code_.take();
  const auto made = static_cast<Register>(page + 1);
  if (is_map) {
    builder_.module().types.optional(builder_.type(types()[row_type].element));
    load_text("<table><tr>", kHtmlType, page);
    Loop head;
    open_list(columns, head);
    grow(page, "<th>", kHtmlType);
    cell(head.item, kStringType, true, made);
    code_.add(Op::Concat, page, page, 2);
    grow(page, "</th>", kHtmlType);
    close_loop(head);
    grow(page, "</tr>", kHtmlType);
  } else {
    std::string head = "<table><tr>";
    for (const std::uint32_t column : method.columns)
      head += "<th>" + html_escaped(types().record(row_type).fields[column].name) + "</th>";
    load_text(head + "</tr>", kHtmlType, page);
  }
  const auto add_cell = [&](Register from, TypeId type) {
    grow(page, "<td>", kHtmlType);
    cell(from, type, true, made);
    code_.add(Op::Concat, page, page, 2);
    grow(page, "</td>", kHtmlType);
  };
  Loop loop;
  open_list(rows, loop);
  grow(page, "<tr>", kHtmlType);
  if (is_map) {
    const TypeId element = types()[row_type].element;
    Loop each;
    open_list(columns, each);
    code_.add(Op::GetKey, field, loop.item, each.item);
    Label is_absent;
    grow(page, "<td>", kHtmlType);
    code_.jump(Op::JumpIfNull, field, 0, is_absent);
    cell(field, element, true, made);
    code_.add(Op::Concat, page, page, 2);
    code_.place(is_absent);
    grow(page, "</td>", kHtmlType);
    close_loop(each);
  } else {
    for (const std::uint32_t column : method.columns) {
      const TypeId type = types().record(row_type).fields[column].type;
      builder_.type(type);
      code_.add(Op::GetField, field, loop.item, builder_.field(row_type, column));
      add_cell(field, type);
    }
  }
  grow(page, "</tr>", kHtmlType);
  close_loop(loop);
  grow(page, "</table>", kHtmlType);
  code_.add(Op::Move, target, page);
}

void RoutineEmitter::csv_table(const CheckedMethod& method, Register target) {
  const TypeId row_type = item_type(method.receiver);
  const bool is_map = types().is(row_type, TypeKind::Map);
  const TypeId names = builder_.module().types.list(kStringType);
  const Register rows = operand(method.receiver);
  const Register columns = is_map ? table_columns(method, rows) : Register{0};
  const Register page = code_.take(2), cells = code_.take(), comma = code_.take(), field = code_.take(),
                 made = code_.take();
  const auto behind = static_cast<Register>(page + 1);
  load_text("", kStringType, page);
  load_text(",", kStringType, comma);
  const auto end_line = [&] {
    code_.add(Op::JoinTexts, behind, cells, comma);
    code_.add(Op::Concat, page, page, 2);
    grow(page, "\r\n", kStringType);
  };
  const auto add_cell = [&](Register from, TypeId type) {
    cell(from, type, false, made);
    code_.add(Op::Append, cells, made);
  };
  code_.add_imm(Op::NewList, cells, cells, 0, names);
  if (is_map) {
    builder_.module().types.optional(builder_.type(types()[row_type].element));
    Loop head;
    open_list(columns, head);
    add_cell(head.item, kStringType);
    close_loop(head);
  } else {
    for (const std::uint32_t column : method.columns) {
      load_text(types().record(row_type).fields[column].name, kStringType, field);
      add_cell(field, kStringType);
    }
  }
  end_line();
  Loop loop;
  open_list(rows, loop);
  code_.add_imm(Op::NewList, cells, cells, 0, names);
  if (is_map) {
    Loop each;
    open_list(columns, each);
    code_.add(Op::GetKey, field, loop.item, each.item);
    Label is_absent, end;
    code_.jump(Op::JumpIfNull, field, 0, is_absent);
    cell(field, types()[row_type].element, false, made);
    code_.jump(end);
    code_.place(is_absent);
    load_text("", kStringType, made);
    code_.place(end);
    code_.add(Op::Append, cells, made);
    close_loop(each);
  } else {
    for (const std::uint32_t column : method.columns) {
      const TypeId type = types().record(row_type).fields[column].type;
      builder_.type(type);
      code_.add(Op::GetField, field, loop.item, builder_.field(row_type, column));
      add_cell(field, type);
    }
  }
  end_line();
  close_loop(loop);
  code_.add(Op::Move, target, page);
}

}  // namespace flow
