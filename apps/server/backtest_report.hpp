// What flows would have done: collected while a backtest runs, and told by flow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/observer.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct BacktestCalls {
  std::uint64_t count = 0;
  std::map<std::string, std::uint64_t> targets;  // what it acts on, or whom it tells: how often
};
struct BacktestFlow {
  std::string name, trigger;
  bool is_replayed = true;   // its trigger brings the events; or flows that are call it
  std::uint64_t events = 0;  // of its trigger
  std::uint64_t runs = 0, matched = 0, repeated = 0;  // repeated: `once` has skipped them
  std::map<std::string, std::uint64_t> ended;         // by how; `waiting` for those that have not
  std::map<std::string, BacktestCalls> calls;         // that it would have made, by operation
  std::map<std::string, std::uint64_t> reads;         // that were made
  std::map<std::string, std::uint64_t> limited;       // calls beyond a limit, by operation
  std::map<std::string, std::uint64_t> refused;       // by protections, by their message
  std::map<std::string, std::uint64_t> faults;        // that ended runs
};

class BacktestReport final : public RuntimeObserver {
 public:
  explicit BacktestReport(const Module& module);

  void run_started(const RunRow& run) override;
  void run_step(const RunRow& run, const JournalRow& row) override;
  void run_ended(const RunRow& run) override;
  void polled(const PollReport& report) override;
  void health(const HealthEvent& event) override;

  void end();  // nothing more will happen
  std::string text() const;
  std::string json() const;
  // For the first line.
  std::uint64_t events = 0;
  std::int64_t first_us = 0, last_us = 0;

 private:
  struct Open {
    std::map<std::uint32_t, std::pair<std::string, std::string>> calls;  // operation and arguments, by number
    bool is_repeated = false;
  };
  BacktestFlow& flow_of(const RunRow& run);
  std::string target_of(const std::string& operation, const std::string& arguments) const;

  const Module& module_;
  std::vector<BacktestFlow> flows_;
  std::map<std::string, Open> open_;
  std::map<std::string, std::string> flow_of_run_;
  std::map<std::string, std::uint64_t> problems_;
};

}  // namespace flow
