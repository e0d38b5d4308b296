#include "apps/server/config_identity.hpp"

#include <cstdlib>

#include "apps/cli/terminal.hpp"
#include "apps/server/login_file.hpp"
#include "stdlib/identity/managed_identity.hpp"

namespace flow {
namespace {

constexpr const char* kExchangeAudience = "api://AzureADTokenExchange";
constexpr std::size_t kLongestFile = 1u << 20;

std::optional<std::string> environment(const std::string& variable) {
  const char* const value = std::getenv(variable.c_str());
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

// One credential a table: the second one is a contradiction.
Status choose(AppIdentity& identity, CredentialKind kind, const Section& section) {
  if (identity.kind != CredentialKind::None)
    return error(fmt::format("`{}` has two credentials, {} and {}; leave one out", section.path(),
                             credential_kind_name(identity.kind), credential_kind_name(kind)));
  identity.kind = kind;
  return {};
}

Status read_certificate(Section& section, AppIdentity& identity) {
  FLOW_TRY(const std::string certificate, section.text("client_certificate", {}));
  FLOW_TRY(const std::string key, section.text("client_key", {}));
  FLOW_TRY(const SecretProvider password, section.secret("client_certificate_password"));
  FLOW_TRY(const std::string form, section.one_of("client_assertion", "ps256", {"ps256", "rs256"}));
  if (certificate.empty()) {
    if (!key.empty())
      return section.missing("client_certificate", "`client_certificate`, as it has `client_key`");
    return {};
  }
  FLOW_TRY_STATUS(choose(identity, CredentialKind::Certificate, section));
  identity.certificate = [certificate, key, password]() -> Result<ClientCertificate> {
    ClientCertificate::Files files;
    FLOW_TRY(files.certificate, read_file(certificate, kLongestFile));
    if (!key.empty()) {
      FLOW_TRY(files.key, read_file(key, kLongestFile));
    }
    if (password) {
      FLOW_TRY(files.password, password());
    }
    auto read = ClientCertificate::read(files);
    if (!read) return error(fmt::format("`{}`: {}", certificate, read.error().message));
    return read;
  };
  identity.proof.assertion =
      signed_assertion(identity.certificate, form == "ps256" ? AssertionForm::Ps256 : AssertionForm::Rs256);
  return {};
}

Result<std::shared_ptr<const TokenDoor>> read_door(Section& section) {
  ManagedIdentity identity;
  FLOW_TRY(identity.client_id, section.text("client_id", {}));
  FLOW_TRY(identity.object_id, section.text("object_id", {}));
  FLOW_TRY(identity.resource_id, section.text("resource_id", {}));
  FLOW_TRY(identity.endpoint, section.text("endpoint", {}));
  FLOW_TRY(identity.key_folder, section.text("key_folder", identity.key_folder));
  if (!identity.key_folder.starts_with('/'))
    return error(fmt::format("`{}`: `key_folder` must begin with `/`", section.path()));
  FLOW_TRY_STATUS(section.only_known());
  auto door = managed_identity_door(identity, environment);
  if (!door) return error(fmt::format("`{}`: {}", section.path(), door.error().message));
  return std::make_shared<const TokenDoor>(std::move(*door));
}

Status read_federation(Section& section, AppIdentity& identity) {
  FLOW_TRY(const std::string audience, section.text("audience", kExchangeAudience));
  FLOW_TRY(const SecretProvider token, section.secret("token"));
  FLOW_TRY(const std::string url, section.text("url", {}));
  FLOW_TRY(const SecretProvider url_token, section.secret("url_token"));
  FLOW_TRY(const std::string answer, section.text("answer", "value"));
  Status status;
  std::optional<Section> managed = section.table("managed_identity", status);
  FLOW_TRY_STATUS(status);
  if ((token != nullptr) + !url.empty() + managed.has_value() != 1)
    return error(fmt::format("`{}` needs one of `token_file`, `url` and `[{}.managed_identity]`",
                             section.path(), section.path()));
  if (token) {
    identity.proof.assertion = [token](const AssertionFor&) { return token(); };
    return section.only_known();
  }
  auto other = std::make_shared<TokenRequest>();
  other->scope = audience + "/.default";
  if (managed) {
    FLOW_TRY(other->door, read_door(*managed));
  } else {
    if (!url.starts_with("https://") && !url.starts_with("http://127.0.0.1"))
      return error(fmt::format("`{}`: `url` must begin with `https://`", section.path()));
    other->door = std::make_shared<const TokenDoor>(TokenDoor{.url = url,
                                                              .resource_name = "audience",
                                                              .header = url_token ? "Authorization" : "",
                                                              .header_value = url_token,
                                                              .header_prefix = "Bearer ",
                                                              .member = answer});
  }
  identity.proof.assertion_from = std::move(other);
  return section.only_known();
}

Status read_login(Section& section, AppIdentity& identity) {
  FLOW_TRY(identity.login_file, section.required("file"));
  identity.proof.refresh_token = login_from_file(identity.login_file);
  identity.proof.renewed = [file = identity.login_file](const std::string& token) {
    // Whoever started before goes on with it; the next start needs the file.
    if (const Status saved = save_login(file, token); !saved) complain(saved.error().message);
  };
  return section.only_known();
}

Status read_cloud(Section& section, AppIdentity& identity) {
  FLOW_TRY(identity.authority, section.text("authority", {}));
  FLOW_TRY(const std::string cloud, section.text("cloud", {}));
  if (cloud.empty()) return {};
  identity.cloud = find_cloud(cloud);
  if (identity.cloud != nullptr) return {};
  const auto near = nearest_name(cloud, cloud_names());
  return error(fmt::format("`{}` has `cloud = \"{}\"`, and known are {}{}", section.path(), cloud,
                           fmt::join(cloud_names(), ", "),
                           near ? fmt::format("; did you mean `{}`?", *near) : ""));
}

}  // namespace

std::string_view credential_kind_name(CredentialKind kind) {
  switch (kind) {
    case CredentialKind::None: return "nothing";
    case CredentialKind::Secret: return "a secret";
    case CredentialKind::Certificate: return "a certificate";
    case CredentialKind::Federation: return "federation";
    case CredentialKind::ManagedIdentity: return "a managed identity";
    case CredentialKind::Person: return "a person's sign-in";
  }
  return {};
}

Result<AppIdentity> read_identity(Section& section) {
  AppIdentity identity;
  FLOW_TRY_STATUS(read_cloud(section, identity));
  FLOW_TRY(identity.client_id, section.text("client_id", {}));
  FLOW_TRY(identity.proof.secret, section.secret("client_secret"));
  if (identity.proof.secret) FLOW_TRY_STATUS(choose(identity, CredentialKind::Secret, section));
  FLOW_TRY_STATUS(read_certificate(section, identity));
  Status status;
  if (auto federation = section.table("federation", status)) {
    FLOW_TRY_STATUS(choose(identity, CredentialKind::Federation, section));
    FLOW_TRY_STATUS(read_federation(*federation, identity));
  }
  if (auto managed = section.table("managed_identity", status)) {
    FLOW_TRY_STATUS(choose(identity, CredentialKind::ManagedIdentity, section));
    FLOW_TRY(identity.proof.door, read_door(*managed));
  }
  if (auto login = section.table("login", status)) {
    FLOW_TRY_STATUS(choose(identity, CredentialKind::Person, section));
    FLOW_TRY_STATUS(read_login(*login, identity));
  }
  FLOW_TRY_STATUS(status);
  return identity;
}

AppIdentity with_shared(AppIdentity own, const std::optional<AppIdentity>& shared) {
  if (!shared) return own;
  AppIdentity whole = own.kind == CredentialKind::None ? *shared : own;
  whole.client_id = own.client_id.empty() ? shared->client_id : own.client_id;
  whole.authority = own.authority.empty() ? shared->authority : own.authority;
  whole.cloud = own.cloud == nullptr ? shared->cloud : own.cloud;
  return whole;
}

void apply_identity(const AppIdentity& identity, TenantAccess& access) {
  access.client_id = identity.client_id;
  access.client_secret = identity.proof.secret;
  access.assertion = identity.proof.assertion;
  access.assertion_from = identity.proof.assertion_from;
  access.door = identity.proof.door;
  access.refresh_token = identity.proof.refresh_token;
  access.renewed = identity.proof.renewed;
  if (identity.cloud != nullptr) access.authority = identity.cloud->authority;
  if (!identity.authority.empty()) access.authority = identity.authority;
  if (identity.cloud == nullptr || identity.cloud->is_global()) return;
  const std::string graph(identity.cloud->graph), defender(identity.cloud->defender);
  access.bases.emplace("graph", graph);
  access.scopes.emplace("graph", graph + "/.default");
  access.bases.emplace("defender", defender);  // empty where there is none: its calls then say so
  if (!defender.empty()) access.scopes.emplace("defender", defender + "/.default");
}

}  // namespace flow
