#include "import/types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "import/prose.hpp"

namespace flow::importer {
namespace {

constexpr int kDeepestType = 24;
constexpr int kDeepestGathering = 32;  // `allOf` in each other
constexpr std::size_t kValuesInDoc = 24;
constexpr std::size_t kMostEnumValues = 500;

struct Format {
  std::string_view format, type, doc;
};
// Of a text. What is not here is a String.
constexpr Format kFormats[] = {
    {"date-time", "Time", ""},
    {"byte", "Bytes", ""},
    {"binary", "Bytes", ""},
    {"email", "Email", ""},
    {"uri", "Url", ""},
    {"url", "Url", ""},
    {"ipv4", "Ip", ""},
    {"ipv6", "Ip", ""},
    {"ip", "Ip", ""},
    {"date", "String", "A date, as 2026-11-20."},
    {"time", "String", "A time of day, as 08:30:00."},
    {"date-no-tz", "String", "A time without a zone, as 2026-11-20T08:30:00."},
};

bool is_nullable(const Place& schema) {
  return schema["nullable"].is_true() || schema["x-nullable"].is_true();
}

// The `type`, which since OpenAPI 3.1 may be a list; what it implies when it is missing.
std::string_view type_of(const Place& schema, bool& may_be_null, bool& is_mixed) {
  const Place type = schema["type"];
  std::string_view found = type.text();
  for (std::size_t i = 0; type.is_list() && i < type.size(); ++i) {
    const std::string_view one = type.item(i).text();
    if (one == "null")
      may_be_null = true;
    else if (!found.empty() && found != one)
      is_mixed = true;
    else
      found = one;
  }
  if (!found.empty() || is_mixed) return found;
  if (schema["properties"].is_object() || schema["additionalProperties"].is_object()) return "object";
  if (schema["items"]) return "array";
  return {};
}

bool is_alternative(const Place& schema) {
  return schema["oneOf"].size() > 0 || schema["anyOf"].size() > 0;
}

// Whether the text is the name, whatever stands between its letters.
bool says_only(std::string_view text, std::string_view name) {
  const auto letters = [](std::string_view of) {
    std::string out;
    for (const char c : lower_ascii(of))
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80) out += c;
    return out;
  };
  return !name.empty() && text.size() < 100 && letters(text) == letters(name);
}

std::string listed(const Place& values) {
  std::string out;
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size() && count < kValuesInDoc; ++i) {
    const std::string value = plain_prose(values.item(i).scalar());
    if (value.empty()) continue;
    out += (count++ == 0 ? "" : ", ") + value;
  }
  return out.empty() ? "" : "One of: " + out + (values.size() > kValuesInDoc ? " …" : ".");
}

bool is_enum_value(std::string_view value) {
  return is_word(value) && value != "_" && value.size() <= 100;
}

}  // namespace

SchemaType Types::json(const Place& schema, std::string reason) {
  if (!reason.empty()) findings_.note(schema, std::move(reason) + ": it is Json");
  return {.name = "Json"};
}

std::string Types::doc_of(const Place& schema, std::string_view name) {
  Place title = schema["x-ms-summary"];
  if (!title.is_text()) title = schema["title"];
  if (!title.is_text()) title = schema["summary"];
  std::string_view first = title.text(), rest = schema["description"].text();
  if (says_only(first, name)) first = {};
  if (says_only(rest, name)) rest = {};
  return joined_prose(first, rest);
}

SchemaType Types::of(const Place& schema, const std::string& wanted) {
  if (depth_ >= kDeepestType) return json(schema, "types are nested here too deeply");
  const Place at = references_.follow(schema);
  if (!at) return {.name = "Json"};
  ++depth_;
  SchemaType type = resolved(at, wanted, schema);
  --depth_;
  type.is_nullable = type.is_nullable || is_nullable(at) || is_nullable(schema);
  return type;
}

