#include "compiler/syntax/file_name.hpp"

#include <filesystem>

namespace flow {

std::string name_from_file(std::string_view file) {
  std::string name = std::filesystem::path(file).stem().string();
  for (char& c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
  return name.empty() ? "flow" : name;
}

}  // namespace flow
