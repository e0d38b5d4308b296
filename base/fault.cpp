#include "base/fault.hpp"

namespace flow {
namespace {

struct FaultRow {
  FaultKind kind;
  std::string_view name;
  bool may_retry;
};

constexpr FaultRow kFaults[] = {
#define FLOW_FAULT(name, may_retry, meaning) {FaultKind::name, #name, may_retry},
#include "base/faults.def"
#undef FLOW_FAULT
};
static_assert(kFaults[std::size(kFaults) - 1].kind == kLastFault, "kLastFault names the last row");

}  // namespace

std::string_view fault_name(FaultKind kind) {
  return kFaults[static_cast<std::size_t>(kind)].name;
}

std::optional<FaultKind> fault_named(std::string_view name) {
  for (const FaultRow& row : kFaults)
    if (row.name == name) return row.kind;
  return std::nullopt;
}

bool may_retry(FaultKind kind) {
  return kFaults[static_cast<std::size_t>(kind)].may_retry;
}

}  // namespace flow
