// Names and types of one source. Gives tables for later passes; they are complete only when no error was
// reported.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/check/checked.hpp"

namespace flow {

// What the parts of a joined tree are to each other. A tree of one file has none.
struct Modules {
  struct Import {
    std::optional<std::uint32_t> part;
    std::string connector;  // its name; empty with no part either when nothing was found, which is told
  };
  std::vector<std::string> names;    // of each part; that of the first, the program itself, is not looked at
  std::map<NodeId, Import> imports;  // by Use
  bool is_module = false;            // the program itself is one: it need not declare a flow
};

CheckedFile check(const Tree& tree, const Library& library, Diagnostics& diagnostics,
                  const Modules& modules = {});

}  // namespace flow
