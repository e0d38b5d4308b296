#include "compiler/syntax/file_name.hpp"

#include <filesystem>

namespace flow {

std::string name_from_file(std::string_view file) {
  std::string name;
  for (const char c : std::filesystem::path(file).stem().string()) {
    const bool is_of_name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool goes_on = (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // with a character of several bytes
    if (is_of_name)
      name += c;
    else if (!goes_on)
      name += '_';
  }
  if (name.empty()) return "flow";
  return name[0] >= '0' && name[0] <= '9' ? "flow_" + name : name;
}

}  // namespace flow
