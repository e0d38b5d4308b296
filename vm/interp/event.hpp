// One event, read once for all the flows that decide about it: its text, in which the members they read have
// been found, and the scalars among these converted. Machine::start copies from it, so it may go while runs
// go on.
//
// What a run gets depends on the text and on its own flow, never on the other flows: the text is walked in
// the same way whatever is wanted, and a member that cannot be read is a problem of the flows that read it.
// So a run that is taken up from its journal, alone, gets what it got the first time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/interp/event_fields.hpp"
#include "vm/interp/json_read.hpp"

namespace flow {

class ParsedEvent {
 public:
  ParsedEvent() = default;
  ParsedEvent(const ParsedEvent&) = delete;
  ParsedEvent& operator=(const ParsedEvent&) = delete;

  // Reads `json`, an object, for the flows of `fields`, which must stay as it is while this is used. Forgets
  // the event before and keeps its memory. Text that is no event is no error here: each run that starts from
  // it is told.
  void read(std::string_view json, const EventFields& fields);

  std::string_view json() const { return {text_.data(), size_}; }

  // Fills the registers of the flow's inputs (see Input::Source) with values whose bytes are in `heap`.
  // `flow` was added to the fields, and `types` are those of its module.
  std::optional<JsonProblem> fill(const TypeTable& types, const FlowCode& flow, Heap& heap,
                                  Slot* registers) const;

 private:
  using Place = EventFields::Place;

  std::string walk();
  void found(std::uint32_t member, const char* begin, const char* end);
  static Slot convert(const EventFields::Value& wanted, std::string_view token);
  bool copy(const Place& place, Heap& heap, Slot& slot) const;
  std::optional<JsonProblem> fill_entity(const TypeTable& types, const Input& input, const Place* places,
                                         std::size_t count, Heap& heap, Slot& slot) const;

  const EventFields* fields_ = nullptr;
  std::vector<char> text_;  // with the bytes behind it that the parser may look at
  std::size_t size_ = 0;
  std::string problem_;                    // empty, or why no run can start from it
  std::vector<std::string_view> members_;  // of each member its value's text; no data when it is absent
  std::vector<Slot> values_;               // null where there is none, or only the member's text can tell
};

}  // namespace flow
