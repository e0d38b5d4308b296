// The pretend world of one test, in virtual time: what was given, what was called, and what it answers. It
// does by itself what the runtime would: waits, approvals, leases, limits, `once`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "testing/test.hpp"
#include "vm/bytecode/call.hpp"
#include "vm/interp/program.hpp"

namespace flow::testing {

// A call that a run made, or that came of a lease or a digest.
struct MadeCall {
  std::string operation;  // full name
  Effect effect = Effect::Read;
  std::string arguments;  // a JSON object
  std::uint32_t line = 0;
  std::int64_t at_us = 0;
  bool runs_flow = false;  // `call` or `start` of another flow
  std::string remark;      // `failed: Throttled`, `skipped: over its limit`; empty when it went well
};

// Whether it is `call` or `start` of a flow.
bool is_flow_call(const Operation& operation);

// Whether a call of the operation, by its full name, is one that the test speaks of.
bool is_meant(const ExpectedCall& expected, std::string_view operation);

// An answer, and when it comes.
struct Answer {
  std::int64_t at_us = 0;
  Outcome outcome;
};

class World {
 public:
  explicit World(const Program& program);

  // ---- What is given
  void give(const std::string& name, Value value);
  void give_param(const std::string& name, const Value& value);
  void give_event(const std::string& name, Value value) { events_[name] = std::move(value); }
  // How an operation ends; the first rule that fits and is not used up is taken.
  struct Rule {
    ExpectedCall call;
    std::map<std::string, std::string> arguments;  // parameter to JSON
    std::optional<Value> result;                   // otherwise it fails
    FaultKind fault = FaultKind::Failed;
    std::string message;
    std::optional<std::uint32_t> left;
    std::string event;  // with which the run it was given for began
  };
  void add_rule(Rule rule) { rules_.push_back(std::move(rule)); }

  // ---- What runs need
  std::int64_t now_us() const { return now_us_; }
  std::int64_t began_us() const { return began_us_; }
  void advance_to(std::int64_t us);
  // The event that starts a run of the flow, with what was given for it and `arguments`.
  std::string event_for(std::uint32_t flow, const std::vector<std::pair<std::string, Value>>& arguments);
  std::string settings();
  // Result of the flow `value` as JSON, for the event of the run.
  Result<std::string> compute(std::uint32_t value, const std::string& event);

  // ---- Calls
  struct Caller {
    std::uint32_t flow = 0;
    const std::string& event;  // with which its run began
  };
  // Notes the call of a run, which came of the run `origin`, and answers it, now or later; nothing when that
  // depends on what the test has yet to give: then late_answer() is asked. Nothing also for a flow that is
  // called or started, which the runner carries out.
  std::optional<Answer> answer(const Caller& caller, const Caller& origin, const Call& call);
  std::optional<Answer> late_answer(const Call& call, std::int64_t asked_us);
  const std::vector<MadeCall>& calls() const { return calls_; }
  bool has_failed_as_given() const { return has_failed_as_given_; }
  std::optional<std::int64_t> next_lease_us() const;

 private:
  std::string filled(TypeId type, const Value* value, const std::string& name);
  std::string untyped(const Value& value);
  std::optional<Answer> system_answer(const Operation& operation, std::uint32_t flow, const Call& call);
  std::optional<Outcome> ruled(const Operation& operation, const Call& call);
  std::optional<std::string> entity(std::uint32_t flow, const Operation& operation, const std::string& event,
                                    const Call& call);
  const Policies::Limit* over_limit(std::uint32_t flow, const Call& call);
  Answer now(Outcome outcome) const { return {now_us_, std::move(outcome)}; }

  struct Lease {
    std::int64_t at_us = 0;
    MadeCall call;
  };
  // A mail that gathers lines.
  struct Digest {
    std::int64_t at_us = 0;
    std::string to, key, subject;  // JSON
    std::string text;
    std::uint32_t line = 0;
  };
  void note_digest(const Call& call);
  void send_digests();
  void note_leases(const Operation& operation, const Call& call, MadeCall made, std::int64_t at_us);
  // What undoes a leased call is given.
  std::string kept_arguments(const Operation& leased, std::uint32_t inverse, const std::string& arguments);

  const Program& program_;
  const Module& module_;
  std::int64_t now_us_, began_us_;
  std::map<std::string, Value> given_, params_, events_;
  std::vector<Rule> rules_;
  std::vector<MadeCall> calls_;
  std::vector<Lease> leases_;
  std::vector<Digest> digests_;
  std::map<std::string, std::int64_t> once_;  // key to the end of its window
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::int64_t>> limited_;  // flow, operation
  std::uint32_t random_ = 0;
  bool has_failed_as_given_ = false;
};

}  // namespace flow::testing
