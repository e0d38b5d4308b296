// Answers a run that may have several calls and log lines under way, one answer at a time. Which one follows
// from what waits and from how many were given: a run that was restored gets the same as its twin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "vm/interp/machine.hpp"

namespace flow::test {

class Answering {
 public:
  using Answer = std::function<Outcome(const Call&)>;

  // The machine waits and must outlive this.
  Answering(Machine& machine, Answer answer) : machine_(machine), answer_(std::move(answer)) {
    for (const Step& step : machine.pending()) note(step);
  }

  // The next thing the run says: what a branch has to say that waits for nothing, or what follows an answer.
  // Nothing when the run waits for nobody.
  std::optional<Step> next() {
    for (;;) {
      for (const std::uint32_t call : machine_.take_cancelled()) {
        cancelled_.push_back(call);
        waiting_.erase({false, call});
      }
      std::optional<Step> step = machine_.next();
      if (!step && waiting_.empty()) return std::nullopt;
      if (!step) step = give();
      if (!step) continue;
      note(*step);
      return step;
    }
  }
  std::size_t waiting() const { return waiting_.size(); }
  // Calls that nobody wants any more, since this was asked the last time.
  std::vector<std::uint32_t> take_cancelled() { return std::exchange(cancelled_, {}); }

 private:
  using Key = std::pair<bool, std::uint32_t>;  // whether it is a log line, its number

  void note(const Step& step) {
    if (const auto* call = std::get_if<Call>(&step)) waiting_.emplace(Key{false, call->number}, *call);
    if (const auto* log = std::get_if<LogLine>(&step)) waiting_.emplace(Key{true, log->number}, Call{});
  }
  std::optional<Step> give() {
    const auto chosen = std::next(waiting_.begin(), static_cast<std::ptrdiff_t>(given_++ % waiting_.size()));
    const auto [key, call] = *chosen;
    waiting_.erase(chosen);
    return key.first ? machine_.answer_log(key.second) : machine_.answer_call(key.second, answer_(call));
  }

  Machine& machine_;
  Answer answer_;
  std::map<Key, Call> waiting_;
  std::size_t given_ = 0;
  std::vector<std::uint32_t> cancelled_;
};

}  // namespace flow::test
