// The registers of a run: one window for each routine under way, that of a callee beginning among those of
// its caller, where the arguments are. Slots that nothing has been written to are null.
#pragma once

#include <cstddef>
#include <memory>

#include "vm/bytecode/module.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

class Stack {
 public:
  // Room for `registers`, growing up to `limit` bytes.
  Stack(std::size_t registers, std::size_t limit);

  Slot* base = nullptr;  // the window of the routine that runs
  Slot* end = nullptr;   // of the room there is
  // The callers, innermost last: the instruction each goes on with. The one before it is its Invoke, which
  // says what was invoked and where the window begins.
  const Instruction** callers_begin = nullptr;
  const Instruction** callers = nullptr;  // behind the last
  const Instruction** callers_end = nullptr;

  Slot* begin() const { return slots_.get(); }
  std::size_t depth() const { return static_cast<std::size_t>(callers - callers_begin); }
  // Makes room for a window of `registers` at `base + offset` and for one more caller; moves everything.
  // False at the limit, with nothing changed.
  bool grow(std::size_t offset, std::size_t registers);
  // As new: nothing runs, `base` is the beginning.
  void clear();

 private:
  std::size_t limit_;  // bytes, of slots and of callers each
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<const Instruction*[]> callers_memory_;
};

}  // namespace flow
