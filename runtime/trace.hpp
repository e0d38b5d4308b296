// What a stored run did, step by step, with values: the journal's event and outcomes are given to a machine
// once more, which is watched. Nothing is called and nothing written, and the store may be one that a service
// writes to meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/history.hpp"
#include "vm/interp/program.hpp"
#include "vm/interp/watch.hpp"

namespace flow {

struct TraceStep {
  enum class Kind : std::uint8_t {
    Code,     // a statement, or a part of one; with TraceOptions::by_instruction one instruction
    Journal,  // an entry of the journal, where the run came to it
    Waiting,  // the journal ends, and the run waits
  };
  std::uint64_t number = 0;  // from 1
  Kind kind = Kind::Code;

  // Code: before it is executed.
  std::vector<Place> places;  // innermost first
  std::size_t depth = 0;      // functions under way
  std::uint32_t line = 0;
  std::uint32_t column = 0;  // 0: unknown
  std::uint32_t pc = 0;
  std::string instruction;
  bool is_continued = false;        // the statement of an earlier step goes on, after a call or a function
  std::vector<NamedValue> values;   // what is visible
  std::vector<NamedValue> changes;  // what was not there, or not so, when this step was over
  std::uint64_t fuel_used = 0;
  std::size_t heap_used = 0;  // bytes

  std::optional<RunStep> entry;  // Journal
  std::int64_t waited_us = 0;    // Journal, of an answer: since the call went out
  std::string text;              // Waiting: for what
};

struct TraceOptions {
  bool by_instruction = false;
  std::size_t value_bytes = 160;  // longer values are cut
  std::uint64_t from = 1;         // numbers of steps
  std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
};

class RecordedRun {
 public:
  // Reads the run with its journal and module. Nothing when there is no such run; an Error says what of it is
  // damaged or missing.
  static Result<std::optional<RecordedRun>> read(Store& store, std::string_view id);

  const RunRow& row() const { return history_.run; }
  const Module& module() const { return program_->module(); }

  using Visit = std::function<void(TraceStep)>;
  // Replays from the beginning, telling the steps asked for, and gives how many there are in all. The Error
  // says at which entry the journal does not fit what the module does; the steps before it were told.
  Result<std::uint64_t> replay(const TraceOptions& options, const Visit& visit) const;

 private:
  RecordedRun(RunHistory history, std::shared_ptr<const Program> program, std::uint32_t flow)
      : history_(std::move(history)), program_(std::move(program)), flow_(flow) {}

  RunHistory history_;
  std::shared_ptr<const Program> program_;
  std::uint32_t flow_ = 0;
};

// The steps of a run in any order, for going back. A machine only goes forward, but always the same way: some
// steps are kept, and for others the run is replayed to where they are.
class TraceSteps {
 public:
  static constexpr std::uint64_t kKept = 1u << 16;

  // `run` must outlive this.
  TraceSteps(const RecordedRun& run, TraceOptions options, std::uint64_t kept = kKept);

  std::uint64_t count() const { return count_; }
  const std::optional<Error>& problem() const { return problem_; }  // why there are no more
  const TraceStep& at(std::uint64_t number);                        // from 1 to count()

 private:
  void keep_from(std::uint64_t first);

  const RecordedRun& run_;
  TraceOptions options_;
  const std::uint64_t kept_;
  std::uint64_t count_ = 0;
  std::optional<Error> problem_;
  std::vector<TraceStep> steps_;  // without gaps
};

}  // namespace flow
