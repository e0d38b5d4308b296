// The pages of docs/generated/, made from the tables that the program itself is made from.
#pragma once

#include <string>
#include <vector>

#include "compiler/resolve/library.hpp"

namespace flow {

struct GeneratedPage {
  std::string file;  // `bytecode.md`
  std::string text;
};

// bytecode.md, errors.md, keywords.md, log.md, metrics.md and, from `library`, functions.md, operations.md
// and power-automate.md. The same library gives the same bytes.
std::vector<GeneratedPage> generated_pages(const Library& library);

std::string operations_page(const Library& library);
std::string power_automate_page(const Library& library);
std::string functions_page(const Library& library);
std::string metrics_page();
std::string log_page();
// A text as it may stand in a cell of a Markdown table.
std::string cell(std::string_view text);

}  // namespace flow
