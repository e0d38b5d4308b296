#include "apps/server/config_section.hpp"

#include <array>
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

// `_env`, `_file` and `_keyvault` exclude each other, written as keys of their own or within one table.
Result<SecretProvider> Section::any_secret(const std::string& key, SecretProvider (*from_file)(std::string)) {
  constexpr std::array<const char*, 3> kWays = {"env", "file", "keyvault"};
  std::array<std::string, 3> where;
  for (std::size_t i = 0; i < kWays.size(); ++i) {
    FLOW_TRY(where[i], text(fmt::format("{}_{}", key, kWays[i]), {}));
  }
  const auto count = [&] {
    return std::ranges::count_if(where, [](const std::string& each) { return !each.empty(); });
  };
  if (const toml::node* const bare = find(key)) {
    const toml::table* const source = bare->as_table();
    if (source == nullptr || count() > 0) return no_secret(*bare, key);
    Section inner(file_, path_.empty() ? key : path_ + "." + key, *source, vaults_);
    for (std::size_t i = 0; i < kWays.size(); ++i) {
      FLOW_TRY(where[i], inner.text(kWays[i], {}));
    }
    FLOW_TRY_STATUS(inner.only_known());
    if (count() == 0) return no_secret(*bare, key);
  }
  if (count() > 1) {
    std::string both;
    for (std::size_t i = 0; i < kWays.size(); ++i)
      if (!where[i].empty()) both += fmt::format("{}`{}_{}`", both.empty() ? "" : " and ", key, kWays[i]);
    return error(fmt::format("{}: `{}` has both {}", file_, path_, both));
  }
  if (!where[0].empty()) return secret_from_environment(where[0]);
  if (!where[1].empty()) return from_file(where[1]);
  if (where[2].empty()) return SecretProvider{};
  if (vaults_ == nullptr) return error(fmt::format("{}: no key vault is known here", file_));
  auto provider = vaults_->add(where[2], path_.empty() ? key : path_ + "." + key);
  if (!provider) return error(fmt::format("{}: `{}`: `{}`: {}", file_, path_, key, provider.error().message));
  return provider;
}

}  // namespace flow
