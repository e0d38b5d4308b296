// What starts a flow, what it holds to and what is set when it is deployed, as an author would write it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/bytecode/behaviour.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// `alert.new`, `cron 0 7 * * MON-FRI in Europe/Berlin`
std::string trigger_text(const Trigger& trigger);

// What a flow holds to, `limit defender.isolate to 10 per 1h`. Of two with one subject the one with the
// greater strength lets less pass.
struct Guardrail {
  std::string text;
  std::string subject;
  std::int64_t strength = 0;
};
std::vector<Guardrail> guardrails_of(const Module& module, const Policies& policies,
                                     const Behaviour& behaviour);
// `soc: Email (required)`, …
std::vector<std::string> setting_texts(const Module& module);

}  // namespace flow
