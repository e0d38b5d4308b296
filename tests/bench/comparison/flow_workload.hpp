// A workload in Flow: a file with one flow, whose first `let size = N` says how much there is to do and whose
// `stop` gives the result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace flow::bench {

struct Timed {
  double milliseconds = 0;  // of processor time, for the run alone: the flow was compiled before
  std::string result;
};

// Compiles the file, with its size replaced where one is given, and runs it to its end. An Error says what is
// wrong: the file, the compiler's first complaint, or how else the run ended.
Result<Timed> run_flow_workload(const std::string& path, std::optional<std::int64_t> size);

}  // namespace flow::bench
