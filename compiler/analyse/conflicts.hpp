// Flows that undo each other: one calls an operation and another its inverse, on the same target, for events
// that both take.
#pragma once

#include <span>

#include "base/diagnostic.hpp"
#include "compiler/analyse/conditions.hpp"

namespace flow {

// What has to be known of a file's flows. All refer to what outlives the search.
struct AnalysedFile {
  const Tree* tree = nullptr;
  const CheckedFile* checked = nullptr;
  const std::vector<ConditionFindings>* flows = nullptr;  // by flow
  std::uint32_t number = 0;                               // of the file, in the diagnostics
};

// Compares flows of one file, or only those of different files.
enum class Among : std::uint8_t { OneFile, DifferentFiles };
void report_conflicts(std::span<const AnalysedFile> files, Among among, const Library& library,
                      Diagnostics& diagnostics);

}  // namespace flow
