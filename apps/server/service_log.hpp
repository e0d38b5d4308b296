// What a service says of itself, in the form that the configuration wants, which may become another while it
// runs.
#pragma once

#include <atomic>
#include <string>

#include "apps/server/config.hpp"
#include "apps/server/json_log.hpp"
#include "apps/server/narrator.hpp"
#include "base/clock.hpp"

namespace flow {

class ServiceLog final : public RuntimeObserver {
 public:
  ServiceLog(LogFormat format, bool quiet, const Clock& clock);

  void use(LogFormat format) { format_.store(format, std::memory_order_relaxed); }  // from any thread
  void serving(const std::string& flow, const std::string& file);
  void listening(const std::string& url);
  // The configuration was read anew: `message` says what of it is in force now, or why nothing is. From any
  // thread.
  void reloaded(const std::string& by, const std::string& message);
  void reload_refused(const std::string& by, const std::string& message);
  void tenant_unserved(const std::string& by, const std::string& message);

  void run_started(const RunRow& run) override { form().run_started(run); }
  void run_recovered(const RunRow& run) override { form().run_recovered(run); }
  void run_step(const RunRow& run, const JournalRow& entry) override {
    if (form().wants_steps()) form().run_step(run, entry);
  }
  void run_ended(const RunRow& run) override { form().run_ended(run); }
  void question_asked(const QuestionRow& question) override { form().question_asked(question); }
  void question_answered(const QuestionRow& question) override { form().question_answered(question); }
  void deployed(const DeploymentRow& row) override { form().deployed(row); }
  void polled(const PollReport& report) override { form().polled(report); }
  void health(const HealthEvent& event) override { form().health(event); }

 private:
  bool is_json() const { return format_.load(std::memory_order_relaxed) == LogFormat::Json; }
  RuntimeObserver& form() {
    return is_json() ? static_cast<RuntimeObserver&>(json_) : static_cast<RuntimeObserver&>(narrator_);
  }

  std::atomic<LogFormat> format_;
  JsonLog json_;
  Narrator narrator_;
};

}  // namespace flow