SchemaType Types::resolved(const Place& schema, const std::string& wanted, const Place& origin) {
  if (schema.kind() == Document::Kind::Bool) return {.name = "Json"};
  if (!schema.is_object()) return json(schema, "this is no schema");
  for (const std::string_view dynamic : {"x-ms-dynamic-schema", "x-ms-dynamic-properties"}) {
    const Place depends = origin[dynamic] ? origin[dynamic] : schema[dynamic];
    if (!depends || schema["properties"].size() > 0) continue;
    const std::string_view by = depends["operationId"].text().empty()
                                    ? depends["itemValuePath"]["operationId"].text()
                                    : depends["operationId"].text();
    SchemaType type = json(schema, "its members are known only when the API is asked");
    if (!by.empty()) type.doc = fmt::format("What it consists of, `{}` says.", snake_case(by));
    if (type_of(schema, type.is_nullable, type.is_nullable) == "array") type.name = "List<Json>";
    return type;
  }
  bool may_be_null = false, is_mixed = false;
  const std::string_view type = type_of(schema, may_be_null, is_mixed);
  SchemaType found;
  if (is_mixed)
    found = json(schema, "it may have several types");
  else if (schema["allOf"].size() == 1 && schema["properties"].size() == 0 &&
           (type.empty() || type == "object"))
    found = of(schema["allOf"].item(0), wanted);
  else if (schema["allOf"].size() > 0)
    found = object(schema, wanted);
  else if (is_alternative(schema) && schema["properties"].size() == 0)
    found = choice(schema, schema["oneOf"].size() > 0 ? schema["oneOf"] : schema["anyOf"], wanted);
  else if (type == "object")
    found = object(schema, wanted);
  else if (type == "array") {
    const Place items = schema["items"];
    if (items.is_list()) {
      found = json(schema, "its elements have each a schema of their own");
    } else {
      const SchemaType item = items ? of(items, wanted + "Item") : SchemaType{.name = "Json"};
      found = {
          .name = fmt::format("List<{}{}>", item.name, item.is_nullable && item.name != "Json" ? "?" : ""),
          .doc = item.doc};
    }
  } else if (type == "string")
    found = text(schema, wanted);
  else if (type == "integer" || type == "int" || type == "long")
    found = {.name = "Int", .doc = listed(schema["enum"])};
  else if (type == "number" || type == "float" || type == "double")
    found = {.name = "Float", .doc = listed(schema["enum"])};
  else if (type == "boolean" || type == "bool")
    found = {.name = "Bool"};
  else if (type == "file")
    found = {.name = "Bytes"};
  else if (type.empty() && schema["enum"].size() > 0)
    found = text(schema, wanted);
  else if (type.empty() || type == "any")
    found = {.name = "Json"};
  else if (type == "null")
    found = {.name = "Json", .is_nullable = true};
  else
    found = json(schema, fmt::format("there is no type `{}`", printable(beginning_of(type, 80))));
  found.is_nullable = found.is_nullable || may_be_null;
  return found;
}

SchemaType Types::choice(const Place& schema, const Place& variants, const std::string& wanted) {
  SchemaType found;
  bool may_be_null = false;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const Place variant = references_.follow(variants.item(i));
    bool ignored = false, is_mixed = false;
    const std::string_view type = type_of(variant, ignored, is_mixed);
    if (type == "null") {
      may_be_null = true;
      continue;
    }
    // A record is made only of the one schema that there is to choose.
    std::size_t others = 0;
    for (std::size_t j = 0; j < variants.size(); ++j)
      others += references_.follow(variants.item(j))["type"].text() == "null" ? 0 : 1;
    const bool is_plain = type == "string" || type == "integer" || type == "number" || type == "boolean";
    if (others > 1 && !is_plain) return json(schema, "it has one of several shapes");
    SchemaType one = of(variants.item(i), wanted);
    if (!found.name.empty() && found.name != one.name) return json(schema, "it has one of several types");
    found = std::move(one);
  }
  if (found.name.empty()) return json(schema, "there is nothing to choose from");
  found.is_nullable = found.is_nullable || may_be_null;
  return found;
}

