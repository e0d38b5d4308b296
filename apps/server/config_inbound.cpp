#include "apps/server/config_inbound.hpp"

namespace flow {
namespace {

constexpr std::int64_t kLongestWaitUs = 60'000'000;

// `127.0.0.1:8480`, `[::1]:8480`.
Status read_address(const std::string& text, InboundConfig& inbound) {
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint32_t port = 0;
  const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  for (const char c : digits.substr(0, 6)) port = c >= '0' && c <= '9' ? port * 10 + (c - '0') : 65'536;
  if (host.empty() || digits.empty() || port > 65'535)
    return error(
        fmt::format("`http.listen` must be an IP address and a port, as `127.0.0.1:8480`, not `{}`", text));
  inbound.address = host;
  inbound.port = static_cast<std::uint16_t>(port);
  return {};
}

Status read_url(const std::string& text, InboundConfig& inbound) {
  const bool is_url = text.empty() || text.starts_with("https://") || text.starts_with("http://");
  const bool is_plain = text.find_first_of(" \t\r\n\"<>?#") == std::string::npos;
  if (!is_url || !is_plain || text.ends_with("://"))
    return error(fmt::format(
        "`http.url` must be where people reach this service, as `https://flow.contoso.com`, not `{}`", text));
  inbound.url = text.substr(0, text.find_last_not_of('/') + 1);
  return {};
}

Status read_http(Section& section, InboundConfig& inbound) {
  FLOW_TRY(const std::string address, section.required("listen"));
  FLOW_TRY_STATUS(read_address(address, inbound));
  FLOW_TRY(const std::int64_t bytes, section.number("body_bytes", 1 << 20, 1024, 64 << 20));
  inbound.body_bytes = static_cast<std::size_t>(bytes);
  FLOW_TRY(inbound.respond_within_us, section.duration_us("respond_within", 20'000'000));
  if (inbound.respond_within_us < 0 || inbound.respond_within_us > kLongestWaitUs)
    return error("`http.respond_within` must be at most a minute");
  FLOW_TRY(const std::string url, section.text("url", {}));
  FLOW_TRY_STATUS(read_url(url, inbound));
  FLOW_TRY(inbound.link_key, section.secret("link_key"));
  return section.only_known();
}

Status read_metrics(Section& section, InboundConfig& inbound) {
  FLOW_TRY(inbound.metrics_token, section.secret("token"));
  FLOW_TRY(const std::string access, section.one_of("access", "token", {"token", "open"}));
  inbound.are_metrics_open = access == "open";
  FLOW_TRY_STATUS(section.only_known());
  if (static_cast<bool>(inbound.metrics_token) == inbound.are_metrics_open)
    return section.missing(
        "token_env", "either `token_env` or `token_file`, or `access = \"open\"` for whoever can reach it");
  return {};
}

Result<HookConfig> read_hook(Section& section) {
  HookConfig hook;
  FLOW_TRY(hook.tenant, section.text("tenant", {}));
  FLOW_TRY(hook.secret, section.secret("secret"));
  FLOW_TRY(hook.token, section.secret("token"));
  FLOW_TRY(hook.signature_header, section.text("signature_header", "X-Signature-256"));
  FLOW_TRY(hook.delivery_header, section.text("delivery_header", {}));
  FLOW_TRY_STATUS(section.only_known());
  if (static_cast<bool>(hook.secret) == static_cast<bool>(hook.token))
    return section.missing(
        "secret_env",
        "either `secret_env` or `secret_file`, for signed requests, or `token_env` or `token_file`, "
        "for a bearer token");
  return hook;
}

}  // namespace

Result<InboundConfig> read_inbound(Section& root) {
  constexpr std::string_view kAbove = "webhooks.";
  InboundConfig inbound;
  Status status;
  if (auto http = root.table("http", status)) FLOW_TRY_STATUS(read_http(*http, inbound));
  if (auto api = root.table("api", status)) {
    FLOW_TRY(inbound.api_token, api->secret("token"));
    FLOW_TRY_STATUS(api->only_known());
    if (!inbound.api_token) return api->missing("token_env", "`token_env` or `token_file`");
  }
  if (auto metrics = root.table("metrics", status)) FLOW_TRY_STATUS(read_metrics(*metrics, inbound));
  for (Section& section : root.tables("webhooks", status)) {
    FLOW_TRY(inbound.hooks[section.path().substr(kAbove.size())], read_hook(section));
  }
  FLOW_TRY_STATUS(status);
  const bool has_metrics = inbound.metrics_token || inbound.are_metrics_open;
  if (inbound.address.empty() && (inbound.api_token || has_metrics || !inbound.hooks.empty()))
    return error(
        "`[api]`, `[metrics]` and `[webhooks.NAME]` need `[http]` with `listen`, as `127.0.0.1:8480`");
  return inbound;
}

}  // namespace flow
