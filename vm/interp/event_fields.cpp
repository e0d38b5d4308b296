#include "vm/interp/event_fields.hpp"

namespace flow {
namespace {

EventFields::Reading reading_of(const TypeTable& types, TypeId type) {
  using Reading = EventFields::Reading;
  switch (types.storage(type)) {
    case Storage::Bool: return Reading::Bool;
    case Storage::Float: return Reading::Float;
    case Storage::Enum: return Reading::Enum;
    case Storage::Text: return type == kSecretType ? Reading::Later : Reading::Text;  // and refused there
    case Storage::Int:
      if (type == kTimeType) return Reading::Time;
      return type == kDurationType ? Reading::Duration : Reading::Int;
    default: return Reading::Later;
  }
}

// As a key's: a quote ends it.
char at(std::string_view name, std::size_t index) {
  return index < name.size() ? name[index] : '"';
}

}  // namespace

std::uint32_t EventFields::find(std::string_view key) const {
  for (std::uint32_t i = 0; i < members_.size(); ++i)
    if (members_[i].wire == key) return i;
  return kNone;
}

std::uint32_t EventFields::member(const std::string& wire) {
  if (const std::uint32_t known = find(wire); known != kNone) return known;
  std::uint32_t& first = first_[chain_of(at(wire, 0), wire.empty() ? '"' : at(wire, 1))];
  members_.push_back({.wire = wire, .next = first, .values = {}});
  first = static_cast<std::uint32_t>(members_.size());
  return first - 1;
}

std::uint32_t EventFields::value(std::uint32_t member, Value wanted) {
  if (wanted.reading == Reading::Later) return 0;
  for (const std::uint32_t known : members_[member].values)
    if (values_[known].reading == wanted.reading &&
        values_[known].enumeration.values == wanted.enumeration.values)
      return known;
  values_.push_back(std::move(wanted));
  members_[member].values.push_back(static_cast<std::uint32_t>(values_.size() - 1));
  return members_[member].values.back();
}

EventFields::Place EventFields::place(const TypeTable& types, const std::string& wire, TypeId declared) {
  const TypeId type = types.without_null(declared);
  Place place{.member = member(wire), .type = declared, .form = form_of(type)};
  place.is_optional = types.is_optional(declared);
  Value wanted{.reading = reading_of(types, type), .enumeration = {}};
  if (wanted.reading == Reading::Enum) {
    wanted.enumeration.values = types.enumeration(type).values;
    place.enum_type = type;
  }
  place.value = value(place.member, std::move(wanted));
  return place;
}

void EventFields::add(const TypeTable& types, const FlowCode& flow) {
  Plan plan;
  for (const Input& input : flow.inputs) {
    const std::size_t before = plan.places.size();
    if (input.source == Input::Source::Binding) {
      plan.places.push_back(place(types, input.wire, input.type));
      plan.places.back().may_be_absent = plan.places.back().is_optional;
    } else if (input.source == Input::Source::Entity) {
      for (const RecordField& field : types.record(types.without_null(input.type)).fields) {
        plan.places.push_back(place(types, field.wire, field.type));
        plan.places.back().may_be_absent =
            plan.places.back().is_optional || types.storage(field.type) == Storage::None;
      }
    }
    plan.per_input.push_back(static_cast<std::uint32_t>(plan.places.size() - before));
  }
  plans_.insert_or_assign(&flow, std::move(plan));
}

}  // namespace flow
