// All that a flow of a module may ever do, for people and for programs that decide about deployments: what
// the manifest says, with what follows from the operations it names. `flow check --manifest` and `flow diff`
// print it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vm/bytecode/behaviour.hpp"
#include "vm/bytecode/module.hpp"
#include "vm/bytecode/policy_text.hpp"

namespace flow {

struct CallSummary {
  std::string operation;  // `defender.isolate`
  Effect effect = Effect::Read;
  std::uint32_t at_most = 0;   // per run; kAnyNumber
  std::uint32_t requests = 1;  // that one call makes at most, where a list comes in pages
  bool is_fetch = false;
  std::uint32_t line = 0;
  std::uint32_t loop_line = 0;
  std::string inverse;
  std::string retires;
  std::string replacement;
};

struct RecipientSummary {
  std::string operation;  // `mail`
  std::string parameter;
  std::vector<std::string> constants;
  std::vector<std::string> computed;
};

// The calls of one run against one quota.
struct QuotaSummary {
  std::string group;
  std::uint32_t calls = 0;  // per run, at most; kAnyNumber
  std::uint32_t per_minute = 0;
  std::uint32_t per_hour = 0;

  // Runs in an hour; nothing when a run may call any number of times.
  std::optional<std::uint32_t> runs_per_hour() const;
};

struct FlowSummary {
  std::string name;
  std::string trigger;
  std::string subject;  // what starts a run, in the plural: `alerts`
  std::string poll_filter;
  std::vector<std::string> poll_expand;
  std::vector<std::string> reads;  // `alert.severity`, sorted
  std::vector<CallSummary> calls;  // those that were planned last, as `is_fetch` says
  std::vector<RecipientSummary> recipients;
  std::vector<std::string> flows;  // `calls contain_device`, `starts page`
  std::vector<std::string> hosts;
  std::vector<std::string> configured_hosts;  // called only where the configuration chooses that route
  std::vector<std::pair<std::string, std::vector<std::string>>> permissions;  // by connector
  std::vector<Guardrail> guardrails;                                          // all policies
  bool is_guarded = false;  // whether one of them bounds what the flow does
  std::vector<std::string> settings;
  std::vector<QuotaSummary> quotas;
  Behaviour behaviour;

  // Both, as people read them: `smtp.example.com (if configured)`.
  std::vector<std::string> shown_hosts() const;
  bool acts() const;
  // The quota that allows the fewest runs; null when no call counts against one.
  const QuotaSummary* scarcest() const;
};

// Looks up every index with care: the module need not be verified.
std::vector<FlowSummary> summarise(const Module& module);

std::string print_manifest(const Module& module);  // about ten lines a flow
std::string manifest_json(const Module& module);   // one JSON document

// Whether people are asked by this call, who are told by `mail.mail`.
bool asks_people(const Operation& operation);

}  // namespace flow
