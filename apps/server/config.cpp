#include "apps/server/config.hpp"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <string_view>

#include "base/text.hpp"

namespace flow {
namespace {

// A secret that is read when it is needed, so that a renewed one takes effect without a restart.
SecretProvider from_environment(std::string variable) {
  return [variable = std::move(variable)]() -> Result<std::string> {
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0')
      return error(fmt::format("environment variable {} is not set", variable));
    return std::string(value);
  };
}

SecretProvider from_file(std::string path) {
  return [path = std::move(path)]() -> Result<std::string> {
    std::ifstream file(path);
    std::string value;
    if (!file || !std::getline(file, value) || value.empty())
      return error(fmt::format("cannot read a secret from `{}`", path));
    if (value.ends_with('\r')) value.pop_back();
    return value;
  };
}

// One table of the file: hands out its values by name, and knows which names it was asked for.
class Section {
 public:
  Section(const std::string& file, std::string path, const toml::table& table)
      : file_(file), path_(std::move(path)), table_(table) {}

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
  Result<std::int64_t> duration_us(const std::string& key, std::int64_t fallback) {
    const toml::node* const node = find(key);
    if (node == nullptr) return fallback;
    const auto written = node->value_exact<std::string>();
    const auto value = written ? parse_duration_us(*written) : std::nullopt;
    if (!value) return wrong(*node, key, "a duration in quotes, as \"30s\"");
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
  // `KEY_env` or `KEY_file`; an empty provider when neither is there.
  Result<SecretProvider> secret(const std::string& key) {
    FLOW_TRY(const std::string variable, text(key + "_env", {}));
    FLOW_TRY(const std::string file, text(key + "_file", {}));
    if (!variable.empty() && !file.empty())
      return error(fmt::format("{}: `{}` has both `{}_env` and `{}_file`", file_, path_, key, key));
    if (const toml::node* const bare = find(key))
      return error(
          fmt::format("{}: line {}: a secret does not belong into the file; name where it comes from: "
                      "`{}_env = \"VARIABLE\"` or `{}_file = \"PATH\"`",
                      file_, bare->source().begin.line, key, key));
    if (!variable.empty()) return from_environment(variable);
    if (!file.empty()) return from_file(file);
    return SecretProvider{};
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
                         *child.as_table());
      else
        status = wrong(child, std::string(name.str()), "a table");
    }
    return out;
  }
  std::optional<Section> table(const std::string& key, Status& status) {
    const toml::node* const node = find(key);
    if (node == nullptr) return std::nullopt;
    if (!node->is_table()) return status = wrong(*node, key, "a table"), std::nullopt;
    return Section(file_, path_.empty() ? key : path_ + "." + key, *node->as_table());
  }
  Result<std::map<std::string, std::string>> all_texts() {
    std::map<std::string, std::string> out;
    for (const auto& [name, child] : table_) {
      const auto value = child.value_exact<std::string>();
      if (!value) return wrong(child, std::string(name.str()), "a text in quotes");
      out.emplace(name.str(), *value);
    }
    return out;
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
      if (child.is_table()) out.emplace_back(file_, std::string(name.str()), *child.as_table());
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
  const toml::node* find(const std::string& key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.push_back(key);
    return table_.get(key);
  }
  tl::unexpected<Error> wrong(const toml::node& node, const std::string& key,
                              const std::string& wanted) const {
    return error(fmt::format("{}: line {}: `{}` must be {}", file_, node.source().begin.line, key, wanted));
  }

  const std::string& file_;
  std::string path_;
  const toml::table& table_;
  std::vector<std::string> known_;
};

Status read_mail(Section& section, TenantAccess& access) {
  FLOW_TRY(const std::string via, section.one_of("via", "graph", {"graph", "smtp"}));
  FLOW_TRY(const std::string sender, section.required("sender"));
  access.routes["mail"] = via;
  access.settings["graph.sender"] = sender;
  access.settings["smtp.sender"] = sender;
  return section.only_known();
}

Status read_smtp(Section& section, TenantAccess& access) {
  SmtpServer server;
  FLOW_TRY(server.host, section.required("host"));
  FLOW_TRY(const std::int64_t port, section.number("port", 587, 1, 65535));
  FLOW_TRY(const std::string security,
           section.one_of("security", "starttls", {"none", "starttls", "implicit"}));
  FLOW_TRY(server.user, section.text("user", {}));
  FLOW_TRY(server.ca_bundle, section.text("ca_bundle", {}));
  FLOW_TRY(access.smtp_password, section.secret("password"));
  FLOW_TRY(access.smtp_scope, section.text("oauth_scope", {}));
  server.port = static_cast<std::uint16_t>(port);
  server.security = security == "none"       ? SmtpServer::Security::None
                    : security == "implicit" ? SmtpServer::Security::Implicit
                                             : SmtpServer::Security::StartTls;
  server.login = !access.smtp_scope.empty() ? SmtpServer::Login::Bearer
                 : access.smtp_password     ? SmtpServer::Login::Password
                                            : SmtpServer::Login::None;
  access.smtp = std::move(server);
  return section.only_known();
}

Result<TenantConfig> read_tenant(Section& section) {
  constexpr std::string_view kAbove = "tenants.";
  TenantConfig tenant;
  tenant.name = section.path().substr(kAbove.size());  // a quoted name may have dots in it
  TenantAccess& access = tenant.access;
  FLOW_TRY(access.tenant_id, section.required("tenant_id"));
  FLOW_TRY(access.client_id, section.required("client_id"));
  FLOW_TRY(access.authority, section.text("authority", access.authority));
  FLOW_TRY(access.client_secret, section.secret("client_secret"));
  if (!access.client_secret)
    return section.missing("client_secret_env",
                           "`client_secret_env = \"VARIABLE\"` or `client_secret_file = \"PATH\"`");
  Status status;
  if (auto bases = section.table("bases", status)) {
    FLOW_TRY(access.bases, bases->all_texts());
  }
  if (auto scopes = section.table("scopes", status)) {
    FLOW_TRY(access.scopes, scopes->all_texts());
  }
  if (auto mail = section.table("mail", status)) FLOW_TRY_STATUS(read_mail(*mail, access));
  if (auto smtp = section.table("smtp", status)) FLOW_TRY_STATUS(read_smtp(*smtp, access));
  FLOW_TRY_STATUS(status);
  FLOW_TRY_STATUS(section.only_known());
  if (const auto via = access.routes.find("mail");
      via != access.routes.end() && via->second == "smtp" && !access.smtp)
    return error(fmt::format("`{}` sends mail by SMTP and needs `[{}.smtp]` with `host`", section.path(),
                             section.path()));
  return tenant;
}

Status read_limits(Section& section, Limits& limits) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  const auto read = [&](const char* key, std::size_t& limit, std::int64_t least) -> Status {
    FLOW_TRY(const std::int64_t value,
             section.number(key, static_cast<std::int64_t>(limit), least, std::int64_t{4} << 30));
    limit = static_cast<std::size_t>(value);
    return {};
  };
  FLOW_TRY(const std::int64_t fuel,
           section.number("fuel", static_cast<std::int64_t>(limits.fuel), 1000, kMost));
  limits.fuel = static_cast<std::uint64_t>(fuel);
  FLOW_TRY_STATUS(read("heap_bytes", limits.heap_bytes, 64 << 10));
  FLOW_TRY_STATUS(read("stack_bytes", limits.stack_bytes, 64 << 10));
  FLOW_TRY_STATUS(read("text_bytes", limits.text_bytes, 4096));
  FLOW_TRY_STATUS(read("list_items", limits.list_items, 100));
  return section.only_known();
}

Result<Config> read_config(Section& root) {
  Config config;
  Status status;
  if (auto store = root.table("store", status)) {
    FLOW_TRY(config.store, store->text("path", config.store));
    FLOW_TRY_STATUS(store->only_known());
  }
  if (auto poll = root.table("poll", status)) {
    FLOW_TRY(config.poll_every_us, poll->duration_us("every", 0));
    FLOW_TRY(config.look_back_us, poll->duration_us("look_back", 0));
    FLOW_TRY_STATUS(poll->only_known());
  }
  if (auto limits = root.table("limits", status)) FLOW_TRY_STATUS(read_limits(*limits, config.limits));
  if (auto transport = root.table("transport", status)) {
    FLOW_TRY(config.transport.ca_bundle, transport->text("ca_bundle", {}));
    FLOW_TRY(config.transport.extra_ca, transport->text("extra_ca", {}));
    FLOW_TRY(config.transport.client_certificate, transport->text("client_certificate", {}));
    FLOW_TRY(config.transport.client_key, transport->text("client_key", {}));
    FLOW_TRY_STATUS(transport->only_known());
  }
  if (auto params = root.table("params", status)) {
    FLOW_TRY(config.params, params->all_json());
    for (Section& file : params->all_tables()) {
      FLOW_TRY(config.params_of_file[file.path()], file.all_json());
      if (!file.all_tables().empty())
        return error(fmt::format("`[params.{}]` has a table in it: no parameter is one", file.path()));
    }
  }
  for (Section& section : root.tables("tenants", status)) {
    FLOW_TRY(TenantConfig tenant, read_tenant(section));
    config.tenants.push_back(std::move(tenant));
  }
  FLOW_TRY_STATUS(status);
  FLOW_TRY_STATUS(root.only_known());
  if (config.tenants.empty()) return error("the configuration names no tenant: it needs `[tenants.NAME]`");
  return config;
}

}  // namespace

Result<Config> parse_config(const std::string& name, const std::string& text) {
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& problem) {
    return error(fmt::format("{}: line {}: {}", name, problem.source().begin.line, problem.description()));
  }
  Section root(name, {}, table);
  auto config = read_config(root);
  if (!config && !config.error().message.starts_with(name))
    return error(fmt::format("{}: {}", name, config.error().message));
  return config;
}

TenantConfig sim_tenant(std::uint16_t port, std::uint16_t smtp_port, const std::string& mail_via) {
  const std::string url = fmt::format("http://127.0.0.1:{}", port);
  TenantConfig tenant;
  tenant.name = "sim";
  TenantAccess& access = tenant.access;
  access.tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3";
  access.client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
  access.client_secret = []() -> Result<std::string> { return "sim-secret"; };
  access.authority = url;
  access.bases = {{"defender", url}, {"graph", url}};
  access.settings = {{"graph.sender", "soc-bot@contoso.com"}, {"smtp.sender", "soc-bot@contoso.com"}};
  access.routes = {{"mail", mail_via}};
  access.smtp = SmtpServer{.host = "127.0.0.1", .port = smtp_port, .security = SmtpServer::Security::None};
  return tenant;
}

}  // namespace flow
