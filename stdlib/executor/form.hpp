// The body of a request that is no JSON: fields of a form, and forms with files.
#pragma once

#include <string>

#include "base/result.hpp"
#include "stdlib/json/json.hpp"

namespace flow {

// application/x-www-form-urlencoded: each member that is not null, a list once for each of its elements.
std::string form_body(const JsonValue& fields);

struct Multipart {
  std::string content_type;  // with the boundary
  std::string body;
};

// multipart/form-data. A member that is an object with `name` and `content` (Base64) is a file, any other a
// field with its text. The same fields give the same bytes: the boundary is the first of a fixed row that no
// part holds.
Result<Multipart> multipart_body(const JsonValue& fields);

}  // namespace flow