SchemaType Types::text(const Place& schema, const std::string& wanted) {
  if (schema["enum"].size() > 0) return enumeration(schema, schema["enum"], wanted);
  if (schema["const"].is_text())
    return {.name = "String", .doc = fmt::format("Always {}.", plain_prose(schema["const"].text()))};
  const auto found = std::ranges::find(kFormats, lower_ascii(schema["format"].text()), &Format::format);
  if (found == std::end(kFormats)) return {.name = "String"};
  return {.name = std::string(found->type), .doc = std::string(found->doc)};
}

SchemaType Types::enumeration(const Place& schema, const Place& values, const std::string& wanted) {
  if (const auto known = enum_of_.find(schema.node()); known != enum_of_.end()) return known->second;
  SchemaType found;
  DeclaredEnum made;
  bool can_be = values.size() <= kMostEnumValues;
  std::string key;
  for (std::size_t i = 0; i < values.size() && can_be; ++i) {
    if (values.item(i).kind() == Document::Kind::Null) {
      found.is_nullable = true;
      continue;
    }
    const std::string value(values.item(i).text());
    can_be = is_enum_value(value);
    if (std::ranges::find(made.values, value) != made.values.end()) continue;
    key += value + ",";
    made.values.push_back(value);
  }
  if (!can_be || made.values.empty()) {
    found.name = "String";
    found.doc = listed(values);
    if (!can_be) findings_.note(values, "values of an enum that are no names: it is a String");
    return enum_of_[schema.node()] = found;
  }
  const std::string_view own = schema["x-ms-enum"]["name"].text();
  const std::string name = name_for(schema, own.empty() ? wanted : std::string(own));
  const auto [same, is_new] = enum_by_values_.emplace(name + ":" + key, "");
  if (is_new) {
    same->second = made.name = names_.take(name, prefix_);
    made.doc = doc_of(schema);
    found.values = made.values;
    enums.push_back(made);
  }
  found.values = std::move(made.values);
  found.name = same->second;
  return enum_of_[schema.node()] = found;
}

std::string Types::name_for(const Place& schema, const std::string& wanted) {
  // What stands under a name of its own has that name.
  const std::string_view pointer = schema.pointer();
  const std::size_t last = pointer.rfind('/');
  const std::string_view parent = pointer.substr(0, last == std::string_view::npos ? 0 : last);
  const bool is_named = parent == "/definitions" || parent == "/components/schemas";
  const std::string name = pascal_case(is_named ? schema.last_name() : wanted);
  return name.starts_with(prefix_) ? name : prefix_ + name;
}

void Types::gather(const Place& schema, Gathered& into, int depth) {
  const Place at = references_.follow(schema);
  if (!at) return;
  if (depth > kDeepestGathering) return findings_.loss(at, "`allOf` are nested here too deeply");
  if (!into.visited.insert(at.node()).second) return;
  bool ignored = false, is_mixed = false;
  const std::string_view type = type_of(at, ignored, is_mixed);
  if (!type.empty() && type != "object") into.is_object = false;
  for (std::size_t i = 0; i < at["allOf"].size(); ++i) gather(at["allOf"].item(i), into, depth + 1);
  if (is_alternative(at)) findings_.loss(at, "of the alternatives beside its members nothing is known");
  const Place properties = at["properties"];
  for (std::size_t i = 0; properties.is_object() && i < properties.size(); ++i) {
    const std::string wire(properties.name(i));
    const auto [known, is_new] = into.by_wire.emplace(wire, into.members.size());
    if (is_new)
      into.members.push_back({.schema = properties.item(i), .wire = wire});
    else
      into.members[known->second].schema = properties.item(i);
  }
  const Place required = at["required"];
  for (std::size_t i = 0; required.is_list() && i < required.size(); ++i)
    into.required.insert(std::string(required.item(i).text()));
  if (at["additionalProperties"].is_object()) into.additional = at["additionalProperties"];
}

