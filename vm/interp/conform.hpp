// Whether restored values are what the verifier counts on. Bytes from outside may say anything; after this
// they can do no more than a module could.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "vm/bytecode/module.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

class Conformity {
 public:
  // The slots of all values lie in the granules from `begin` on, or are the ones asked about.
  Conformity(const TypeTable& types, const char* begin, std::size_t granules)
      : types_(types), begin_(begin), granules_(granules) {}

  // Whether `value`, with all it leads to, is one of `type`. A table of a map has one type, as it may be
  // written to. Takes time linear in the values for each type they are asked for; uses no recursion.
  bool has_type(const Slot& value, TypeId type);

 private:
  struct Items {  // to be looked at: slots that are all of one type
    const Slot* begin;
    const Slot* end;
    TypeId type;
  };
  struct Seen {  // one bit for each granule: it begins a slot, or the fields of a record, of this type
    TypeId type;
    bool are_fields;
    std::vector<std::uint64_t> granules;
  };

  bool look_at(const Slot& slot, TypeId type);
  bool look_at_part(const Slot& slot, TypeId type);
  bool look_at_enum(const Slot& slot, TypeId type);
  bool look_at_record(const Slot& slot, TypeId type);
  bool look_at_map(const Slot& slot, TypeId type);
  bool drain();
  void put_off(const Slot* slots, std::size_t count, TypeId type);
  std::vector<std::uint64_t>& seen(TypeId type, bool are_fields);
  std::size_t granule_of(const void* pointer) const;

  const TypeTable& types_;
  const char* begin_;
  std::size_t granules_;
  std::vector<Items> pending_;
  std::vector<Seen> seen_;
  std::unordered_map<const MapTable*, TypeId> tables_;
};

}  // namespace flow
