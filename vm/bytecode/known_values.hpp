// What the registers of a routine hold, as far as its code alone says: constants, what the flow is given, and
// what is computed of these. Two routines that compute the same have the same texts, whatever registers they
// use.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

class KnownValues {
 public:
  // `inputs` are those of a flow; of a function none, its arguments are then named by their number. Both must
  // stay where they are. The module need not be verified.
  KnownValues(const Module& module, const Routine& routine, const std::vector<Input>& inputs);

  // Each instruction that can be reached, in order; `value` and `type` tell of the registers before it.
  void each(const std::function<void(std::uint32_t pc)>& visit);

  // As a flow would write it: `"x"`, `5m`, `machine.name`; in parentheses what is computed; `?` what is not
  // known.
  const std::string& value(std::uint8_t reg) const { return texts_[state_[reg]]; }
  // The name of a field that an instruction GetField reads; its number where the record is not known.
  std::string field_name(Instruction i) const;
  // What the instruction's `imm` stands for: a constant, a type, an operation; else the number.
  std::string immediate(Instruction i) const;

  // Whether a text is one that a person can read.
  static bool is_shown(std::string_view value) { return !value.starts_with('(') && value != "?"; }

 private:
  using State = std::array<std::uint32_t, 256>;  // by register: an index into texts_
  struct Label {
    State state{};
    bool is_reached = false;
  };

  std::uint32_t text(std::string value, TypeId type = kNullType);
  std::uint32_t either(std::uint32_t a, std::uint32_t b);
  State start();
  void find_labels();
  bool flow_into(std::int64_t target);
  bool pass(const std::function<void(std::uint32_t pc)>* visit);
  void apply(Instruction i);
  std::string computed(Instruction i) const;
  std::uint32_t loaded(Instruction i);
  std::string constant(std::uint32_t index) const;
  std::string type_name(TypeId type) const;
  std::string range(std::size_t first, std::size_t count) const;
  bool is_given(std::uint8_t reg) const;

  const Module& module_;
  const Routine& routine_;
  const std::vector<Input>& inputs_;
  std::vector<std::string> texts_{"?"};
  std::vector<TypeId> types_{kNullType};
  std::vector<std::set<std::uint32_t>> parts_{{}};  // of a text that is one of several
  std::map<std::string, std::uint32_t, std::less<>> known_{{"?", 0}};
  std::map<std::int64_t, Label> labels_;
  std::set<std::int64_t> handlers_;
  State state_{};
};

}  // namespace flow
