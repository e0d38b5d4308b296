// What the types of standard functions alone do not say: which fields are read, and the columns of tables.
#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/standard_functions.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void Checker::read_all_fields(TypeId type, std::set<TypeId>& seen) {
  if (!seen.insert(type).second) return;
  const Type& shape = out_.types[type];
  switch (shape.kind) {
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: return read_all_fields(shape.element, seen);
    case TypeKind::Record:
      for (std::uint32_t i = 0; i < out_.types.record(type).fields.size(); ++i) {
        out_.fields_read.insert({type, i});
        read_all_fields(out_.types.record(type).fields[i].type, seen);
      }
      return;
    default: return;
  }
}

bool Checker::special_rules(const FunctionCall& call, CheckedMethod& method, TypeId first, TypeId result) {
  using Kind = CheckedMethod::Kind;
  switch (method.kind) {
    case Kind::ToJson: {
      std::set<TypeId> seen;
      read_all_fields(first, seen);
      if (seen.contains(kSecretType) || seen.contains(kNothingType)) {
        report(Code::OperatorMismatch, call.ident, fmt::format("`{}` has no JSON", type_name(first)));
        return false;
      }
      return true;
    }
    case Kind::MapEntries: {
      const TypeId entry = out_.types[result].element;
      out_.fields_read.insert({entry, 0});
      out_.fields_read.insert({entry, 1});
      return true;
    }
    case Kind::HtmlTable:
    case Kind::CsvTable: return table_columns(call, method, first);
    default: return true;
  }
}

// Whether a value can stand in a cell of a table.
bool Checker::is_cell(TypeId type) const {
  const TypeId bare = out_.types.without_null(type);
  if (out_.types.is(bare, TypeKind::List)) return is_plain_text(out_.types, out_.types[bare].element);
  const Storage storage = out_.types.storage(bare);
  return bare != kSecretType && bare != kKqlType &&
         (storage == Storage::Bool || storage == Storage::Int || storage == Storage::Float ||
          storage == Storage::Text || storage == Storage::Enum);
}

// Records have their columns when the flow is compiled: those that are named in place, or all fields that can
// stand in a cell.
bool Checker::table_columns(const FunctionCall& call, CheckedMethod& method, TypeId rows) {
  const TypeId row = out_.types[rows].element;
  const NodeId columns = method.arguments[0];
  if (out_.types.is(row, TypeKind::Map)) {
    if (is_cell(out_.types[row].element)) return true;
    report(Code::OperatorMismatch, call.ident,
           fmt::format("`{}` cannot stand in a cell of a table", type_name(out_.types[row].element)));
    return false;
  }
  const RecordType& record = out_.types.record(row);
  if (columns == kNoNode) {
    for (std::uint32_t i = 0; i < record.fields.size(); ++i)
      if (is_cell(record.fields[i].type)) method.columns.push_back(i);
  } else if (tree_.kind(columns) != NodeKind::List) {
    report(Code::TypeMismatch, columns, "the columns of records are named in place, as `[\"name\", \"ip\"]`");
    return false;
  } else {
    for (const NodeId item : tree_.kids(columns)) {
      Diagnostics told;
      const bool is_name = tree_.kind(item) == NodeKind::Text && !has_holes(tree_, item);
      const std::string name = is_name ? plain_text(tree_, item, told) : std::string();
      const auto field = record.field(name);
      if (!field) {
        Diagnostic& d =
            report(Code::UnknownField, item, fmt::format("`{}` has no field {}", record.name, quoted(item)));
        std::vector<std::string> names;
        for (const RecordField& known : record.fields) names.push_back(known.name);
        if (const auto near = nearest_name(name, names))
          d.fix(tree_.span(item), json_quoted(*near), fmt::format("did you mean `{}`?", *near));
        return false;
      }
      if (!is_cell(record.fields[*field].type)) {
        report(Code::OperatorMismatch, item,
               fmt::format("{} is `{}`, which cannot stand in a cell of a table", quoted(item),
                           type_name(record.fields[*field].type)));
        return false;
      }
      method.columns.push_back(*field);
    }
  }
  for (const std::uint32_t field : method.columns) out_.fields_read.insert({row, field});
  return true;
}

}  // namespace flow
