// What an operation gives: the answer that says it succeeded.
#pragma once

#include "import/declaration.hpp"
#include "import/references.hpp"
#include "import/request.hpp"
#include "import/types.hpp"

namespace flow::importer {

void translate_answer(const DocumentOperation& source, References& references, Types& types,
                      Findings& findings, DeclaredOperation& into);

}  // namespace flow::importer
