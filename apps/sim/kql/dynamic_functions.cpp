#include <algorithm>
#include <map>
#include <set>

#include "apps/sim/kql/functions.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

const Json& json_of(const Value& value) {
  static const Json kNull;
  return value.json() != nullptr ? *value.json() : kNull;
}
const Json::List& items_of(const Value& value) {
  return json_of(value).items();
}
Json as_json(const Value& value) {
  return to_json(value, value.get<Text>() != nullptr ? Type::Text : Type::Dynamic);
}
std::int64_t length(std::size_t size) {
  return static_cast<std::int64_t>(size);
}

Value pack_array(Run&, Arguments a) {
  Json list = Json::list();
  for (const Value& value : a) list.add(as_json(value));
  return Value::dynamic(std::move(list));
}

Value pack(Run& run, Arguments a) {
  Json object = Json::object();
  for (std::size_t i = 0; i + 1 < a.size() && run.spend(i); i += 2)
    object.set(to_text(a[i]), as_json(a[i + 1]));
  return Value::dynamic(std::move(object));
}

Value bag_keys(Run&, Arguments a) {
  Json list = Json::list();
  for (const sim::Member& member : json_of(a[0]).members()) list.add(member.name);
  return Value::dynamic(std::move(list));
}

Value bag_merge(Run& run, Arguments a) {
  Json merged = Json::object();
  for (const Value& bag : a)
    for (const sim::Member& member : json_of(bag).members())
      if (run.spend(1 + merged.members().size() / 8) && merged.find(member.name) == nullptr)
        merged.set(member.name, member.value);
  return Value::dynamic(std::move(merged));
}

Value array_concat(Run&, Arguments a) {
  Json list = Json::list();
  for (const Value& array : a)
    for (const Json& item : items_of(array)) list.add(item);
  return Value::dynamic(std::move(list));
}

Value array_slice(Run&, Arguments a) {
  const Json::List& items = items_of(a[0]);
  const std::int64_t size = length(items.size());
  const auto place = [&](const Value& value) {
    const std::int64_t index = value.integer().value_or(0);
    return index < 0 ? std::max<std::int64_t>(index, -size) + size : index;
  };
  Json list = Json::list();
  for (std::int64_t i = place(a[1]); i < size && i <= place(a[2]); ++i) list.add(items[i]);
  return Value::dynamic(std::move(list));
}

Value index_of(const Value& array, const Value& wanted) {
  std::string key, other;
  append_key(key, wanted);
  const Json::List& items = items_of(array);
  for (std::size_t i = 0; i < items.size(); ++i) {
    other.clear();
    append_key(other, Value::dynamic(items[i]));
    if (other == key) return length(i);
  }
  return std::int64_t{-1};
}

template <bool kDescending>
Value array_sort(Run& run, Arguments a) {
  Json::List items = items_of(a[0]);
  if (!run.spend(items.size() * 20)) return {};
  std::ranges::stable_sort(items, [](const Json& x, const Json& y) {
    const Value left = Value::dynamic(x), right = Value::dynamic(y);
    // Of different kinds: by kind, so that the order is one.
    if (x.is_number() != y.is_number() || x.is_text() != y.is_text()) return x.kind() < y.kind();
    const int order = compare(left, right).value_or(0);
    return kDescending ? order > 0 : order < 0;
  });
  return Value::dynamic(std::move(items));
}

// Each item once, in the order of the first list, then of the next.
template <char kKind>
Value sets(Run& run, Arguments a) {
  const auto keys_of = [&](const Value& array) {
    std::set<std::string> keys;
    for (const Json& item : items_of(array)) {
      std::string key;
      append_key(key, Value::dynamic(item));
      keys.insert(std::move(key));
    }
    return keys;
  };
  std::vector<std::set<std::string>> others;
  for (std::size_t i = 1; kKind != 'u' && i < a.size(); ++i) others.push_back(keys_of(a[i]));
  std::set<std::string> seen;
  Json list = Json::list();
  for (std::size_t i = 0; i < (kKind == 'u' ? a.size() : 1); ++i)
    for (const Json& item : items_of(a[i])) {
      std::string key;
      append_key(key, Value::dynamic(item));
      const bool is_wanted = std::ranges::all_of(
          others, [&](const std::set<std::string>& other) { return other.contains(key) == (kKind == 'i'); });
      if (run.spend(1) && is_wanted && seen.insert(std::move(key)).second) list.add(item);
    }
  return Value::dynamic(std::move(list));
}

// A text is read as JSON; what is none stays the text it is.
Value parse(Run&, Arguments a) {
  return convert(a[0], Type::Dynamic);
}

