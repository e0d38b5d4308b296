// Leases: what is done with `lease 4h` is undone afterwards, whatever has become of the run that did it. Each
// leased call has a run of its own, of the flow that the compiler made for its operation; this is how such
// runs are known, and what the journal of the holder, the run that made the call, says of one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/caller.hpp"
#include "runtime/store.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

inline constexpr std::string_view kLeaseTrigger = "lease";

// `lease.defender.isolate`: the flow whose runs end leases of the operation.
std::string lease_flow(std::string_view operation);
// Whether the run ends a lease; and of one, whose call was leased.
bool is_lease(const RunRow& row);
std::optional<Caller> holder_of(const RunRow& row);

// The event that the run begins with: how long, and what the inverse needs of the call's arguments. The
// module has the flow; nothing when it does not.
std::optional<std::string> lease_event(const Module& module, std::string_view operation,
                                       std::string_view arguments, std::int64_t lease_us);
// Whether a call with these arguments is about what was leased.
bool is_same_target(std::string_view event, std::string_view arguments);
// How long the lease is that began with this event; 0 when it does not say.
std::int64_t lease_length_us(std::string_view event);

// What became of a leased call.
struct LeasedCall {
  enum class State : std::uint8_t {
    UnderWay,  // its holder still makes it
    Happened,  // or may have
    DidNotHappen,
  };
  State state = State::Happened;
  std::int64_t since_us = 0;  // from when on the lease counts
  std::string problem;        // DidNotHappen: why
};
// By the journal of the holder; `is_awaited`: somebody is still to say how the call ends.
Result<LeasedCall> leased_call(const std::vector<JournalRow>& journal, std::uint32_t call, bool is_awaited,
                               std::int64_t begun_us);

}  // namespace flow
