#include "stdlib/identity/token_exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include "base/base64.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/identity/service_account.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kRenewEarly = 300 * kSecondUs;
constexpr std::int64_t kUnstatedLifetime = 300 * kSecondUs;
constexpr std::int64_t kLongestLifetime = 86'400 * kSecondUs;
constexpr std::size_t kLongestToken = 64u << 10;
constexpr std::size_t kLongestChallenge = 4096;  // bytes of a key file
constexpr std::string_view kDefault = "/.default";
constexpr const char* kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr const char* kAssertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";  // RFC 7523

struct AadstsRow {
  std::int64_t number;
  FaultKind fault;
  std::string_view hint;
};
constexpr AadstsRow kAadsts[] = {
#define FLOW_AADSTS(number, fault, hint) {number, FaultKind::fault, hint},
#include "stdlib/identity/aadsts.def"
#undef FLOW_AADSTS
};

const AadstsRow* aadsts_row(std::int64_t number) {
  const auto found = std::ranges::find(kAadsts, number, &AadstsRow::number);
  return found == std::end(kAadsts) ? nullptr : &*found;
}

// A number, or a string that holds one.
std::int64_t number_of(const JsonValue* value) {
  std::int64_t number = 0;
  if (value == nullptr || (!value->is_text() && value->kind != JsonValue::Kind::Number)) return 0;
  std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
  return number;
}

// The number behind `AADSTS` in the description, or the first of `error_codes`.
std::int64_t aadsts_number(const JsonValue& body, const std::string& description) {
  if (const std::size_t at = description.find("AADSTS"); at != std::string::npos) {
    const JsonValue digits = JsonValue::of_number(description.substr(at + 6, 10));
    if (const std::int64_t number = number_of(&digits); number != 0) return number;
  }
  const JsonValue* codes = body.member("error_codes");
  return codes != nullptr && codes->kind == JsonValue::Kind::List && !codes->items.empty()
             ? number_of(&codes->items[0])
             : 0;
}

FaultKind kind_by_answer(int status, std::string_view oauth_error) {
  if (status == 429) return FaultKind::Throttled;
  if (status >= 500 || oauth_error == "temporarily_unavailable") return FaultKind::Unavailable;
  if (oauth_error == "invalid_client" || oauth_error == "unauthorized_client" ||
      oauth_error == "invalid_grant")
    return FaultKind::Unauthorized;
  if (oauth_error == "consent_required" || oauth_error == "interaction_required") return FaultKind::Forbidden;
  if (oauth_error.starts_with("invalid_") || oauth_error == "unsupported_grant_type")
    return FaultKind::BadRequest;
  return status == 401 ? FaultKind::Unauthorized : FaultKind::InvalidResponse;
}

// The description up to `Trace ID`, which is told apart.
std::string_view first_sentence(std::string_view description) {
  for (const std::string_view end : {" Trace ID", "\r", "\n"})
    description = description.substr(0, description.find(end));
  return description;
}

// `https://graph.microsoft.com/.default` as doors want it: the resource alone.
std::string resource_of(const std::string& scope) {
  return scope.ends_with(kDefault) ? scope.substr(0, scope.size() - kDefault.size()) : scope;
}

// By how long it is good, or by when it ends; managed identities write numbers as texts.
std::int64_t lifetime_of(const JsonValue& body, std::int64_t now_us) {
  std::int64_t seconds = number_of(body.member("expires_in"));
  if (seconds <= 0)
    if (const std::int64_t ends = number_of(body.member("expires_on")); ends > now_us / kSecondUs)
      seconds = ends - now_us / kSecondUs;
  return seconds <= 0 ? kUnstatedLifetime : std::min(seconds, kLongestLifetime / kSecondUs) * kSecondUs;
}

