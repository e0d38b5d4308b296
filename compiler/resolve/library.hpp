// Everything flows can name that is declared outside of them: the types, operations and triggers of all
// connectors. Built once from connector declarations, then only read; a compilation copies the TypeTable to
// add its own types.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/operation.hpp"
#include "compiler/resolve/functions.hpp"
#include "compiler/resolve/lazy_list.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

struct Library {
  TypeTable types;
  TypeId error_type = 0;  // the record Error
  std::vector<Connector> connectors;
  LazyList<Operation> operations;
  std::vector<Trigger> triggers;
  std::map<std::string, TypeId, std::less<>> type_names;
  std::map<std::string, std::uint32_t, std::less<>> operation_names;  // `isolate` and `defender.isolate`
  LazyList<StandardFunction> functions;
  std::map<std::string, std::vector<std::uint32_t>, std::less<>>
      function_names;  // its overloads, as declared

  const Operation* operation(std::string_view connector, std::string_view name) const;
  const Trigger* trigger(std::string_view name) const;
};

// `trees` are the parsed declarations. What is wrong with them is reported; the rest is usable.
Library build_library(std::span<const Tree> trees, Diagnostics& diagnostics);
// The same with what `base` has, which the declarations may use.
Library extend_library(const Library& base, std::span<const Tree> trees, Diagnostics& diagnostics);

}  // namespace flow
