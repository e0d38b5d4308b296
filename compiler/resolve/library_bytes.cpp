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
FLOW_DESCRIBE(Library) {
  io(it.error_type, it.connectors, it.triggers);
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

// The bytes of each element, one after the other, and how many each has.
template <class T>
std::vector<std::uint32_t> append_each(std::string& bytes, const LazyList<T>& list) {
  std::vector<std::uint32_t> sizes;
  for (const T& item : list) {
    ByteWriter out;
    out(item);
    const std::string written = out.take();
    sizes.push_back(static_cast<std::uint32_t>(written.size()));
    bytes += written;
  }
  return sizes;
}

template <class T>
T read_item(std::string_view bytes) {
  ByteReader in(bytes);
  T item;
  in(item);
  FLOW_CHECK(!in.failed() && in.remaining() == 0, "a library holds what was written");
  return item;
}

// Takes as many elements off `bytes` as there are sizes; false when they are not all there.
template <class T>
bool take_each(std::string_view& bytes, const std::vector<std::uint32_t>& sizes, LazyList<T>& list) {
  for (const std::uint32_t size : sizes) {
    if (size > bytes.size()) return false;
    list.push_bytes(bytes.substr(0, size), &read_item<T>);
    bytes.remove_prefix(size);
  }
  return true;
}

}  // namespace

std::string write_library(const Library& library) {
  std::string items;
  const std::vector<std::uint32_t> operations = append_each(items, library.operations);
  const std::vector<std::uint32_t> functions = append_each(items, library.functions);
  ByteWriter out;
  write_types(out, library.types);
  out(library, rows_of(library.type_names), rows_of(library.operation_names), rows_of(library.function_names),
      operations, functions);
  return out.take() + items;
}

Result<Library> read_library(std::string_view bytes) {
  ByteReader in(bytes);
  Library library;
  read_types(in, library.types);
  in(library);
  read_names(in, library.type_names);
  read_names(in, library.operation_names);
  read_names(in, library.function_names);
  std::vector<std::uint32_t> operations, functions;
  in(operations, functions);
  if (in.failed()) return error("the library is damaged: " + in.problem());
  std::string_view items = bytes.substr(bytes.size() - in.remaining());
  if (!take_each(items, operations, library.operations) || !take_each(items, functions, library.functions) ||
      !items.empty())
    return error("the library is damaged: its operations and functions are not all there");
  return library;
}

}  // namespace flow