bool is_printable(const std::string& text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

HttpRequest request_at_door(const TokenRequest& request, const Proof& proof) {
  const TokenDoor& door = *request.door;
  HttpRequest out{.method = "GET",
                  .url = door.url + (door.url.find('?') == std::string::npos ? "?" : "&") +
                         door.resource_name + "=" + percent_encoded(resource_of(request.scope)),
                  .headers = {{"Accept", "application/json"}},
                  .deadline_us = request.deadline_us,
                  .max_response_bytes = kLongestTokenAnswer};
  if (!proof.challenge.empty()) out.headers.emplace_back("Authorization", "Basic " + proof.challenge);
  if (!door.header.empty()) out.headers.emplace_back(door.header, door.header_prefix + proof.header);
  return out;
}

// What a door's refusal means: there is no AADSTS number in it.
Fault door_fault(const TokenRequest& request, const HttpResponse& response, std::int64_t now_us) {
  Fault fault = token_fault(response, what_of(request), now_us);
  if (response.status == 404 || response.status == 410) fault.kind = FaultKind::Unavailable;
  if (response.body.find("Identity not found") != std::string::npos) {
    fault.kind = FaultKind::Unauthorized;
    fault.message = "no token for " + what_of(request) +
                    ": this machine has no managed identity, or not the one that the configuration names";
  }
  return fault;
}

}  // namespace

std::string Proof::cleaned(std::string text) const {
  for (const std::string& part : {secret, refresh_token, assertion, header, challenge})
    if (part.size() > 4) text = without_secret(without_secret(std::move(text), part), form_encoded(part));
  return text;
}

std::string what_of(const TokenRequest& request) {
  return request.scope.empty() ? request.endpoint : request.scope;
}

std::string token_endpoint(const TokenRequest& request) {
  if (!request.endpoint.empty()) return request.endpoint;
  std::string authority = request.authority;
  while (authority.ends_with('/')) authority.pop_back();
  return authority + "/" + percent_encoded(request.tenant) + "/oauth2/v2.0/token";
}

Result<Proof> proof_of(const TokenRequest& request, std::int64_t now_us) {
  Proof proof;
  if (request.door) {
    if (request.door->header_value) {
      FLOW_TRY(proof.header, request.door->header_value());
    }
    if (!std::ranges::all_of(proof.header, [](char c) { return c >= 0x20 && c < 0x7f; }))
      return error("what opens the door to tokens holds a control character");
    return proof;
  }
  if (request.service_account) {
    FLOW_TRY(const std::string key_file, request.service_account());
    FLOW_TRY(proof.assertion, service_account_assertion(key_file, {.subject = request.subject,
                                                                   .scope = request.scope,
                                                                   .audience = token_endpoint(request),
                                                                   .now_us = now_us}));
    return proof;
  }
  if (request.refresh_token) {
    FLOW_TRY(proof.refresh_token, request.refresh_token());
  }
  if (request.assertion) {
    FLOW_TRY(proof.assertion,
             request.assertion(
                 {.client_id = request.client_id, .audience = token_endpoint(request), .now_us = now_us}));
  } else if (request.secret) {
    FLOW_TRY(proof.secret, request.secret());
  } else if (!request.refresh_token && !request.assertion_from) {
    return error("no client secret is configured");
  }
  if (request.is_client_in_header)
    proof.header = base64_of(form_encoded(request.client_id) + ":" + form_encoded(proof.secret));
  return proof;
}

Result<std::string> answer_to_challenge(const TokenDoor& door, const HttpResponse& response) {
  const std::string header(response.header("WWW-Authenticate"));
  const std::size_t realm = header.find("realm=");
  std::string path = realm == std::string::npos ? std::string() : header.substr(realm + 6);
  std::erase(path, '"');
  path.resize(std::min(path.find_first_of(",;\r\n"), path.size()));
  const std::string folder = door.challenge_folder + (door.challenge_folder.ends_with('/') ? "" : "/");
  if (!path.starts_with(folder) || !path.ends_with(".key") || path.find("/../") != std::string::npos)
    return error(fmt::format("the agent names no key file within `{}`", door.challenge_folder));
  std::ifstream file(path, std::ios::binary);
  std::string key(kLongestChallenge + 1, '\0');
  file.read(key.data(), static_cast<std::streamsize>(key.size()));
  key.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.empty() || key.size() > kLongestChallenge || !is_printable(key))
    return error(
        fmt::format("cannot read the agent's key file `{}`; the account that Flow runs as must belong to the "
                    "agent's group, `himds`",
                    excerpt(path)));
  return key;
}

