// What is known at one place of a flow: for each expression that never changes, as `alert.severity` or
// `machine.tags.length()`, the values it can still have. Expressions are told apart by a key, a text that is
// the same wherever the same value is meant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/analyse/values.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// Begins the key of a local: it means something within its flow only. No text of a flow brings it into a key.
inline constexpr char kLocal = '\x01';

struct Fact {
  std::string key;
  std::shared_ptr<const Values>
      values;               // of the latest condition; shared, since facts are copied at each branch
  NodeId origin = kNoNode;  // the condition that said so; none for what a name was given
  bool was_true = true;     // whether that condition holds here
};

class Facts {
 public:
  // So many at once; more are not remembered, which only makes less known.
  static constexpr std::size_t kMost = 64;

  static Facts nowhere();  // of a place that nothing reaches
  bool is_nowhere() const { return is_nowhere_; }
  const Fact* find(const std::string& key) const;
  void set(Fact fact);
  // What holds on both ways to a place.
  static Facts joined(const Facts& a, const Facts& b);
  // What was known before and is no less so now keeps the condition that said it.
  void keep_origins(const Facts& before);
  // Whether an event could meet both. Names of the flows themselves are left out.
  static bool overlap(const Facts& a, const Facts& b);
  const std::vector<Fact>& all() const { return facts_; }

 private:
  bool is_nowhere_ = false;
  std::vector<Fact> facts_;  // by key
};

}  // namespace flow
