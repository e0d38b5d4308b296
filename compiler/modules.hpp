// The files that a program consists of: the one that is compiled, and those it names with `use`, directly or
// through others. Who compiles says where modules are; the compiler reads no file.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/check/check.hpp"
#include "compiler/resolve/library.hpp"

namespace flow {

// A text and the name to show for it.
struct NamedText {
  std::string name;
  std::string text;
};

// What a `use` asks for.
struct ModuleRequest {
  std::string_view from;    // the name of the file that has the `use`
  std::string_view module;  // `notify`, or a path as it is written
  bool is_path = false;
};
struct FoundModule {
  std::string id;  // the same for the same file, however it is named
  NamedText source;
};
struct MissingModule {
  std::vector<std::string> looked_for;  // paths, in that order
  std::vector<std::string> there;       // what could be written instead
  std::string problem;                  // of a file that is there and cannot be read; or empty
};
using ModuleLoader = std::function<std::variant<FoundModule, MissingModule>(const ModuleRequest&)>;

struct ProgramSources {
  Files files;
  std::vector<Tree> trees;  // by file
  // By file, its Use nodes with what they name. Node numbers are those of the tree.
  std::vector<std::map<NodeId, Modules::Import>> imports;
  std::vector<std::string> names;  // of modules, as call stacks show them; unlike each other
};

// Parses the source and all modules. Each file is asked for once, in the order of the text; without a loader
// there are no files. Reports what cannot be found, and modules that use each other in a circle.
ProgramSources load_program(NamedText source, const std::string& id, const Library& library,
                            const ModuleLoader& loader, Diagnostics& diagnostics);

// The program's trees as one, with its modules; empties `program.trees`.
Tree join(ProgramSources& program, Modules& modules);

}  // namespace flow
