#include "compiler/resolve/library_bytes.hpp"

#include "base/operation_bytes.hpp"

namespace flow {

template <>
inline constexpr TypePattern::Kind kLast<TypePattern::Kind> = TypePattern::Kind::Function;
template <>
inline constexpr TypeBound kLast<TypeBound> = TypeBound::Row;

FLOW_DESCRIBE(TypePattern) {
  io.enter();
  io(it.kind, it.type, it.variable, it.children);
  io.leave();
}
FLOW_DESCRIBE(StandardFunction::Parameter) {
  io(it.name, it.type, it.default_json);
}
FLOW_DESCRIBE(StandardFunction) {
  io(it.name, it.group, it.doc, it.examples, it.type_parameters, it.bounds, it.parameters, it.result,
     it.signature, it.key);
}
// The map of function names follows from the functions; those of types and operations do not, since a name
// may have been declared twice.
FLOW_DESCRIBE(Library) {
  io(it.error_type, it.connectors, it.operations, it.triggers, it.functions);
}

namespace {

template <class Io, class Value>
void read_names(Io& io, std::map<std::string, Value, std::less<>>& names) {
  std::vector<std::pair<std::string, Value>> rows;
  io(rows);
  for (auto& row : rows) names.insert(names.end(), std::move(row));
}

template <class Value>
std::vector<std::pair<std::string, Value>> rows_of(const std::map<std::string, Value, std::less<>>& names) {
  return {names.begin(), names.end()};
}

}  // namespace

std::string write_library(const Library& library) {
  ByteWriter out;
  write_types(out, library.types);
  const std::vector<std::string> behind_use(library.behind_use.begin(), library.behind_use.end());
  out(library, rows_of(library.type_names), rows_of(library.operation_names), behind_use);
  return out.take();
}

Result<Library> read_library(std::string_view bytes) {
  ByteReader in(bytes);
  Library library;
  read_types(in, library.types);
  in(library);
  read_names(in, library.type_names);
  read_names(in, library.operation_names);
  std::vector<std::string> behind_use;
  in(behind_use);
  library.behind_use.insert(behind_use.begin(), behind_use.end());
  for (std::uint32_t i = 0; i < library.functions.size(); ++i)
    library.function_names[library.functions[i].name].push_back(i);
  if (!in.failed() && in.remaining() > 0) in.fail("bytes are left over");
  if (in.failed()) return error("the library is damaged: " + in.problem());
  return library;
}

}  // namespace flow
