#include "runtime/store.hpp"

#include <fmt/format.h>

#include <array>

namespace flow {
namespace {

constexpr std::array<std::string_view, 6> kStateNames = {"running",  "parked",  "skipped",
                                                         "finished", "stopped", "failed"};
constexpr std::array<std::string_view, 4> kQuestionKinds = {"approve", "ask", "receive", "admit"};
constexpr std::array<std::string_view, 4> kQuestionStates = {"open", "answered", "expired", "withdrawn"};
constexpr std::array<std::string_view, 6> kDeploymentKinds = {"live",    "back",   "withdrawn",
                                                              "removed", "shadow", "shadow ended"};
static_assert(kDeploymentKinds.size() == static_cast<std::size_t>(kLastDeploymentKind) + 1,
              "one name a kind");
static_assert(kQuestionKinds.size() == static_cast<std::size_t>(kLastQuestionKind) + 1, "one name a kind");
static_assert(kQuestionStates.size() == static_cast<std::size_t>(kLastQuestionState) + 1, "one name a state");
static_assert(kStateNames.size() == static_cast<std::size_t>(kLastRunState) + 1, "one name a state");

}  // namespace

std::string_view run_state_name(RunState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::optional<RunState> run_state_named(std::string_view name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i)
    if (kStateNames[i] == name) return static_cast<RunState>(i);
  return std::nullopt;
}

std::string_view question_kind_name(QuestionRow::Kind kind) {
  return kQuestionKinds[static_cast<std::size_t>(kind)];
}

std::string_view question_state_name(QuestionRow::State state) {
  return kQuestionStates[static_cast<std::size_t>(state)];
}

std::string_view deployment_kind_name(DeploymentRow::Kind kind) {
  return kDeploymentKinds[static_cast<std::size_t>(kind)];
}

std::string question_id(std::string_view run, std::uint32_t call) {
  return fmt::format("{}-{}", run, call);
}

}  // namespace flow
