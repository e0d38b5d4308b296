// Json values: their text is JSON without blanks.
#include "vm/interp/json_read.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {

Text parseJson(NativeContext& context, std::string_view text) {
  Slot value = Slot::null();
  const auto problem = json_parse(text, context.heap, value);
  if (problem) return problem->is_out_of_memory ? Text(out_of_memory(context)) : std::nullopt;
  return value.view();
}

Text jsonText(NativeContext&, std::string_view json) {
  return json;
}

}  // namespace flow::natives
