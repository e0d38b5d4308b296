#include "compiler/analyse/facts.hpp"

#include <algorithm>

namespace flow {

Facts Facts::nowhere() {
  Facts out;
  out.is_nowhere_ = true;
  return out;
}

const Fact* Facts::find(const std::string& key) const {
  const auto at = std::ranges::lower_bound(facts_, key, {}, &Fact::key);
  return at != facts_.end() && at->key == key ? &*at : nullptr;
}

void Facts::set(Fact fact) {
  const auto at = std::ranges::lower_bound(facts_, fact.key, {}, &Fact::key);
  if (at != facts_.end() && at->key == fact.key)
    *at = std::move(fact);
  else if (facts_.size() < kMost)
    facts_.insert(at, std::move(fact));
}

Facts Facts::joined(const Facts& a, const Facts& b) {
  if (a.is_nowhere_) return b;
  if (b.is_nowhere_) return a;
  Facts out;
  for (const Fact& fact : a.facts_) {
    const Fact* const other = b.find(fact.key);
    if (other == nullptr) continue;
    if (other->values == fact.values) {
      out.facts_.push_back(fact);
      continue;
    }
    Fact both = fact;
    both.values = std::make_shared<const Values>(fact.values->joined(*other->values));
    if (other->origin != fact.origin || other->was_true != fact.was_true) both.origin = kNoNode;
    out.facts_.push_back(std::move(both));
  }
  return out;
}

void Facts::keep_origins(const Facts& before) {
  for (Fact& fact : facts_)
    if (const Fact* const old = before.find(fact.key); old != nullptr && *old->values == *fact.values)
      fact = *old;
}

bool Facts::overlap(const Facts& a, const Facts& b) {
  if (a.is_nowhere_ || b.is_nowhere_) return false;
  return std::ranges::all_of(a.facts_, [&](const Fact& fact) {
    if (fact.key.find(kLocal) != std::string::npos) return true;
    const Fact* const other = b.find(fact.key);
    return other == nullptr || !fact.values->with(*other->values).is_empty();
  });
}

}  // namespace flow
