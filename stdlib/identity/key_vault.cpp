#include "stdlib/identity/key_vault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kDeadline = 10 * kSecondUs;
constexpr std::size_t kLongestSecretAnswer = 256u << 10;  // a secret has at most 25 KB
constexpr std::string_view kVaultHosts[] = {"vault.azure.net", "vault.usgovcloudapi.net", "vault.azure.cn"};
constexpr const char* kWanted = "`https://VAULT.vault.azure.net/secrets/NAME`, perhaps with `/VERSION`";

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 127 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_host(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == ':';
  });
}

// `127.0.0.1:8123`
bool is_this_machine(std::string_view host) {
  host = host.substr(0, host.find(':'));
  return host == "127.0.0.1" || host == "localhost";
}

// `NAME` or `NAME/VERSION`
bool is_secret_path(std::string_view path) {
  const std::size_t slash = path.find('/');
  return is_name(path.substr(0, slash)) &&
         (slash == std::string_view::npos || is_name(path.substr(slash + 1)));
}

std::string scope_of_host(std::string_view host) {
  if (is_this_machine(host)) return fmt::format("https://{}/.default", kVaultHosts[0]);
  for (const std::string_view known : kVaultHosts)
    if (host.size() > known.size() + 1 && host.ends_with(known) &&
        host[host.size() - known.size() - 1] == '.')
      return fmt::format("https://{}/.default", known);
  return {};
}

Fault refusal(const VaultAddress& address, const HttpResponse& response, std::int64_t now_us) {
  Fault fault{.message = {}, .status = response.status};
  std::string code, inner, message;
  if (const auto body = parse_json(response.body); body && body->kind == JsonValue::Kind::Object)
    if (const JsonValue* const said = body->member("error"); said != nullptr) {
      code = text_if_any(said->member("code"));
      message = text_if_any(said->member("message"));
      if (const JsonValue* const within = said->member("innererror"); within != nullptr)
        inner = text_if_any(within->member("code"));
    }
  fault.code = excerpt(inner.empty() ? code : inner, 60);
  fault.retry_after_us = retry_after_us(response, now_us).value_or(0);
  const auto is = [&](std::string_view word) {
    return fault.code.find(word) != std::string::npos || message.find(word) != std::string::npos;
  };
  std::string why;
  switch (response.status) {
    case 401:
      fault.kind = FaultKind::Unauthorized;
      why = "the vault does not take the token: it belongs to another tenant or cloud than who asks";
      break;
    case 403:
      fault.kind = FaultKind::Forbidden;
      if (is("SecretDisabled") || is("disabled secret")) {
        why = "the secret is disabled";
        fault.code = kSecretDisabled;
      } else if (is("ForbiddenByFirewall") || is("Client address is not authorized") ||
                 is("Public network access is disabled")) {
        why = "the vault's network rules do not let this machine in";
      } else {
        why =
            "who asks may not read it: it needs the role Key Vault Secrets User, or an access policy with "
            "Get of secrets";
      }
      break;
    case 404:
      fault.kind = FaultKind::NotFound;
      why = "the vault has no such secret, or not this version";
      break;
    case 429:
      fault.kind = FaultKind::Throttled;
      why = "the vault is asked too often";
      break;
    default:
      fault.kind = response.status >= 500 ? FaultKind::Unavailable : FaultKind::InvalidResponse;
      why = fmt::format("the vault answered {}", response.status);
  }
  fault.message = fmt::format("`{}`: {}", address.url, why);
  if (!message.empty()) fault.message += " (" + excerpt(message, 160) + ")";
  return fault;
}

tl::unexpected<Fault> unusable(const VaultAddress& address, FaultKind kind, std::string_view problem,
                               std::string code = {}) {
  return tl::unexpected(Fault{.kind = kind,
                              .message = fmt::format("`{}`: {}", address.url, problem),
                              .status = 200,
                              .code = std::move(code)});
}

// Seconds since 1970, perhaps as a text; 0 when it is neither.
std::int64_t seconds_of(const JsonValue* value) {
  std::int64_t seconds = 0;
  if (value == nullptr) return 0;
  std::from_chars(value->text.data(), value->text.data() + value->text.size(), seconds);
  return std::clamp<std::int64_t>(seconds, 0, std::int64_t{1} << 40);
}

}  // namespace

Result<VaultAddress> vault_address(std::string_view written, const std::string& scope) {
  const bool is_secure = written.starts_with("https://");
  std::string_view rest = written;
  rest.remove_prefix(std::min(rest.size(), is_secure ? std::size_t{8} : std::size_t{7}));
  const std::size_t slash = rest.find('/');
  const std::string_view host = rest.substr(0, slash);
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  constexpr std::string_view kSecrets = "/secrets/";
  const bool may_be_plain = written.starts_with("http://") && is_this_machine(host);
  if ((!is_secure && !may_be_plain) || !is_host(host) || !path.starts_with(kSecrets) ||
      !is_secret_path(path.substr(kSecrets.size())))
    return error(fmt::format("a secret of a key vault is written {}, not `{}`", kWanted, excerpt(written)));
  VaultAddress address{.url = std::string(written), .scope = scope.empty() ? scope_of_host(host) : scope};
  if (address.scope.empty())
    return error(
        fmt::format("`{}` is no address of Azure Key Vault: its token is sent to hosts below {} only, unless "
                    "`[keyvault]` has the `scope` of another vault",
                    host, fmt::join(kVaultHosts, ", ")));
  return address;
}

HttpRequest vault_request(const VaultAddress& address, const std::string& api_version,
                          const std::string& token) {
  return {.method = "GET",
          .url = address.url + "?api-version=" + percent_encoded(api_version),
          .headers = {{"Accept", "application/json"}, {"Authorization", "Bearer " + token}},
          .deadline_us = kDeadline,
          .max_response_bytes = kLongestSecretAnswer};
}

tl::expected<VaultAnswer, Fault> read_vault_answer(const VaultAddress& address, const HttpResponse& response,
                                                   std::int64_t now_us) {
  if (response.status != 200) return tl::unexpected(refusal(address, response, now_us));
  const auto body = parse_json(response.body);
  const JsonValue* const value = body ? body->member("value") : nullptr;
  if (value == nullptr || !value->is_text())
    return unusable(address, FaultKind::InvalidResponse, "the vault's answer has no `value`");
  VaultAnswer answer{.value = value->text};
  if (answer.value.empty()) return unusable(address, FaultKind::InvalidResponse, "the secret is empty");
  if (const JsonValue* const attributes = body->member("attributes"); attributes != nullptr) {
    const JsonValue* const enabled = attributes->member("enabled");
    if (enabled != nullptr && enabled->kind == JsonValue::Kind::Bool && !enabled->truth)
      return unusable(address, FaultKind::Forbidden, "the secret is disabled", kSecretDisabled);
    answer.ends_us = seconds_of(attributes->member("exp")) * kSecondUs;
  }
  return answer;
}

}  // namespace flow
