#include "apps/server/params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {

Attempt<void> set_params(const std::vector<std::string>& given, const LoadedModule& module, Config& config) {
  const std::string file = std::filesystem::path(module.file).stem().string();
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure(fmt::format("`--param {}`: write `--param name=value`", text), kUsage);
    const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
    if (std::ranges::find(module.settings, name) == module.settings.end()) {
      const auto near = nearest_name(name, module.settings);
      return failure(fmt::format("`{}` has no parameter `{}`{}", module.file, name,
                                 near ? fmt::format("; did you mean `{}`?", *near)
                                 : module.settings.empty()
                                     ? std::string("; it declares none")
                                     : fmt::format("; it has {}", fmt::join(module.settings, ", "))),
                     kUsage);
    }
    const bool is_json = !module.text_settings.contains(name) && json_members("{\"value\":" + value + "}");
    config.params_of_file[file][name] = is_json ? value : json_quoted(value);
  }
  return {};
}

Attempt<std::map<std::string, std::string>> written_arguments(const std::vector<std::string>& given) {
  std::map<std::string, std::string> written;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return failure(fmt::format("`--arg {}`: write `--arg name=value`", text), kUsage);
    if (!written.emplace(text.substr(0, equals), text.substr(equals + 1)).second)
      return failure(fmt::format("`--arg {}` is given twice", text.substr(0, equals)), kUsage);
  }
  return written;
}

}  // namespace flow
