// Modules from the text of flows, for tests of what starts them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {

// Fails the test when the text has a mistake. Quotas are left out: as fast as it goes. `connector` is one
// more that it can use.
inline Module compiled(const std::string& source, const std::string& connector = {}) {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  if (!connector.empty()) texts.push_back({"pretend.flow", connector});
  const Declarations declared = load_declarations(texts);
  for (const Diagnostic& each : declared.diagnostics.all()) ADD_FAILURE() << each.message;
  Compilation made = compile({"test.flow", source}, declared.library);
  if (!made.module) {
    for (const Diagnostic& each : made.diagnostics.all()) ADD_FAILURE() << each.message;
    return {};
  }
  for (Operation& operation : made.module->operations)
    for (Route& route : operation.routes) route.quota = {};
  return std::move(*made.module);
}

}  // namespace flow::test
