// A Fault is how a step of a run goes wrong: a value that is journaled, shown, retried, and seen by the flow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow {

enum class FaultKind : std::uint8_t {
#define FLOW_FAULT(name, may_retry, meaning) name,
#include "base/faults.def"
#undef FLOW_FAULT
};
inline constexpr FaultKind kLastFault = FaultKind::TooLarge;

std::string_view fault_name(FaultKind kind);
std::optional<FaultKind> fault_named(std::string_view name);
bool may_retry(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::Unavailable;
  std::string message;              // for a person: what was tried, what came back
  int status = 0;                   // HTTP or SMTP status, 0 when there was none
  std::string code;                 // the API's own error code, as `ResourceNotFound`
  std::int64_t retry_after_us = 0;  // the server's wish, 0 when it had none
  // Whether the request may have been carried out all the same. False only when that is certain (never sent,
  // or answered with a refusal): an act is then safe to repeat.
  bool maybe_executed = false;
  std::string operation;  // full name of the one whose call failed; empty when it was none
  std::uint32_t line =
      0;  // of the first fault, when a flow raises it again from an Error; 0: where it is raised
};

}  // namespace flow
