#include "stdlib/identity/token_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kRenewEarly = 300 * kSecond;
constexpr std::int64_t kRefusalRemembered = 5 * kSecond;
constexpr std::int64_t kFailureRemembered =
    1 * kSecond;                                      // of the network or the server, which may pass sooner
constexpr std::int64_t kRenewalPause = 30 * kSecond;  // after a failed renewal, while the old token is good
constexpr std::int64_t kLongestRemembered = 300 * kSecond;
constexpr std::int64_t kUnstatedLifetime = 300 * kSecond;
constexpr std::int64_t kLongestLifetime = 86'400 * kSecond;
constexpr std::size_t kLongestToken = 64u << 10;
constexpr std::size_t kLongestAnswer = 256u << 10;

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

// How long the endpoint is left alone after a refusal, when it does not say so itself.
std::int64_t pause_after(const Fault& refusal, bool is_renewal) {
  if (is_renewal) return kRenewalPause;
  const bool may_pass = refusal.kind == FaultKind::Unavailable || refusal.kind == FaultKind::Timeout ||
                        refusal.kind == FaultKind::InvalidResponse;
  return may_pass ? kFailureRemembered : kRefusalRemembered;
}

const AadstsRow* aadsts_row(std::int64_t number) {
  const auto found = std::ranges::find(kAadsts, number, &AadstsRow::number);
  return found == std::end(kAadsts) ? nullptr : &*found;
}

std::string text_of(const JsonValue* value) {
  return value != nullptr && value->is_text() ? value->text : std::string();
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

struct Token {
  std::string text;
  std::int64_t renew_at_us = 0;
  std::int64_t ends_us = 0;
};

tl::expected<Token, Fault> read_token(const HttpResponse& response, const std::string& what,
                                      std::int64_t now_us) {
  if (response.status != 200) return tl::unexpected(token_fault(response, what, now_us));
  const auto body = parse_json(response.body);
  std::string text = body ? text_of(body->member("access_token")) : std::string();
  const bool is_usable = !text.empty() && text.size() <= kLongestToken &&
                         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!is_usable)
    return tl::unexpected(
        Fault{.kind = FaultKind::InvalidResponse,
              .message = "no token for " + what + ": the answer holds no usable access_token",
              .status = response.status});
  std::int64_t lifetime = number_of(body->member("expires_in"));
  lifetime = lifetime <= 0 ? kUnstatedLifetime : std::min(lifetime, kLongestLifetime / kSecond) * kSecond;
  return Token{.text = std::move(text),
               .renew_at_us = now_us + lifetime - std::min(kRenewEarly, lifetime / 2),
               .ends_us = now_us + lifetime};
}

// What messages call the token.
std::string what_of(const TokenRequest& request) {
  return request.scope.empty() ? request.endpoint : request.scope;
}

std::string address_of(const TokenRequest& request) {
  if (!request.endpoint.empty()) return request.endpoint;
  std::string authority = request.authority;
  while (authority.ends_with('/')) authority.pop_back();
  return authority + "/" + percent_encoded(request.tenant) + "/oauth2/v2.0/token";
}

// What is sent to prove who asks.
struct Proof {
  std::string secret;
  std::string refresh_token;
  std::string client;  // ID and secret as `Authorization` has them; empty when they are in the body

  // Takes it out of what the endpoint said, which may quote the request.
  std::string cleaned(std::string text) const {
    for (const std::string& part : {secret, refresh_token, client})
      text = without_secret(without_secret(std::move(text), part), form_encoded(part));
    return text;
  }
};

Result<Proof> proof_of(const TokenRequest& request) {
  Proof proof;
  if (request.refresh_token) {
    FLOW_TRY(proof.refresh_token, request.refresh_token());
  }
  if (request.secret) {
    FLOW_TRY(proof.secret, request.secret());
  } else if (!request.refresh_token) {
    return error("no client secret is configured");
  }
  if (request.is_client_in_header)
    proof.client = base64_of(form_encoded(request.client_id) + ":" + form_encoded(proof.secret));
  return proof;
}

HttpRequest http_request(const TokenRequest& request, const Proof& proof) {
  std::string body;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) body += (body.empty() ? "" : "&") + std::string(name) + "=" + form_encoded(value);
  };
  HttpHeaders headers{{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  if (request.is_client_in_header)
    headers.emplace_back("Authorization", "Basic " + proof.client);
  else
    add("client_id", request.client_id);
  add("scope", request.scope);
  if (!request.is_client_in_header) add("client_secret", proof.secret);
  add("refresh_token", proof.refresh_token);
  add("grant_type", proof.refresh_token.empty() ? "client_credentials" : "refresh_token");
  return {.method = "POST",
          .url = address_of(request),
          .headers = std::move(headers),
          .body = std::move(body),
          .deadline_us = request.deadline_us,
          .max_response_bytes = kLongestAnswer};
}

}  // namespace

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
    const std::string description = text_of(body->member("error_description"));
    const std::string oauth_error = text_of(body->member("error"));
    const std::int64_t number = aadsts_number(*body, description);
    const AadstsRow* row = aadsts_row(number);
    fault.kind = row != nullptr ? row->fault : kind_by_answer(response.status, oauth_error);
    if (response.status == 429) fault.kind = FaultKind::Throttled;
    fault.code = number != 0 ? "AADSTS" + std::to_string(number) : excerpt(oauth_error, 60);
    if (row != nullptr)
      fault.message += std::string(row->hint) + " (" + excerpt(first_sentence(description)) + ")";
    else
      fault.message += excerpt(oauth_error, 60) + ": " + excerpt(first_sentence(description));
    if (const std::string trace = text_of(body->member("trace_id")); !trace.empty())
      fault.message += "; trace ID " + excerpt(trace, 60);
  }
  fault.retry_after_us = retry_after_us(response, now_us).value_or(0);
  return fault;
}

