// The compiler's one door: sources and declarations in, a Compilation out. Reads no file, opens no socket.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/analyse/analyse.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/modules.hpp"
#include "compiler/plan/plan.hpp"
#include "compiler/resolve/library.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// The declarations that every compilation sees. Mistakes in them are in `diagnostics`, file i being texts[i].
struct Declarations {
  Library library;
  Files files;
  Diagnostics diagnostics;
};
Declarations load_declarations(const std::vector<NamedText>& texts);

struct Compilation {
  Files files;  // the source, as file 0, then the modules it uses
  Diagnostics diagnostics;
  Tree tree;
  CheckedFile checked;
  std::vector<FlowPlan> plans;   // one per flow; empty after errors
  Analysis analysis;             // empty after errors
  std::optional<Module> module;  // absent after errors
  // What it was compiled with: what the caller gave, and the connectors that used files declare. Valid as
  // long as the caller's.
  const Library* library = nullptr;
  std::shared_ptr<const Library> own_library;  // of `library`, when files declare connectors
};
// What a source is compiled for. To check a module it needs no flow; to run it it does.
enum class Purpose : std::uint8_t { Run, Check };
// `loader` finds what the source names with `use`. `id` is what the loader would call the source itself.
Compilation compile(NamedText source, const Library& library, const ModuleLoader& loader = {},
                    const std::string& id = {}, const AnalyseOptions& options = {},
                    Purpose purpose = Purpose::Run);

// The flows of a compilation without errors, and behind them its test values, for `flow test`: not optimised,
// so that what is carried out is what is written. `points` gets where conditions are decided. Nothing, and
// diagnostics, when it does not fit a module.
std::optional<Module> compile_tests(Compilation& compilation, CoveragePoints* points);

}  // namespace flow
