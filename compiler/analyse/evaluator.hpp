// What values an expression can have where certain facts hold, and what a condition adds to the facts.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "compiler/analyse/facts.hpp"
#include "compiler/analyse/keys.hpp"

namespace flow {

class Evaluator {
 public:
  Evaluator(const Tree& tree, const CheckedFile& checked, const Keys& keys)
      : tree_(tree), checked_(checked), keys_(keys) {}

  Values value(NodeId node, const Facts& facts) const;
  // Adds what follows when `condition` is `truth`; without way there, `facts` are those of nowhere.
  void assume(NodeId condition, bool truth, Facts& facts) const;
  // The local stands for this condition, wherever it is tested.
  void define(std::uint32_t local, NodeId condition);
  // How many items the expression has, where it is a list written in place or a `range` of numbers.
  std::optional<std::int64_t> length(NodeId list, const Facts& facts) const;
  // The condition as a whole: the key of its truth, and whether it says the opposite.
  std::string truth_key(NodeId condition, bool& is_opposite) const;

 private:
  Values raw_value(NodeId node, const Facts& facts) const;
  Values arithmetic(NodeId node, const Facts& facts) const;
  Values call(NodeId node, const Facts& facts) const;
  void assume_all(std::span<const NodeId> operands, bool is_and, bool truth, Facts& facts) const;
  void assume_compare(NodeId node, bool truth, Facts& facts) const;
  void assume_equal(NodeId node, NodeId left, NodeId right, bool truth, Facts& facts) const;
  void assume_order(NodeId node, NodeKind op, bool truth, Facts& facts) const;
  void assume_member(NodeId node, bool truth, Facts& facts) const;
  bool is_told_by_values(NodeId node, const Facts& facts) const;
  void assume_truth(NodeId node, bool truth, Facts& facts) const;
  void learn(NodeId about, const Values& values, NodeId origin, bool truth, Facts& facts) const;
  const TypeTable& types() const { return checked_.types; }

  const Tree& tree_;
  const CheckedFile& checked_;
  const Keys& keys_;
  std::map<std::uint32_t, NodeId> conditions_;
};

}  // namespace flow
