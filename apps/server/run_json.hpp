// Runs and their steps as JSON objects, for `flow runs` and `flow trace`.
#pragma once

#include <string>

#include "runtime/history.hpp"

namespace flow {

std::string json_run(const RunRow& run);
std::string json_question(const QuestionRow& question);
std::string json_step(const RunStep& step);
std::string json_places(const std::vector<Place>& places);

}  // namespace flow
