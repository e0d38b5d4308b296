// Bodies of Defender's POST and PATCH: their names count to the letter case.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

struct BodyField {
  std::string name;
  bool is_required = false;
  std::vector<std::string> values = {};  // what the field accepts; empty: any text
  bool is_list = false;                  // of texts
};

// Reads the body into `body`, or gives the API's 400: MissingRequiredParameter, InvalidRequestBody,
// InvalidInput.
std::optional<HttpAnswer> read_body(State& state, const Call& call, const std::vector<BodyField>& fields,
                                    Json& body);

}  // namespace flow::sim
