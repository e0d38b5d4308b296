// The world of a backtest: polls are answered with events of the past, when their time has come; reads by the
// tenant, by what was given, or by stand-ins. Nothing that acts or notifies leaves here, whatever asks for
// it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "apps/server/backtest_events.hpp"
#include "base/clock.hpp"
#include "runtime/executor.hpp"

namespace flow {

// Time as the events have it.
class PastClock final : public Clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t now = 0;
};

// What reads are answered with: by operation, in the order of the file.
struct GivenAnswer {
  std::map<std::string, std::string> arguments;  // with these values, as JSON; others are free
  std::string answer;                            // JSON
};
using GivenAnswers = std::map<std::string, std::vector<GivenAnswer>>;
// An object by operation: each an answer, or a list of { "arguments": { … }, "answer": … }.
Result<GivenAnswers> read_answers(const std::string& text);

class BacktestExecutor final : public Executor {
 public:
  // `world` may be null: then reads that nothing was given for get stand-ins.
  BacktestExecutor(Executor* world, const PastClock& clock, std::vector<PastSource> sources,
                   GivenAnswers answers);

  void perform(OperationCall call, std::function<void(Outcome)> done) override;
  void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) override;
  void settle(OperationCall call, std::function<void(Settlement)> done) override;

  // Performs a read by `world` and waits for it; a quota that is used up is waited for, too.
  Outcome ask(OperationCall call);
  std::int64_t next_event_us(std::int64_t now_us) const;  // kNever when there is none
  std::int64_t first_us() const;                          // kNever without events
  std::int64_t last_us() const;
  std::size_t events() const;  // of all triggers
  void add(std::vector<PastSource> sources);

 private:
  struct Source {
    PastSource past;
    std::size_t served = 0, of_this_poll = 0;
  };
  std::string page(Source& source, const std::string& arguments);
  Outcome read(const OperationCall& call);

  Executor* world_;
  const PastClock& clock_;
  std::vector<Source> sources_;
  GivenAnswers answers_;
  std::map<std::string, Outcome> known_;  // reads that were made, by operation and arguments
};

}  // namespace flow