std::string_view kind_of(const Value& value) {
  const Json* json = value.json();
  if (json != nullptr)
    return json->is_list() ? "array" : json->is_object() ? "dictionary" : kind_of(plain(value));
  if (value.get<bool>() != nullptr) return "bool";
  if (value.get<std::int64_t>() != nullptr) return "long";
  if (value.get<double>() != nullptr) return "double";
  if (value.get<Text>() != nullptr) return "string";
  if (value.get<DateTime>() != nullptr) return "datetime";
  return value.get<TimeSpan>() != nullptr ? "timespan" : "null";
}

template <Type kType>
Value to(Run&, Arguments a) {
  return convert(a[0], kType);
}

constexpr Function kDynamicFunctions[] = {
    {"parse_json", "a", 'j', parse},
    {"todynamic", "a", 'j', parse},
    {"toobject", "a", 'j', parse},
    {"parsejson", "a", 'j', parse},
    {"dynamic_to_json", "a", 's', to<Type::Text>},
    {"tostring", "a", 's', to<Type::Text>},
    {"toguid", "a", 's', to<Type::Text>},
    {"guid", "a", 's', to<Type::Text>},
    {"string", "a", 's', to<Type::Text>},
    {"toint", "a", 'i', to<Type::Int>},
    {"int", "a", 'i', to<Type::Int>},
    {"tolong", "a", 'l', to<Type::Long>},
    {"long", "a", 'l', to<Type::Long>},
    {"toreal", "a", 'r', to<Type::Real>},
    {"todouble", "a", 'r', to<Type::Real>},
    {"todecimal", "a", 'r', to<Type::Real>},
    {"real", "a", 'r', to<Type::Real>},
    {"double", "a", 'r', to<Type::Real>},
    {"tobool", "a", 'b', to<Type::Bool>},
    {"toboolean", "a", 'b', to<Type::Bool>},
    {"bool", "a", 'b', to<Type::Bool>},
    {"todatetime", "a", 'd', to<Type::DateTime>},
    {"totimespan", "a", 't', to<Type::TimeSpan>},
    {"gettype", "a", 's', [](Run&, Arguments a) { return Value::text(std::string(kind_of(a[0]))); }},
    {"pack", "*a", 'j', pack},
    {"bag_pack", "*a", 'j', pack},
    {"pack_dictionary", "*a", 'j', pack},
    {"pack_array", "*a", 'j', pack_array},
    {"bag_keys", "j", 'j', bag_keys},
    {"bag_merge", "jj*", 'j', bag_merge},
    {"bag_has_key", "js", 'b',
     [](Run&, Arguments a) { return Value(json_of(a[0]).find(a[1].text()) != nullptr); }},
    {"array_length", "j", 'l',
     [](Run&, Arguments a) {
       return json_of(a[0]).is_list() ? Value(length(items_of(a[0]).size())) : Value();
     }},
    {"arraylength", "j", 'l',
     [](Run&, Arguments a) {
       return json_of(a[0]).is_list() ? Value(length(items_of(a[0]).size())) : Value();
     }},
    {"array_concat", "j*", 'j', array_concat},
    {"array_slice", "jll", 'j', array_slice},
    {"array_index_of", "ja", 'l', [](Run&, Arguments a) { return index_of(a[0], a[1]); }},
    {"array_sort_asc", "j", 'j', array_sort<false>},
    {"array_sort_desc", "j", 'j', array_sort<true>},
    {"array_reverse", "j", 'j',
     [](Run&, Arguments a) {
       Json::List items = items_of(a[0]);
       std::ranges::reverse(items);
       return Value::dynamic(std::move(items));
     }},
    {"set_has_element", "ja", 'b',
     [](Run&, Arguments a) { return Value(index_of(a[0], a[1]).integer().value_or(-1) >= 0); }},
    {"set_union", "j*", 'j', sets<'u'>},
    {"set_intersect", "jj*", 'j', sets<'i'>},
    {"set_difference", "jj*", 'j', sets<'d'>},
};

}  // namespace

std::span<const Function> dynamic_functions() {
  return kDynamicFunctions;
}

const Function* find_function(std::string_view name) {
  static const std::map<std::string_view, const Function*> kAll = [] {
    std::map<std::string_view, const Function*> all;
    for (const auto& list : {text_functions(), regex_functions(), time_functions(), dynamic_functions(),
                             number_functions(), network_functions()})
      for (const Function& function : list) all.emplace(function.name, &function);
    return all;
  }();
  const auto found = kAll.find(name);
  return found != kAll.end() ? found->second : nullptr;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& list : {text_functions(), regex_functions(), time_functions(), dynamic_functions(),
                           number_functions(), network_functions()})
    for (const Function& function : list)
      if (function.name.find(' ') == std::string_view::npos) names.emplace_back(function.name);
  return names;
}

}  // namespace flow::kql
