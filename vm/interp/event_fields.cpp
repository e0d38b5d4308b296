#include "vm/interp/event_fields.hpp"

namespace flow {
namespace {

EventFields::Reading reading_of(const TypeTable& types, TypeId type) {
  using Reading = EventFields::Reading;
  switch (types.storage(type)) {
    case Storage::Bool: return Reading::Bool;
    case Storage::Float: return Reading::Float;
    case Storage::Enum: return Reading::Enum;
    case Storage::Text:  // A secret is refused there, and Bytes may be spelled in several ways.
      return type == kSecretType || type == kBytesType ? Reading::Later : Reading::Text;
    case Storage::Int:
      if (type == kTimeType) return Reading::Time;
      return type == kDurationType ? Reading::Duration : Reading::Int;
    default: return Reading::Later;
  }
}

}  // namespace

std::size_t EventFields::chain_of(std::string_view name) {
  return chain_of(name.empty() ? '"' : name[0], name.size() < 2 ? '"' : name[1]);
}

std::uint32_t EventFields::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? kNone : found->second;
}

std::uint32_t EventFields::member(const std::string& wire) {
  const auto index = static_cast<std::uint32_t>(members_.size());
  const auto [known, is_new] = by_name_.try_emplace(wire, index);
  if (!is_new) return known->second;
  std::uint32_t& first = first_[chain_of(wire)];
  members_.push_back({.wire = wire, .next = first, .values = {}});
  first = index + 1;
  return index;
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
