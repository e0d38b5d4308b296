// One routine while it is written: its instructions, the places in the source they come from, and its
// registers. These are a stack: inputs or parameters first, then locals of the blocks that are open, then
// temporaries of the statement at hand; so what a call leaves dead is always on top.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compiler/syntax/tree.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class CodeWriter {
 public:
  using Register = std::uint8_t;
  static constexpr std::uint32_t kMaxRegisters = 250;
  static constexpr std::uint32_t kMaxCode = 60'000;

  // A place in the code that is not known yet, and the jumps that go there.
  struct Label {
    std::vector<std::uint32_t> jumps;
  };

  // Writes to `routine`, which must outlive it.
  CodeWriter(const Tree& tree, Routine& routine) : tree_(tree), routine_(routine) {}

  // ---- Registers
  Register take();                   // the next free one
  Register take(std::size_t count);  // that many, side by side: the first of them
  std::uint32_t taken() const { return taken_; }
  void release_to(std::uint32_t taken);  // frees those taken since
  bool is_topmost(Register reg) const { return reg + 1u == taken_; }
  // From here on, up to end_names(), messages and traces call `reg` so.
  void name(Register reg, std::string_view name);
  std::size_t names() const { return routine_.names.size(); }
  void end_names(std::size_t first);

  // ---- Instructions
  std::uint32_t here() const { return static_cast<std::uint32_t>(routine_.code.size()); }
  void add(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) { add_imm(op, a, b, c, 0); }
  void add_imm(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::int64_t imm);
  void jump(Op op, std::uint32_t a, std::uint32_t b, Label& label);
  void jump(Label& label) { jump(Op::Jump, 0, 0, label); }
  // For the instructions that compare with a number of 16 bits.
  void jump_short(Op op, std::uint32_t a, std::int64_t number, Label& label);
  void jump_back(Op op, std::uint32_t a, std::uint32_t target);
  void place(Label& label);  // it is here
  void mark(NodeId node);    // the instructions from here on come from this node

  // What there was too much of: `values at once`, `instructions`. Empty while all fits; then nothing more is
  // written.
  std::string_view exceeded() const { return exceeded_; }
  // The same of what belongs to this routine, as its branches.
  void exceed(std::string_view what) {
    if (exceeded_.empty()) exceeded_ = what;
  }

 private:
  const Tree& tree_;
  Routine& routine_;
  std::uint32_t taken_ = 0;
  std::string_view exceeded_;
};

}  // namespace flow
