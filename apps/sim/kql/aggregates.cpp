#include "apps/sim/kql/aggregates.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/sim/kql/functions.hpp"

namespace flow::kql {
namespace {

using Values = std::vector<Value>;
constexpr std::size_t kMostItems = 1'048'576;

class Count final : public ValueAggregate {
 public:
  void add(Run&, const Values&) override { ++count_; }
  Value finish(Run&) override { return count_; }

 private:
  std::int64_t count_ = 0;
};

class CountDistinct final : public ValueAggregate {
 public:
  void add(Run& run, const Values& arguments) override {
    if (plain(arguments[0]).is_null()) return;
    std::string key;
    append_key(key, arguments[0]);
    if (run.spend(2, key.size() + 64)) keys_.insert(std::move(key));
  }
  Value finish(Run&) override { return static_cast<std::int64_t>(keys_.size()); }

 private:
  std::set<std::string> keys_;
};

class Sum final : public ValueAggregate {
 public:
  void add(Run&, const Values& arguments) override {
    const Value value = plain(arguments[0]);
    if (value.is_null()) return;
    sum_ = sum_.is_null() ? value : arithmetic('+', sum_, value);
  }
  Value finish(Run&) override { return sum_.is_null() ? Value(std::int64_t{0}) : sum_; }

 private:
  Value sum_;
};

template <bool kSquared, bool kRooted>
class Average final : public ValueAggregate {
 public:
  void add(Run&, const Values& arguments) override {
    const auto number = plain(arguments[0]).number();
    if (!number) return;
    ++count_;
    const double delta = *number - mean_;  // Welford's way: stable for large numbers
    mean_ += delta / count_;
    squares_ += delta * (*number - mean_);
  }
  Value finish(Run&) override {
    if (count_ == 0) return {};
    if (!kSquared) return mean_;
    const double variance = count_ > 1 ? squares_ / (count_ - 1) : 0;
    return kRooted ? std::sqrt(variance) : variance;
  }

 private:
  double count_ = 0, mean_ = 0, squares_ = 0;
};

template <int kSign>
class Extreme final : public ValueAggregate {
 public:
  void add(Run&, const Values& arguments) override {
    const Value& value = arguments[0];
    if (plain(value).is_null()) return;
    if (best_.is_null() || compare(value, best_).value_or(0) * kSign > 0) best_ = value;
  }
  Value finish(Run&) override { return best_; }

 private:
  Value best_;
};

template <bool kDistinct>
class Gather final : public ValueAggregate {
 public:
  void add(Run& run, const Values& arguments) override {
    const Value& value = arguments[0];
    const auto most = arguments.size() > 1 ? arguments[1].integer() : std::nullopt;
    const std::size_t limit =
        most && *most >= 0 ? std::min<std::size_t>(static_cast<std::size_t>(*most), kMostItems) : kMostItems;
    if (plain(value).is_null() || list_.items().size() >= limit) return;
    if (!run.spend(2, 96 + weight(value))) return;
    if (kDistinct) {
      std::string key;
      append_key(key, value);
      if (!keys_.insert(std::move(key)).second) return;
    }
    list_.add(to_json(value, Type::Dynamic));
  }
  Value finish(Run&) override { return Value::dynamic(list_); }

 private:
  Json list_ = Json::list();
  std::set<std::string> keys_;
};

class Any final : public ValueAggregate {
 public:
  void add(Run&, const Values& arguments) override {
    if (value_.is_null()) value_ = arguments[0];
  }
  Value finish(Run&) override { return value_; }

 private:
  Value value_;
};

// The nearest rank, of the values themselves.
class Percentile final : public ValueAggregate {
 public:
  void add(Run& run, const Values& arguments) override {
    if (!plain(arguments[0]).is_null() && run.spend(20, sizeof(Value))) values_.push_back(arguments[0]);
    percent_ = arguments[1].number().value_or(50);
  }
  Value finish(Run&) override {
    if (values_.empty()) return {};
    std::ranges::stable_sort(values_,
                             [](const Value& a, const Value& b) { return compare(a, b).value_or(0) < 0; });
    const double rank =
        std::ceil(std::clamp(percent_, 0.0, 100.0) / 100 * static_cast<double>(values_.size()));
    return values_[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
  }

 private:
  std::vector<Value> values_;
  double percent_ = 50;
};

template <class T>
std::unique_ptr<ValueAggregate> make() {
  return std::make_unique<T>();
}

constexpr AggregateKind kAggregates[] = {
    {"count", 0, 0, false, "count_", 'l', "", make<Count>},
    {"countif", 0, 0, true, "countif_", 'l', "", make<Count>},
    {"dcount", 1, 2, false, "", 'l', "any", make<CountDistinct>},
    {"dcountif", 1, 1, true, "", 'l', "any", make<CountDistinct>},
    {"count_distinct", 1, 1, false, "", 'l', "any", make<CountDistinct>},
    {"sum", 1, 1, false, "", '1', "number", make<Sum>},
    {"sumif", 1, 1, true, "", '1', "number", make<Sum>},
    {"avg", 1, 1, false, "", 'r', "number", make<Average<false, false>>},
    {"avgif", 1, 1, true, "", 'r', "number", make<Average<false, false>>},
    {"variance", 1, 1, false, "", 'r', "number", make<Average<true, false>>},
    {"stdev", 1, 1, false, "", 'r', "number", make<Average<true, true>>},
    {"min", 1, 1, false, "", '1', "any", make<Extreme<-1>>},
    {"minif", 1, 1, true, "", '1', "any", make<Extreme<-1>>},
    {"max", 1, 1, false, "", '1', "any", make<Extreme<1>>},
    {"maxif", 1, 1, true, "", '1', "any", make<Extreme<1>>},
    {"make_set", 1, 2, false, "set_", 'j', "any", make<Gather<true>>},
    {"make_set_if", 1, 1, true, "set_", 'j', "any", make<Gather<true>>},
    {"makeset", 1, 2, false, "set_", 'j', "any", make<Gather<true>>},
    {"make_list", 1, 2, false, "list_", 'j', "any", make<Gather<false>>},
    {"make_list_if", 1, 1, true, "list_", 'j', "any", make<Gather<false>>},
    {"makelist", 1, 2, false, "list_", 'j', "any", make<Gather<false>>},
    {"take_anyif", 1, 1, true, "", '1', "any", make<Any>},
    {"percentile", 2, 2, false, "", '1', "any", make<Percentile>},
};

}  // namespace

const AggregateKind* find_aggregate(std::string_view name) {
  const auto* found = std::ranges::find(kAggregates, name, &AggregateKind::name);
  return found != std::end(kAggregates) ? found : nullptr;
}

}  // namespace flow::kql
