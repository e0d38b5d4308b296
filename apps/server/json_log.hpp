// The log of a service for programs: one JSON object a line, with the members that log.def declares.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.hpp"
#include "runtime/observer.hpp"

namespace flow {

enum class LogField : std::uint8_t {
#define FLOW_LOG_FIELD(id, name, type, meaning) id,
#define FLOW_LOG_EVENT(id, name, level, meaning)
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
};
enum class LogEvent : std::uint8_t {
#define FLOW_LOG_FIELD(id, name, type, meaning)
#define FLOW_LOG_EVENT(id, name, level, meaning) id,
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
};
enum class LogLevel : std::uint8_t { Info, Warning, Error };

class JsonLog : public RuntimeObserver {
 public:
  // With `quiet` only what is no `info`. `out` gets whole lines.
  JsonLog(const Clock& clock, bool quiet, std::FILE* out) : clock_(clock), quiet_(quiet), out_(out) {}

  // Of the service itself; what is empty is left out.
  struct Note {
    std::string_view flow = {};
    std::string_view by = {};
    std::string_view message = {};
  };
  void note(LogEvent event, const Note& what);

  void run_started(const RunRow& run) override;
  void run_recovered(const RunRow& run) override;
  void run_step(const RunRow& run, const JournalRow& entry) override;
  void run_ended(const RunRow& run) override;
  void question_asked(const QuestionRow& question) override;
  void question_answered(const QuestionRow& question) override;
  void polled(const PollReport& report) override;
  void health(const HealthEvent& event) override;

 private:
  class Line;
  Line line(LogEvent event) const;
  Line line(LogEvent event, const RunRow& run) const;
  void write(const Line& line) const;
  void call_answered(const RunRow& run, const OutcomeEntry& answer);

  const Clock& clock_;
  bool quiet_;
  std::FILE* out_;
  // Operations of calls that have no answer yet, by run and number. Bounded by the calls under way in memory;
  // what sleeps is let go of with its run's end.
  std::map<std::pair<std::string, std::uint32_t>, std::string> operations_;
};

}  // namespace flow
