#include "runtime/progress_groups.hpp"

namespace flow {

ProgressGroups::Rest ProgressGroups::rest(const std::string& group, Question question, std::int64_t now_us,
                                          std::int64_t due_us) {
  Rest rest{.group = group, .due_us = due_us, .number = next_number_++};
  question.ticket = 0;
  groups_[group].resting[{due_us, rest.number}] = {std::move(question), now_us + (due_us - now_us) / 2};
  return rest;
}

std::optional<ProgressGroups::Question> ProgressGroups::wake(const Rest& rest) {
  const auto group = groups_.find(rest.group);
  if (group == groups_.end()) return std::nullopt;
  auto woken = group->second.resting.extract({rest.due_us, rest.number});
  if (woken.empty()) return std::nullopt;
  forget_if_idle(group);
  return std::move(woken.mapped().question);
}

void ProgressGroups::note_in_line(const std::string& group, Question question) {
  const std::uint64_t ticket = question.ticket;
  groups_[group].in_line.emplace(ticket, std::move(question));
}

void ProgressGroups::leave_line(const std::string& group, std::uint64_t ticket) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  found->second.in_line.erase(ticket);
  forget_if_idle(found);
}

std::vector<ProgressGroups::Question> ProgressGroups::take_along(const std::string& group,
                                                                 std::size_t at_most, std::int64_t now_us) {
  std::vector<Question> taken;
  const auto found = groups_.find(group);
  if (found == groups_.end()) return taken;
  auto& [in_line, resting, failures, alone_from_us, alone_until_us] = found->second;
  // Of a clock that was set back nobody can say how long ago that was.
  if (now_us >= alone_from_us && now_us < alone_until_us) return taken;
  alone_until_us = 0;
  for (auto it = in_line.begin(); it != in_line.end() && taken.size() < at_most; it = in_line.erase(it))
    taken.push_back(std::move(it->second));
  for (auto it = resting.begin(); it != resting.end() && taken.size() < at_most;) {
    if (it->second.from_us > now_us) {
      ++it;
      continue;
    }
    taken.push_back(std::move(it->second.question));
    it = resting.erase(it);
  }
  forget_if_idle(found);
  return taken;
}

void ProgressGroups::note(const std::string& group, Answer answer, std::int64_t now_us) {
  Group& known = groups_[group];
  std::int64_t alone_us = 0;
  switch (answer) {
    case Answer::Told: known.failures = 0; break;
    case Answer::ToldNothing:
    case Answer::Failed:
      if (++known.failures >= kMostFailures) alone_us = kAloneWhenFailingUs;
      break;
    case Answer::Refused: alone_us = kAloneWhenRefusedUs; break;
  }
  if (alone_us > 0) {
    known.failures = 0;
    known.alone_from_us = now_us;
    known.alone_until_us = now_us + alone_us;
  }
  forget_if_idle(groups_.find(group));
}

void ProgressGroups::forget_if_idle(std::map<std::string, Group>::iterator group) {
  if (group->second.is_idle()) groups_.erase(group);
}

}  // namespace flow
