// The loop of loop.cpp a second time, for runs that are watched: what it does before each instruction is all
// that differs. The normal loop is compiled without a trace of this. With a switch, every instruction is
// reached from one place.
#ifndef FLOW_VM_SWITCH
#define FLOW_VM_SWITCH
#endif
#define FLOW_LOOP run_watched
// A branch's end is no instruction of a routine.
#define FLOW_BEFORE_INSTRUCTION    \
  if (i.op != Op::EndBranch) {     \
    LEAVE;                         \
    watcher->before_instruction(); \
  }

#include "vm/interp/watch.hpp"

#include "vm/interp/loop.cpp"
