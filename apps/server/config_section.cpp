#include "apps/server/config_section.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace flow {

// A secret that is read when it is needed, so that a renewed one takes effect without a restart.
SecretProvider secret_from_environment(std::string variable) {
  return [variable = std::move(variable)]() -> Result<std::string> {
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0')
      return error(fmt::format("environment variable {} is not set", variable));
    return std::string(value);
  };
}

SecretProvider secret_of_whole_file(std::string path) {
  return [path = std::move(path)]() -> Result<std::string> {
    constexpr std::size_t kMostBytes = 64 << 10;
    std::ifstream file(path);
    std::string value(std::istreambuf_iterator<char>(file), {});
    if (!file || value.empty() || value.size() > kMostBytes)
      return error(fmt::format("cannot read a secret from `{}`", path));
    return value;
  };
}

SecretProvider secret_from_file(std::string path) {
  return [path = std::move(path)]() -> Result<std::string> {
    std::ifstream file(path);
    std::string value;
    if (!file || !std::getline(file, value) || value.empty())
      return error(fmt::format("cannot read a secret from `{}`", path));
    if (value.ends_with('\r')) value.pop_back();
    return value;
  };
}

namespace {

void add_keys(const toml::table& table, const std::string& path, std::map<std::string, std::string>& keys) {
  if (table.empty() && !path.empty()) keys[path] = "{}";
  for (const auto& [name, child] : table) {
    const std::string key = path.empty() ? std::string(name.str()) : path + "." + std::string(name.str());
    if (const toml::table* const inner = child.as_table()) {
      add_keys(*inner, key, keys);
      continue;
    }
    std::ostringstream written;
    child.visit([&](const auto& value) { written << value; });
    keys[key] = written.str();
  }
}

}  // namespace

std::map<std::string, std::string> written_keys(const toml::table& table) {
  std::map<std::string, std::string> keys;
  add_keys(table, {}, keys);
  return keys;
}

}  // namespace flow
