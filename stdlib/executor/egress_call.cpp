#include "stdlib/executor/egress_call.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "stdlib/executor/response.hpp"
#include "stdlib/http/url.hpp"

namespace flow {
namespace {

std::string argument(const CallText& call, std::string_view name) {
  const JsonValue* const value = call.arguments.member(name);
  return value == nullptr ? std::string() : text_of(*value);
}

Status add_headers(HttpRequest& request, const JsonValue* given) {
  if (given == nullptr || given->is_null()) return {};
  if (given->kind != JsonValue::Kind::Object) return error("the headers are no map");
  for (std::size_t i = 0; i < given->names.size(); ++i) {
    const std::string& name = given->names[i];
    std::erase_if(request.headers,
                  [&](const auto& header) { return equals_ignoring_case(header.first, name); });
    request.headers.emplace_back(name, text_of(given->items[i]));
  }
  return {};
}

// Secrets stand in headers only: an address is written into logs everywhere.
Status add_secrets(HttpRequest& request, const CallText& call, Redaction& redaction) {
  const JsonValue* const given = call.arguments.member("secrets");
  if (given == nullptr || given->is_null()) return {};
  const auto remembering = [&](const std::string& name) -> Result<std::string> {
    if (!call.access.secret) return error("no secrets are configured, and the call needs `" + name + "`");
    Result<std::string> secret = call.access.secret(name);
    if (secret) redaction.add(*secret);
    return secret;
  };
  JsonValue revealed = *given;
  FLOW_TRY_STATUS(reveal(revealed, remembering));
  return add_headers(request, &revealed);
}

void add_body(HttpRequest& request, const JsonValue* given) {
  if (given == nullptr || given->is_null()) return;
  const bool is_text = given->is_text();
  request.body = is_text ? given->text : to_json(*given);
  const bool has_type = std::ranges::any_of(
      request.headers, [](const auto& header) { return equals_ignoring_case(header.first, "Content-Type"); });
  if (!has_type)
    request.headers.emplace_back("Content-Type", is_text ? "text/plain; charset=utf-8" : "application/json");
}

// A credential is for the machine whose connector it is, wherever the rest of the address came from.
Status check_credential_address(const CallText& call, const std::string& address) {
  const std::string base = base_of(call.connector, call.access);
  const Result<Url> own = parse_url(base), wanted = parse_url(address);
  const bool is_there = own && wanted && own->is_https == wanted->is_https && own->host == wanted->host &&
                        own->port == wanted->port;
  if (is_there) return {};
  return error("the credential of connector `" + call.connector.name +
               "` goes to the address of that connector only" + (base.empty() ? "" : ", " + base));
}

// What is UTF-8 of it; each byte that is not becomes U+FFFD.
std::string as_text(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (std::size_t at = 0; at < body.size();) {
    const auto lead = static_cast<unsigned char>(body[at]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xc2 && lead < 0xe0 ? 2
                               : lead >= 0xe0 && lead < 0xf0 ? 3
                               : lead >= 0xf0 && lead < 0xf5 ? 4
                                                             : 0;
    bool is_whole = length > 0 && at + length <= body.size();
    for (std::size_t i = 1; is_whole && i < length; ++i)
      is_whole = (static_cast<unsigned char>(body[at + i]) & 0xc0) == 0x80;
    if (is_whole && length >= 3) {
      const auto next = static_cast<unsigned char>(body[at + 1]);
      is_whole = !(lead == 0xe0 && next < 0xa0) && !(lead == 0xed && next >= 0xa0) &&
                 !(lead == 0xf0 && next < 0x90) && !(lead == 0xf4 && next >= 0x90);
    }
    out += is_whole ? std::string(body.substr(at, length)) : std::string("\xef\xbf\xbd");
    at += is_whole ? length : 1;
  }
  return out;
}

std::string headers_json(const HttpHeaders& headers) {
  std::vector<std::pair<std::string, std::string>> named;
  for (const auto& [name, value] : headers) {
    const std::string lower = lower_ascii(name);
    const auto known = std::ranges::find(named, lower, [](const auto& each) { return each.first; });
    if (known == named.end())
      named.emplace_back(lower, as_text(value));
    else
      known->second += ", " + as_text(value);
  }
  std::string out = "{";
  for (const auto& [name, value] : named)
    out += (out.size() == 1 ? "" : ",") + json_quoted(name) + ":" + json_quoted(value);
  return out + "}";
}

}  // namespace

Result<const Connector*> egress_connector(const Module& module, const Connector& own,
                                          const JsonValue& arguments) {
  const JsonValue* const auth = arguments.member("auth");
  if (auth == nullptr || auth->is_null()) return &own;
  const auto found = std::ranges::find(module.connectors, text_of(*auth), &Connector::name);
  if (found == module.connectors.end())
    return error("the module has no connector `" + text_of(*auth) + "` whose credential could go along");
  if (found->auth.kind == Auth::Kind::Url)
    return error("the credential of connector `" + found->name + "` is an address: it goes with no other");
  return &*found;
}

Result<HttpRequest> egress_request(const CallText& call, const Egress& egress, Redaction& redaction) {
  static constexpr std::array<std::string_view, 4> kActs{"POST", "PUT", "PATCH", "DELETE"};
  HttpRequest request{.method = argument(call, "method"),
                      .url = argument(call, "url"),
                      .headers = {{"Accept", "*/*"}},
                      .max_response_bytes = kLongestEgressAnswer};
  const bool is_read = request.method == "GET" || request.method == "HEAD";
  if (!is_read && std::ranges::find(kActs, request.method) == kActs.end())
    return error("`" + request.method + "` is no method of a request");
  if (!is_read && call.operation.effect == Effect::Read)
    return error("`" + request.method + "` does more than read");
  if (const auto why = egress.refusal(request.url)) return error(*why);
  if (call.connector.auth.kind != Auth::Kind::None)
    FLOW_TRY_STATUS(check_credential_address(call, request.url));
  FLOW_TRY_STATUS(add_headers(request, call.arguments.member("headers")));
  FLOW_TRY_STATUS(add_secrets(request, call, redaction));
  if (!is_read) add_body(request, call.arguments.member("body"));
  return request;
}

Outcome egress_outcome(const HttpResponse& response, const Operation& operation, const Route& route,
                       std::int64_t now_us) {
  const int status = response.status;
  if (status == 408 || status == 429 || status >= 500) return outcome_of(response, operation, route, now_us);
  const std::string text = as_text(response.body);
  const Result<JsonValue> json = parse_json(text);
  return Returned{"{\"status\":" + std::to_string(status) + ",\"headers\":" + headers_json(response.headers) +
                  ",\"text\":" + json_quoted(text) + ",\"json\":" + (json ? to_json(*json) : "null") + "}"};
}

}  // namespace flow
