// Whether the audit trail is as it was written. What the chain of hashes cannot tell by itself is that rows
// are gone from its end, or that somebody who can write the store has computed all of it anew: for that, a
// hash that was kept elsewhere is looked for in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/store.hpp"

namespace flow {

struct AuditProblem {
  enum class How : std::uint8_t {
    Changed,    // the row, or its hash, is not what was written
    Missing,    // rows are gone before it
    Reordered,  // the row stands in another's place
    CutAtEnd,   // the hash that was kept elsewhere is in no row
  };
  How how = How::Changed;
  std::uint64_t number = 0;  // of the row at which it shows
  std::string text;          // for a person
};
struct AuditVerdict {
  std::uint64_t rows = 0;
  std::uint64_t first = 0, last = 0;    // numbers; 0 when there are none
  std::string head;                     // hash of the last row, hexadecimal
  std::optional<AuditProblem> problem;  // the first that shows
};

// `known_head`, hexadecimal, is a head of before, in any case of its letters; empty when none was kept.
Result<AuditVerdict> check_audit(Store& store, const std::string& known_head = {});

}  // namespace flow
