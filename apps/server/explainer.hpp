// Which flows ran for an alert, and of those that did not, which part of their condition was false, with the
// values: for `flow why`. Reads the store, and asks the tenant for what the store has not when there is a
// configuration.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/store_place.hpp"
#include "runtime/why.hpp"

namespace flow {

// What there is to say of one flow.
struct Told {
  std::string tenant, flow, trigger;
  std::string verdict;  // `ran`, `false`, `fails`, `unknown`, `not taken`, `not for tenant`, `other trigger`
  std::string text;     // one line for people
  std::optional<bool> is_seen;    // the event, by polling; not known when there is a run
  std::optional<Why> why;         // when its condition was asked
  std::vector<std::string> more;  // lines for people
  std::string run;                // its ID, when there is one
};

// For each flow that waits for alerts. `store` is that of `place`.
Attempt<std::vector<Told>> why_alert(Store& store, const StorePlace& place, const WhyOptions& options);
// For the flow of one run.
Attempt<std::vector<Told>> why_run(Store& store, const StorePlace& place, const WhyOptions& options);

// Without line breaks and what could move the cursor.
std::string one_line(std::string_view text);

}  // namespace flow
