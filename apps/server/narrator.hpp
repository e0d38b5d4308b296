// Tells what the runtime does, a line at a time, as it happens: for `flow serve`, `run` and `demo`.
#pragma once

#include <string>

#include "runtime/history.hpp"
#include "runtime/observer.hpp"

namespace flow {

class Narrator : public RuntimeObserver {
 public:
  Narrator(bool colours, bool quiet) : colours_(colours), quiet_(quiet) {}

  void run_started(const RunRow& run) override;
  void run_recovered(const RunRow& run) override;
  bool wants_steps() const override { return !quiet_; }
  void run_step(const RunRow& run, const JournalRow& entry) override;
  void run_ended(const RunRow& run) override;
  void question_asked(const QuestionRow& question) override;
  void question_answered(const QuestionRow& question) override;
  void deployed(const DeploymentRow& row) override;
  void health(const HealthEvent& event) override;

 private:
  void line(const std::string& run, const char* colour, const std::string& text) const;

  bool colours_;
  bool quiet_;
  std::map<std::string, std::string> calls_;     // run and call number to the operation's name
  std::map<std::string, std::string> failures_;  // run to how it failed
};

// One step for people: `isolate({"machine":"3f6a…"})`. Empty when the step says nothing.
std::string step_text(const RunStep& step);

}  // namespace flow
