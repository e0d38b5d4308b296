// OData query options over lists of JSON entities: `$filter` (eq ne gt ge lt le, and or not, in, parentheses,
// startswith endswith contains, any over a collection), `$orderby`, `$top`, `$skip`, `$count`, `$select`,
// `$expand`. Only the properties that an entity set documents as filterable are accepted; anything else is an
// Error whose message goes into the API's `ODataError`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/json.hpp"
#include "apps/sim/url.hpp"

namespace flow::sim {

enum class PropertyKind : std::uint8_t {
  Text,    // compared exactly
  Enum,    // compared without regard to case, only with its own values
  Time,    // compared as ticks, written without quotes
  Number,  // whole
  Decimal,
  Bool,     // true or false, without quotes
  Texts,    // a list of texts: only in any()
  Objects,  // a list of objects with text members: only in any()
};

struct Property {
  std::string name;
  PropertyKind kind = PropertyKind::Text;
  std::vector<std::string> values = {};  // of an Enum; empty: open
};

// A parsed `$filter`. Limits: 8,000 characters, 64 levels, 500 terms.
class Filter {
 public:
  static Result<Filter> parse(std::string_view text, const std::vector<Property>& properties);
  bool matches(const Json& entity) const;

  // One term; `left` and `right` index into the filter's nodes.
  struct Node {
    enum class Kind : std::uint8_t { And, Or, Not, Compare, In, StartsWith, EndsWith, Contains, Any, Always };
    enum class Op : std::uint8_t { Eq, Ne, Gt, Ge, Lt, Le };
    Kind kind = Kind::Always;
    Op op = Op::Eq;
    PropertyKind property_kind = PropertyKind::Text;
    std::string property;  // empty inside any() over texts: the element itself
    std::vector<Json> values;
    std::uint32_t left = 0, right = 0;
  };

 private:
  std::vector<Node> nodes_;
  std::uint32_t root_ = 0;
};

struct EntitySet {
  std::string context;               // of the answer: `…/api/$metadata#Alerts`
  std::vector<Property> properties;  // what `$filter` and `$orderby` accept
  std::string expandable;            // the one name `$expand` accepts; empty: none
  std::size_t most = 10'000;         // largest `$top`
  std::string base_url;              // of `@odata.nextLink`
  std::size_t page = 0;              // length of an answer without `$top`; 0: `most`
};

// The answer's body for `entities`, given newest first; or what is wrong with the query. `show` makes what
// the client sees of an entity; `expanded` says whether the query named `expandable`.
Result<Json> query_entities(const EntitySet& set, const Pairs& query,
                            const std::vector<const Json*>& entities,
                            const std::function<Json(const Json&, bool expanded)>& show);
// How many entities the query's `$filter` lets through.
Result<std::size_t> count_entities(const EntitySet& set, const Pairs& query,
                                   const std::vector<const Json*>& entities);

}  // namespace flow::sim
