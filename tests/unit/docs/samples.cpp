#include "tests/unit/docs/samples.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

namespace flow::test {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> pages() {
  const fs::path root = FLOW_SOURCE_DIR;
  std::vector<fs::path> found;
  if (fs::exists(root / "README.md")) found.push_back(root / "README.md");
  for (const char* folder : {"docs", "docs/decisions", "docs/generated"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::directory_iterator(root / folder))
      if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::vector<Sample> samples(const fs::path& page) {
  std::vector<Sample> found;
  std::istringstream lines(read_text(page));
  std::string line;
  bool is_inside = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (!line.starts_with("```")) {
      if (is_inside) found.back().text += line + "\n";
      continue;
    }
    is_inside = !is_inside;
    if (is_inside)
      found.push_back(
          {fs::relative(page, FLOW_SOURCE_DIR).string() + ":" + std::to_string(number), line.substr(3), {}});
  }
  return found;
}

}  // namespace flow::test
