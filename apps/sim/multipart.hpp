// Bodies of multipart/form-data, taken apart. At most 100 parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow::sim {

struct FormPart {
  std::string name, file_name;  // as Content-Disposition says
  std::string content;
};

// `content_type` is the whole header with its boundary.
Result<std::vector<FormPart>> read_multipart(std::string_view content_type, std::string_view body);

}  // namespace flow::sim
