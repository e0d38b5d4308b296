// The key of an expression whose value is the same whenever it is taken in a run: two with one key have one
// value.
#pragma once

#include <map>
#include <string>

#include "compiler/check/checked.hpp"

namespace flow {

class Keys {
 public:
  // `trigger` is null in a function.
  Keys(const Tree& tree, const CheckedFile& checked, const CheckedBody& body, const Trigger* trigger)
      : tree_(tree), checked_(checked), body_(body), trigger_(trigger) {}

  // Empty when the value may change, calls out, or nobody thought about such an expression yet.
  std::string of(NodeId node) const;
  // From here on the local goes by the key of what it was given.
  void alias(std::uint32_t local, std::string key) { aliases_.insert_or_assign(local, std::move(key)); }

 private:
  std::string made(NodeId node) const;
  std::string name(NodeId node) const;
  std::string call(NodeId node) const;
  std::string parts(NodeId node) const;  // an operator with its operands

  const Tree& tree_;
  const CheckedFile& checked_;
  const CheckedBody& body_;
  const Trigger* trigger_;
  std::map<std::uint32_t, std::string> aliases_;
};

}  // namespace flow