HttpRequest token_request_of(const TokenRequest& request, const Proof& proof) {
  if (request.door) return request_at_door(request, proof);
  std::string body;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body += (body.empty() ? "" : "&") + std::string(name) + "=" + form_encoded(value);
  };
  HttpHeaders headers{{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  if (request.service_account) {
    add("grant_type", kAssertionGrant);
    add("assertion", proof.assertion);
    return {.method = "POST",
            .url = token_endpoint(request),
            .headers = std::move(headers),
            .body = std::move(body),
            .deadline_us = request.deadline_us,
            .max_response_bytes = kLongestTokenAnswer};
  }
  if (request.is_client_in_header)
    headers.emplace_back("Authorization", "Basic " + proof.header);
  else
    add("client_id", request.client_id);
  add("scope", request.scope);
  if (!request.is_client_in_header) add("client_secret", proof.secret);
  if (!proof.assertion.empty()) add("client_assertion_type", kAssertionType);
  add("client_assertion", proof.assertion);
  add("refresh_token", proof.refresh_token);
  add("grant_type", proof.refresh_token.empty() ? "client_credentials" : "refresh_token");
  return {.method = "POST",
          .url = token_endpoint(request),
          .headers = std::move(headers),
          .body = std::move(body),
          .deadline_us = request.deadline_us,
          .max_response_bytes = kLongestTokenAnswer};
}

tl::expected<Token, Fault> read_token(const TokenRequest& request, const HttpResponse& response,
                                      std::int64_t now_us) {
  if (response.status != 200)
    return tl::unexpected(request.door ? door_fault(request, response, now_us)
                                       : token_fault(response, what_of(request), now_us));
  const auto body = parse_json(response.body);
  const char* const member = request.door ? request.door->member.c_str() : "access_token";
  std::string text = body ? text_if_any(body->member(member)) : std::string();
  if (text.empty() || text.size() > kLongestToken || !is_printable(text))
    return tl::unexpected(Fault{
        .kind = FaultKind::InvalidResponse,
        .message = fmt::format("no token for {}: the answer holds no usable {}", what_of(request), member),
        .status = response.status});
  const std::int64_t lifetime = lifetime_of(*body, now_us);
  Token token{.text = std::move(text),
              .renew_at_us = now_us + lifetime - std::min(kRenewEarly, lifetime / 2),
              .ends_us = now_us + lifetime};
  if (std::string next = text_if_any(body->member("refresh_token"));
      request.refresh_token && next.size() <= kLongestToken && is_printable(next))
    token.refresh_token = std::move(next);
  return token;
}

std::string form_encoded(std::string_view text) {
  std::string out = percent_encoded(text);
  for (std::size_t at = out.find("%20"); at != std::string::npos; at = out.find("%20", at + 1))
    out.replace(at, 3, "+");
  return out;
}

Fault token_fault(const HttpResponse& response, const std::string& what, std::int64_t now_us) {
  Fault fault{.message = "no token for " + what + ": ", .status = response.status};
  const auto body = parse_json(response.body);
  if (!body || body->kind != JsonValue::Kind::Object) {
    fault.kind = kind_by_answer(response.status, {});
    fault.message +=
        fmt::format("the token endpoint answered {}: {}", response.status, excerpt(response.body));
  } else {
    const std::string description = text_if_any(body->member("error_description"));
    const std::string oauth_error = text_if_any(body->member("error"));
    const std::int64_t number = aadsts_number(*body, description);
    const AadstsRow* row = aadsts_row(number);
    fault.kind = row != nullptr ? row->fault : kind_by_answer(response.status, oauth_error);
    if (response.status == 429) fault.kind = FaultKind::Throttled;
    fault.code = number != 0 ? "AADSTS" + std::to_string(number) : excerpt(oauth_error, 60);
    if (row != nullptr)
      fault.message += std::string(row->hint) + " (" + excerpt(first_sentence(description)) + ")";
    else
      fault.message += excerpt(oauth_error, 60) + ": " + excerpt(first_sentence(description));
    if (const std::string trace = text_if_any(body->member("trace_id")); !trace.empty())
      fault.message += "; trace ID " + excerpt(trace, 60);
  }
  fault.retry_after_us = retry_after_us(response, now_us).value_or(0);
  return fault;
}

}  // namespace flow
