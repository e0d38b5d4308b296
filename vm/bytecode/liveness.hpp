// Which registers a routine may still read. What is not live need not be kept: neither by a collection of the
// heap nor in a snapshot.
#pragma once

#include <bitset>
#include <cstdint>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

using RegisterSet = std::bitset<256>;

class Liveness {
 public:
  // `routine` is one of `module`, which must be verified. It must stay where it is.
  Liveness(const Module& module, const Routine& routine);

  // Before the instruction at `pc`: what it or something after it reads.
  const RegisterSet& before(std::uint32_t pc) const { return before_[pc]; }
  // While the instruction at `pc`, an Invoke, Call or Log, waits for what it gives: what is read after it,
  // or by the handler of its fault.
  RegisterSet across(std::uint32_t pc) const;

 private:
  const Routine* routine_;
  std::vector<RegisterSet> before_;
};

}  // namespace flow
