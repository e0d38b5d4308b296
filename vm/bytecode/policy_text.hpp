// What starts a flow, what it holds to and what is set when it is deployed, as an author would write it.
#pragma once

#include <string>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

// `alert.new`, `cron 0 7 * * MON-FRI in Europe/Berlin`
std::string trigger_text(const Trigger& trigger);
// `limit defender.isolate to 10 per 1h`, …
std::vector<std::string> policy_texts(const Module& module, const Policies& policies);
// `soc: Email (required)`, …
std::vector<std::string> setting_texts(const Module& module);

}  // namespace flow