struct TokenSource::Shared : std::enable_shared_from_this<TokenSource::Shared> {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  using Done = std::function<void(TokenResult)>;
  struct Entry {
    Token token;
    Fault refusal;
    std::int64_t ask_again_us = 0;  // before that, the refusal stands
    bool is_asking = false;
    std::vector<Done> waiting;
  };

  Shared(Transport& out, const Clock& time) : transport(out), clock(time) {}

  Transport& transport;
  const Clock& clock;
  std::mutex mutex;
  std::map<Key, Entry> entries;

  static Key key_of(const TokenRequest& request) {
    return {request.authority, request.tenant, request.client_id, request.scope, request.endpoint};
  }
  void get(const TokenRequest& request, Done done);
  void ask(const TokenRequest& request);
  void answered(const Key& key, const tl::expected<Token, Fault>& result);
};

void TokenSource::Shared::get(const TokenRequest& request, Done done) {
  const std::int64_t now = clock.now_us();
  std::unique_lock lock(mutex);
  Entry& entry = entries[key_of(request)];
  const bool is_good = !entry.token.text.empty() && now < entry.token.ends_us;
  const bool may_ask = !entry.is_asking && now >= entry.ask_again_us;
  const bool asks = may_ask && (!is_good || now >= entry.token.renew_at_us);
  std::optional<TokenResult> answer;
  if (is_good)
    answer = entry.token.text;
  else if (!asks && !entry.is_asking)
    answer = tl::unexpected(entry.refusal);
  if (!answer) entry.waiting.push_back(std::move(done));
  if (asks) entry.is_asking = true;
  lock.unlock();
  if (answer) done(std::move(*answer));
  if (asks) ask(request);
}

// One exchange with the token endpoint. No lock is held: the provider and the transport are foreign code.
void TokenSource::Shared::ask(const TokenRequest& request) {
  const Key key = key_of(request);
  const std::string what = what_of(request);
  const Result<Proof> proof = proof_of(request);
  if (!proof)
    return answered(key,
                    tl::unexpected(Fault{.kind = FaultKind::Unauthorized,
                                         .message = "no token for " + what + ": " + proof.error().message}));
  transport.send(http_request(request, *proof),
                 [self = shared_from_this(), key, proof = *proof, what](HttpResult result) {
                   if (auto* failed = std::get_if<TransportError>(&result)) {
                     Fault fault = fault_of(*failed);
                     fault.message = "no token for " + what + ": " + fault.message;
                     return self->answered(key, tl::unexpected(std::move(fault)));
                   }
                   HttpResponse& response = std::get<HttpResponse>(result);
                   // Before it is shortened, which could leave half of a secret.
                   if (response.status != 200) response.body = proof.cleaned(std::move(response.body));
                   self->answered(key, read_token(response, what, self->clock.now_us()));
                 });
}

void TokenSource::Shared::answered(const Key& key, const tl::expected<Token, Fault>& result) {
  const std::int64_t now = clock.now_us();
  std::unique_lock lock(mutex);
  Entry& entry = entries[key];
  entry.is_asking = false;
  if (result) {
    entry.token = *result;
    entry.ask_again_us = 0;
  } else {
    const bool is_renewal = !entry.token.text.empty() && now < entry.token.ends_us;
    entry.refusal = result.error();
    entry.refusal.maybe_executed = false;  // whatever became of this exchange, the caller's was never sent
    entry.ask_again_us = now + std::clamp(entry.refusal.retry_after_us,
                                          pause_after(entry.refusal, is_renewal), kLongestRemembered);
  }
  const TokenResult answer = result ? TokenResult(entry.token.text) : tl::unexpected(entry.refusal);
  std::vector<Done> waiting = std::move(entry.waiting);
  entry.waiting.clear();
  lock.unlock();
  for (Done& done : waiting) done(answer);
}

TokenSource::TokenSource(Transport& transport, const Clock& clock)
    : shared_(std::make_shared<Shared>(transport, clock)) {}
TokenSource::~TokenSource() = default;

void TokenSource::get(const TokenRequest& request, std::function<void(TokenResult)> done) {
  shared_->get(request, std::move(done));
}

void TokenSource::invalidate(const TokenRequest& request, const std::string& token) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->entries.find(Shared::key_of(request));
  if (found != shared_->entries.end() && found->second.token.text == token) found->second.token = {};
}

}  // namespace flow