std::vector<SchemaMember> Types::members(const Place& schema) {
  const Place at = references_.follow(schema);
  if (!at.is_object() || is_alternative(at) || is_nullable(at)) return {};
  Gathered gathered;
  gather(at, gathered, 0);
  if (!gathered.is_object || gathered.additional) return {};
  for (SchemaMember& member : gathered.members) member.is_required = gathered.required.contains(member.wire);
  return std::move(gathered.members);
}

SchemaType Types::object(const Place& schema, const std::string& wanted) {
  if (const auto known = record_of_.find(schema.node()); known != record_of_.end())
    return {.name = known->second};
  Gathered gathered;
  gather(schema, gathered, 0);
  if (!gathered.is_object) return json(schema, "it is made of parts that are no objects");
  if (gathered.members.empty()) {
    if (!gathered.additional || gathered.additional.size() == 0) return {.name = "Json"};
    const SchemaType value = of(gathered.additional, wanted + "Value");
    return {.name = fmt::format("Map<String, {}{}>", value.name,
                                value.is_nullable && value.name != "Json" ? "?" : ""),
            .doc = value.doc};
  }
  if (gathered.additional && gathered.additional.size() > 0)
    findings_.loss(gathered.additional, "members beside those that are named are left out");
  const std::string name = names_.take(name_for(schema, wanted), prefix_);
  record_of_.emplace(schema.node(), name);
  waiting_.push_back({.schema = schema, .record = records.size()});
  records.push_back({.name = name, .doc = doc_of(schema), .fields = {}});
  return {.name = name};
}

void Types::fill(const Named& named) {
  Gathered gathered;
  gather(named.schema, gathered, 0);
  Names names{Names::Reserved::Allowed};
  const std::string record = records[named.record].name;
  std::vector<DeclaredField> fields;
  for (const SchemaMember& member : gathered.members) {
    const std::string name = names.take(camel_case(member.wire), "field");
    const SchemaType type = of(member.schema, record + pascal_case(name));
    const bool is_there = gathered.required.contains(member.wire) && !type.is_nullable &&
                          !references_.follow(member.schema)["readOnly"].is_true();
    const bool is_reference = member.schema["$ref"] && !member.schema["description"];
    std::string doc = doc_of(is_reference ? references_.follow(member.schema) : member.schema, member.wire);
    if (!type.doc.empty()) doc += (doc.empty() ? "" : " ") + type.doc;
    fields.push_back({.name = name,
                      .wire = member.wire,
                      .type = type.name + (is_there ? "" : "?"),
                      .doc = std::move(doc)});
  }
  records[named.record].fields = std::move(fields);
}

void Types::finish() {
  while (!waiting_.empty()) {
    const Named next = waiting_.front();
    waiting_.pop_front();
    fill(next);
  }
  break_circles();
}

// No value could have a record that holds itself, directly or through others: such a field may be missing.
void Types::break_circles() {
  std::map<std::string, std::size_t, std::less<>> by_name;
  for (std::size_t i = 0; i < records.size(); ++i) by_name.emplace(records[i].name, i);
  enum class State : std::uint8_t { New, Open, Done };
  std::vector<State> states(records.size(), State::New);
  struct Visit {
    std::size_t record, field;
  };
  for (std::size_t start = 0; start < records.size(); ++start) {
    if (states[start] != State::New) continue;
    std::vector<Visit> path{{start, 0}};
    states[start] = State::Open;
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.field == records[visit.record].fields.size()) {
        states[visit.record] = State::Done;
        path.pop_back();
        continue;
      }
      DeclaredField& field = records[visit.record].fields[visit.field++];
      const auto next = by_name.find(field.type);
      if (next == by_name.end() || states[next->second] == State::Done) continue;
      if (states[next->second] == State::Open) {
        field.type += '?';
        continue;
      }
      states[next->second] = State::Open;
      path.push_back({next->second, 0});
    }
  }
}

}  // namespace flow::importer
