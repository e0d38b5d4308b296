// Bodies of Defender's POST and PATCH: their names count to the letter case.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

enum class BodyKind : std::uint8_t { Text, Bool, Number, Object, Objects, Any };

struct BodyField {
  std::string name;
  bool is_required = false;
  std::vector<std::string> values = {};  // what the field accepts; empty: any text
  bool is_list = false;                  // of texts
  BodyKind kind = BodyKind::Text;
};

// Reads the body into `body`, or gives the API's 400: MissingRequiredParameter, InvalidRequestBody,
// InvalidInput.
std::optional<HttpAnswer> read_body(State& state, const Call& call, const std::vector<BodyField>& fields,
                                    Json& body);
// The same for an object that stands within a body.
struct BodyProblem {
  std::string_view code;
  std::string message;
};
std::optional<BodyProblem> body_problem(const std::vector<BodyField>& fields, const Json& object);

}  // namespace flow::sim
