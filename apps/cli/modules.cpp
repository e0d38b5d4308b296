#include "apps/cli/modules.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "apps/cli/source.hpp"
#include "compiler/syntax/file_name.hpp"

namespace flow {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(std::string_view file) {
  const fs::path folder = fs::path(file).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

fs::path project_of(const fs::path& folder) {
  std::error_code failed;
  for (fs::path at = fs::weakly_canonical(folder, failed); !failed; at = at.parent_path()) {
    if (fs::exists(at / "flow.toml", failed)) return at;
    if (at == at.parent_path()) break;
  }
  return folder;
}

// As a person would write it.
std::string shown(const fs::path& path) {
  std::error_code failed;
  const fs::path near = fs::proximate(path, failed);
  const std::string text = (failed || near.empty() ? path : near).lexically_normal().string();
  return text.starts_with("../../..") ? path.lexically_normal().string() : text;
}

// What stands in a folder, as it is named behind `use`.
void add_files(const fs::path& folder, std::string_view from, bool as_paths,
               std::vector<std::string>& names) {
  constexpr std::size_t kMost = 1'000;  // that are looked through at each mistake
  std::error_code failed;
  std::vector<std::string> found;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end && found.size() < kMost;
       at.increment(failed)) {
    if (at->path().extension() != ".flow" || at->path().filename() == fs::path(from).filename()) continue;
    found.push_back(as_paths ? at->path().filename().string() : name_from_file(at->path().string()));
  }
  std::ranges::sort(found);
  names.insert(names.end(), found.begin(), found.end());
}

std::variant<FoundModule, MissingModule> find(const ModuleRequest& request) {
  const fs::path folder = folder_of(request.from);
  std::vector<fs::path> places;
  std::vector<fs::path> folders{folder};
  if (request.is_path) {
    places.push_back(folder / fs::path(request.module));
    folders = {folder_of(places.back().string())};
  } else {
    if (const fs::path lib = project_of(folder) / "lib"; fs::absolute(lib) != fs::absolute(folder))
      folders.push_back(lib);
    std::string dashed(request.module);  // `use isolate_high` also finds isolate-high.flow
    std::ranges::replace(dashed, '_', '-');
    for (const fs::path& in : folders) {
      places.push_back(in / (std::string(request.module) + ".flow"));
      if (dashed != request.module) places.push_back(in / (dashed + ".flow"));
    }
  }
  MissingModule missing;
  for (const fs::path& place : places) {
    std::error_code failed;
    if (!fs::is_regular_file(place, failed)) {
      missing.looked_for.push_back("`" + shown(place) + "`");
      continue;
    }
    Result<std::string> text = read_source(place.string());
    if (!text) {
      missing.problem = text.error().message;
      return missing;
    }
    return FoundModule{.id = module_id(place.string()), .source = {shown(place), std::move(*text)}};
  }
  for (const fs::path& in : folders) {
    std::vector<std::string> names;
    add_files(in, request.from, request.is_path, names);
    const fs::path written = fs::path(request.module).parent_path();
    for (const std::string& name : names)
      missing.there.push_back(request.is_path ? (written / name).string() : name);
  }
  return missing;
}

}  // namespace

ModuleLoader module_loader() {
  return find;
}

std::string module_id(const std::string& path) {
  if (path == "-") return {};
  std::error_code failed;
  const fs::path whole = fs::weakly_canonical(path, failed);
  return failed ? path : whole.string();
}

}  // namespace flow
