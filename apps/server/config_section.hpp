// One table of flow.toml: hands out its values by name, with errors that say where they stand, and knows
// which names it was asked for.
#pragma once

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/vault_references.hpp"
#include "base/result.hpp"
#include "base/span.hpp"
#include "base/text.hpp"
#include "stdlib/executor/executor.hpp"

namespace flow {

SecretProvider secret_from_environment(std::string variable);
SecretProvider secret_from_file(std::string path);  // its first line
SecretProvider secret_of_whole_file(std::string path);

// Each key with a value, by its whole path; a table without keys is one as well.
std::map<std::string, std::string> written_keys(const toml::table& table);

class Section {
 public:
  Section(const std::string& file, std::string path, const toml::table& table,
          VaultReferences* vaults = nullptr)
      : file_(file), path_(std::move(path)), table_(table), vaults_(vaults) {}

  Result<std::string> text(const std::string& key, std::string fallback) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<std::string>()) return *value;
    return wrong(*node, key, "a text in quotes");
  }
  Result<std::string> required(const std::string& key) {
    FLOW_TRY(std::string value, text(key, {}));
    if (value.empty()) return missing(key, fmt::format("`{}`", key));
    return value;
  }
  Result<std::int64_t> duration_us(const std::string& key, std::int64_t fallback,
                                   std::int64_t most = std::numeric_limits<std::int64_t>::max()) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    const auto written = node->value_exact<std::string>();
    const auto value = written ? parse_duration_us(*written) : std::nullopt;
    if (!value) return wrong(*node, key, "a duration in quotes, as \"30s\"");
    if (*value > most) return wrong(*node, key, fmt::format("at most \"{}\"", format_duration_us(most)));
    return *value;
  }
  // How long something is kept, a day at least; 0 is for ever, which is written "forever".
  Result<std::int64_t> keep_us(const std::string& key, std::int64_t fallback) {
    constexpr std::int64_t kDayUs = 86'400 * std::int64_t{1'000'000};
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    const auto written = node->value_exact<std::string>();
    if (written == "forever") return 0;
    const auto value = written ? parse_duration_us(*written) : std::nullopt;
    if (!value || *value < kDayUs)
      return wrong(*node, key, "a duration in quotes of a day or more, as \"90d\", or \"forever\"");
    return *value;
  }
  Result<std::int64_t> number(const std::string& key, std::int64_t fallback, std::int64_t low,
                              std::int64_t high) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < low || *value > high)
      return wrong(*node, key, fmt::format("a whole number from {} to {}", low, high));
    return *value;
  }
  // `KEY_env`, `KEY_file`, `KEY_keyvault` or `KEY = { env = … }`; an empty provider when none of them is
  // there.
  Result<SecretProvider> secret(const std::string& key) { return any_secret(key, secret_from_file); }
  // The same, but of a file all of it, as a key file has several lines.
  Result<SecretProvider> whole_secret(const std::string& key) {
    return any_secret(key, secret_of_whole_file);
  }
  // A list of texts; none when it is not there.
  Result<std::vector<std::string>> texts(const std::string& key) {
    std::vector<std::string> out;
    const toml::node* const node = find(key);
    if (node == nullptr) return out;
    if (!node->is_array()) return wrong(*node, key, "a list of texts in quotes");
    for (const toml::node& item : *node->as_array()) {
      const auto value = item.value_exact<std::string>();
      if (!value) return wrong(item, key, "a list of texts in quotes");
      out.push_back(*value);
    }
    return out;
  }
  Result<bool> truth(const std::string& key, bool fallback) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    if (const auto value = node->value_exact<bool>()) return *value;
    return wrong(*node, key, "true or false");
  }
  // Every key of this table as a secret: `NAME_env`, `NAME_file`, `NAME_keyvault` or `NAME = { env = … }`.
  Result<std::map<std::string, SecretProvider>> all_secrets() {
    std::map<std::string, SecretProvider> out;
    for (const auto& [name, child] : table_) {
      std::string key(name.str());
      for (const std::string_view ending : {"_env", "_file", "_keyvault"})
        if (!child.is_table() && key.ends_with(ending)) key.resize(key.size() - ending.size());
      FLOW_TRY(SecretProvider provider, secret(key));
      out.insert_or_assign(key, std::move(provider));
    }
    return out;
  }
  Result<std::string> one_of(const std::string& key, std::string fallback,
                             std::initializer_list<const char*> choices) {
    const toml::node* const node = find(key);
    FLOW_TRY(std::string value, text(key, std::move(fallback)));
    for (const char* choice : choices)
      if (value == choice) return value;
    return wrong(*node, key, fmt::format("one of {}", fmt::join(choices, ", ")));
  }
  std::vector<Section> tables(const std::string& key, Status& status) {
    std::vector<Section> out;
    const toml::node* const node = find(key);
    if (node == nullptr) return out;
    const toml::table* const table = node->as_table();
    if (table == nullptr) return status = wrong(*node, key, "a table"), out;
    for (const auto& [name, child] : *table) {
      if (child.is_table())
        out.emplace_back(file_,
                         path_.empty() ? key + "." + std::string(name.str())
                                       : path_ + "." + key + "." + std::string(name.str()),
                         *child.as_table(), vaults_);
      else
        status = wrong(child, std::string(name.str()), "a table");
    }
    return out;
  }
  std::optional<Section> table(const std::string& key, Status& status) {
    const toml::node* const node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_table()) return status = wrong(*node, key, "a table"), std::nullopt;
    return Section(file_, path_.empty() ? key : path_ + "." + key, *node->as_table(), vaults_);
  }
  // A list of texts; empty when it is not there.
  Result<std::vector<std::string>> text_list(const std::string& key) {
    std::vector<std::string> out;
    const toml::node* const node = find(key);
    if (node == nullptr) return out;
    if (!node->is_array()) return wrong(*node, key, "a list of texts in quotes");
    for (const toml::node& item : *node->as_array()) {
      const auto text = item.value_exact<std::string>();
      if (!text) return wrong(item, key, "a list of texts in quotes");
      out.push_back(*text);
    }
    return out;
  }
  // An error about the value of the key, with the line where it stands.
  tl::unexpected<Error> about(const std::string& key, const std::string& problem) const {
    const toml::node* const node = table_.get(key);
    return error(
        fmt::format("{}: line {}: {}", file_, node == nullptr ? 0 : node->source().begin.line, problem));
  }
  Result<std::map<std::string, std::string>> all_texts() { return texts_by_key(false); }
  Result<std::map<std::string, std::string>> texts_beside_tables() { return texts_by_key(true); }
  // Where the value stands in the text of the file.
  Span place(const std::string& key, std::string_view text) const {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) return {0, 0};
    return {offset_of(node->source().begin, text), offset_of(node->source().end, text)};
  }
  // Every value that is no table, as JSON.
  Result<std::map<std::string, std::string>> all_json() {
    std::map<std::string, std::string> out;
    for (const auto& [name, child] : table_) {
      if (child.is_table()) continue;
      const auto json = json_of(child);
      if (!json)
        return wrong(child, std::string(name.str()), "a text, a number, a truth value or a list of them");
      out.emplace(name.str(), *json);
    }
    return out;
  }
  std::vector<Section> all_tables() const {
    std::vector<Section> out;
    for (const auto& [name, child] : table_)
      if (child.is_table()) out.emplace_back(file_, std::string(name.str()), *child.as_table(), vaults_);
    return out;
  }
  // Names a key that nobody asked for.
  Status only_known() const {
    for (const auto& [name, child] : table_) {
      if (std::find(known_.begin(), known_.end(), name.str()) != known_.end()) continue;
      const auto near = nearest_name(name.str(), known_);
      return error(fmt::format("{}: line {}: unknown key `{}`{}; {}", file_, child.source().begin.line,
                               name.str(), path_.empty() ? "" : fmt::format(" in `{}`", path_),
                               near ? fmt::format("did you mean `{}`?", *near)
                                    : fmt::format("known are {}", fmt::join(known_, ", "))));
    }
    return {};
  }
  // Of a key that must be there. One that looks like it was probably meant.
  tl::unexpected<Error> missing(const std::string& key, const std::string& wanted) const {
    for (const auto& [name, child] : table_) {
      const bool is_known = std::find(known_.begin(), known_.end(), name.str()) != known_.end();
      if (!is_known && nearest_name(name.str(), std::vector<std::string>{key}))
        return error(fmt::format("{}: line {}: unknown key `{}` in `{}`; did you mean `{}`?", file_,
                                 child.source().begin.line, name.str(), path_, key));
    }
    return error(fmt::format("{}: `{}` needs {}", file_, path_, wanted));
  }
  const std::string& path() const { return path_; }

 private:
  static std::optional<std::string> json_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return json_quoted(*text);
    if (const auto number = node.value_exact<std::int64_t>()) return fmt::format("{}", *number);
    if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
    if (const auto real = node.value_exact<double>(); real && std::isfinite(*real))
      return fmt::format("{}", *real);
    if (!node.is_array()) return std::nullopt;
    std::string list;
    for (const toml::node& item : *node.as_array()) {
      const auto json = json_of(item);
      if (!json) return std::nullopt;
      list += (list.empty() ? "" : ",") + *json;
    }
    return "[" + list + "]";
  }
  Result<std::map<std::string, std::string>> texts_by_key(bool may_have_tables) const {
    std::map<std::string, std::string> out;
    for (const auto& [name, child] : table_) {
      if (may_have_tables && child.is_table()) continue;
      const auto value = child.value_exact<std::string>();
      if (!value) return wrong(child, std::string(name.str()), "a text in quotes");
      out.emplace(name.str(), *value);
    }
    return out;
  }
  // Columns count code points.
  static std::uint32_t offset_of(const toml::source_position& place, std::string_view text) {
    std::size_t at = 0;
    for (toml::source_index line = 1; line < place.line && at < text.size(); ++at)
      if (text[at] == '\n') ++line;
    for (toml::source_index column = 1; column < place.column && at < text.size(); ++column) {
      ++at;
      while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    }
    return static_cast<std::uint32_t>(at);
  }
  const toml::node* find(const std::string& key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
    return table_.get(key);
  }
  tl::unexpected<Error> no_secret(const toml::node& node, const std::string& key) const {
    return error(
        fmt::format("{}: line {}: a secret does not belong into the file; name where it comes from: "
                    "`{}_env = \"VARIABLE\"`, `{}_file = \"PATH\"` or `{}_keyvault = \"https://…\"`",
                    file_, node.source().begin.line, key, key, key));
  }
  tl::unexpected<Error> wrong(const toml::node& node, const std::string& key,
                              const std::string& wanted) const {
    return error(fmt::format("{}: line {}: `{}` must be {}", file_, node.source().begin.line, key, wanted));
  }

  Result<SecretProvider> any_secret(const std::string& key, SecretProvider (*from_file)(std::string));

  const std::string& file_;
  std::string path_;
  const toml::table& table_;
  VaultReferences* vaults_;
  std::vector<std::string> known_;
};

}  // namespace flow
