// Values that are known before anything runs: literals, what follows from them, and names that were given
// such a value once and for all. What would be a fault is left to the run.
#pragma once

#include <map>
#include <optional>
#include <unordered_set>

#include "compiler/check/checked.hpp"

namespace flow {

class Folder {
 public:
  // One who follows nothing finds literals only.
  Folder(const Tree& tree, const CheckedFile& checked, bool follows)
      : tree_(tree), checked_(checked), follows_(follows) {}

  // The value of the expression, its type one of `checked.types`.
  std::optional<Constant> value(NodeId node);
  // The same before it becomes Json, where that is wanted.
  std::optional<Constant> own_value(NodeId node);
  // From here on the local has this value.
  void define(std::uint32_t local, Constant constant) { locals_.emplace(local, std::move(constant)); }

 private:
  std::optional<Constant> raw_value(NodeId node);
  std::optional<Constant> literal(NodeId node) const;
  std::optional<Constant> text(NodeId node);
  std::optional<Constant> name(NodeId node) const;
  std::optional<Constant> arithmetic(NodeId node);
  std::optional<Constant> compare(NodeId node);
  std::optional<Constant> logic(NodeId node);

  const Tree& tree_;
  const CheckedFile& checked_;
  const bool follows_;
  std::map<std::uint32_t, Constant> locals_;
  std::unordered_set<NodeId> unknown_;  // asked before
};

// The text that a value has in a text; nothing where only the machine knows it.
std::optional<std::string> folded_text(const TypeTable& types, const Constant& constant);

}  // namespace flow
