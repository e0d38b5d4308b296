// docs/diagnostics/F*.md, as texts inside the program; made by CMake.
#pragma once

#include <string_view>
#include <vector>

namespace flow {

struct DiagnosticPage {
  std::string_view id;  // `F0204`
  std::string_view text;
};
std::vector<DiagnosticPage> diagnostic_pages();

}  // namespace flow
