// A run for the event of another, on the version of its flow that serves today: what a person asks for who
// has corrected the flow. The key of the new run says which run it repeats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/history.hpp"
#include "runtime/run_id.hpp"
#include "runtime/store.hpp"

namespace flow {

inline constexpr std::uint32_t kMaxReruns = 100;  // of one run

struct RerunOf {
  std::string run;
  std::uint32_t number = 0;  // from 1
};
std::optional<RerunOf> rerun_of(const RunRow& row);  // nothing when it repeats none

// Those that repeat the run, the first in front.
Result<std::vector<std::string>> reruns(Store& store, const RunRow& row);

// The new run with its journal's first entry; it goes on when it is taken up. The Error says why there is
// none: the run is not over, its flow is not served any more, or starts on something else.
Result<Batch> plan_rerun(Store& store, const RunHistory& history, const std::string& by, RunIds& ids,
                         std::int64_t now_us);

}  // namespace flow
