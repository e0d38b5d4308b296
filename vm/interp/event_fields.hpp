// What a set of flows reads of the event that starts them: the members of the alert, each once however many
// flows ask for it, and for each flow which member goes where. Made when flows are loaded; event.hpp uses it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vm/bytecode/module.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/interp/json_scalar.hpp"

namespace flow {

class EventFields {
 public:
  // What a member is converted to while the event is read. `Later` is read from the member's text when a run
  // starts: lists and records differ from module to module, and few flows read them.
  enum class Reading : std::uint8_t { Later, Bool, Int, Float, Text, Time, Duration, Enum };
  struct Value {
    Reading reading = Reading::Later;
    EnumType enumeration;  // of Enum, its spellings only
  };
  struct Member {
    std::string wire;
    std::uint32_t next = 0;             // one more than the next one that begins like it; 0 ends the chain
    std::vector<std::uint32_t> values;  // what it is converted to: indices into values()
  };
  // Where one flow wants one value: a register, or a field of the record in a register.
  struct Place {
    std::uint32_t member = 0;
    std::uint32_t value = 0;
    TypeId type = 0;       // as declared
    TypeId enum_type = 0;  // of Enum
    Form form = Form::Plain;
    bool is_optional = false;
    bool may_be_absent = false;
  };
  struct Plan {
    std::vector<Place> places;             // of all inputs, one behind the other
    std::vector<std::uint32_t> per_input;  // how many of them each input has
  };

  EventFields() : values_(1) {}  // the value of every `Later`: none

  // Adds what `flow`, of a module with `types`, reads. It is known by its address from then on.
  void add(const TypeTable& types, const FlowCode& flow);
  // Nothing for a flow that was not added.
  const Plan* plan(const FlowCode& flow) const {
    const auto found = plans_.find(&flow);
    return found == plans_.end() ? nullptr : &found->second;
  }

  const std::vector<Member>& members() const { return members_; }
  const std::vector<Value>& values() const { return values_; }

  static constexpr std::uint32_t kNone = 0xffffffff;
  // The member with that name, or kNone.
  std::uint32_t find(const std::string& name) const;
  // The same for a key as it stands in JSON, from behind its quote to a quote. Says `is_escaped` when only
  // the unescaped key can tell.
  std::uint32_t find_raw(const char* key, bool& is_escaped) const;

 private:
  std::uint32_t member(const std::string& wire);
  std::uint32_t value(std::uint32_t member, Value wanted);
  Place place(const TypeTable& types, const std::string& wire, TypeId type);
  // A name of one character, or of none, is followed by its quote.
  static std::size_t chain_of(char first, char second) {
    return (static_cast<unsigned char>(first) * 31u + static_cast<unsigned char>(second)) % kChains;
  }
  static std::size_t chain_of(std::string_view name);

  static constexpr std::size_t kChains = 128;  // most members that no flow reads meet an empty one
  std::vector<Member> members_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::vector<Value> values_;
  std::array<std::uint32_t, kChains> first_{};  // by the first two characters: one more than the index
  std::unordered_map<const FlowCode*, Plan> plans_;
};

inline std::uint32_t EventFields::find_raw(const char* key, bool& is_escaped) const {
  is_escaped = key[0] == '\\' || (key[0] != '"' && key[1] == '\\');
  if (is_escaped) return kNone;
  std::uint32_t next = first_[chain_of(key[0], key[0] == '"' ? '"' : key[1])];
  while (next != 0) {
    const Member& member = members_[next - 1];
    switch (match_key(key, member.wire)) {
      case KeyMatch::Equal: return next - 1;
      case KeyMatch::Different: break;
      case KeyMatch::Escaped: is_escaped = true; return kNone;
    }
    next = member.next;
  }
  return kNone;
}

}  // namespace flow
