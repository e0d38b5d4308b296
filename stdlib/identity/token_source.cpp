#include "stdlib/identity/token_source.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "base/calendar.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/identity/token_exchange.hpp"

namespace flow {
namespace {

constexpr std::int64_t kRefusalRemembered = 5 * kSecondUs;
constexpr std::int64_t kFailureRemembered =
    1 * kSecondUs;                                      // of the network or the server, which may pass sooner
constexpr std::int64_t kRenewalPause = 30 * kSecondUs;  // after a failed renewal, while the old token is good
constexpr std::int64_t kLongestRemembered = 300 * kSecondUs;

// How long the endpoint is left alone after a refusal, when it does not say so itself.
std::int64_t pause_after(const Fault& refusal, bool is_renewal) {
  if (is_renewal) return kRenewalPause;
  const bool may_pass = refusal.kind == FaultKind::Unavailable || refusal.kind == FaultKind::Timeout ||
                        refusal.kind == FaultKind::InvalidResponse;
  return may_pass ? kFailureRemembered : kRefusalRemembered;
}

}  // namespace

struct TokenSource::Shared : std::enable_shared_from_this<TokenSource::Shared> {
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
  using Done = std::function<void(TokenResult)>;
  struct Entry {
    Token token;
    std::string refresh_token;  // the newest, when the service gave one in place of the configured
    Fault refusal;
    std::int64_t ask_again_us = 0;  // before that, the refusal stands
    bool is_asking = false;
    std::vector<Done> waiting;
    bool is_outdated = false;  // what is asked for now is good for those who wait already only
    std::vector<std::pair<TokenRequest, Done>> later;
  };

  Shared(Transport& out, const Clock& time) : transport(out), clock(time) {}

  Transport& transport;
  const Clock& clock;
  std::mutex mutex;
  std::map<Key, Entry> entries;

  // The same app may prove itself in two ways: each has its own token.
  static Key key_of(const TokenRequest& request) {
    const char* const kind = request.door              ? "door"
                             : request.refresh_token   ? "person"
                             : request.assertion_from  ? "federated"
                             : request.assertion       ? "assertion"
                             : request.service_account ? "account"
                                                       : "secret";
    return {request.authority, request.tenant,   request.client_id,
            request.scope,     request.endpoint, kind + (request.door ? request.door->url : request.subject)};
  }
  void get(const TokenRequest& request, Done done);
  void ask(const TokenRequest& request);
  void exchange(const TokenRequest& request, Proof proof);
  void take_challenge(const TokenRequest& request, Proof proof, const HttpResponse& response);
  void answered(const Key& key, const tl::expected<Token, Fault>& result);
};

void TokenSource::Shared::get(const TokenRequest& request, Done done) {
  const std::int64_t now = clock.now_us();
  std::unique_lock lock(mutex);
  Entry& entry = entries[key_of(request)];
  if (entry.is_outdated) return static_cast<void>(entry.later.emplace_back(request, std::move(done)));
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

// One exchange with who gives the token. No lock is held: the provider and the transport are foreign code.
void TokenSource::Shared::ask(const TokenRequest& request) {
  const Key key = key_of(request);
  Result<Proof> proof = proof_of(request, clock.now_us());
  if (!proof)
    return answered(key, tl::unexpected(Fault{
                             .kind = FaultKind::Unauthorized,
                             .message = "no token for " + what_of(request) + ": " + proof.error().message}));
  if (request.refresh_token) {
    const std::lock_guard lock(mutex);
    if (const Entry& entry = entries[key]; !entry.refresh_token.empty())
      proof->refresh_token = entry.refresh_token;
  }
  if (!request.assertion_from) return exchange(request, std::move(*proof));
  TokenRequest other = *request.assertion_from;
  other.deadline_us = request.deadline_us;
  get(other, [self = shared_from_this(), request, proof = std::move(*proof)](const TokenResult& assertion) {
    if (!assertion) {
      Fault fault = assertion.error();
      fault.message = "no token for " + what_of(request) + ", as there is no assertion: " + fault.message;
      return self->answered(key_of(request), tl::unexpected(std::move(fault)));
    }
    Proof whole = proof;
    whole.assertion = *assertion;
    self->exchange(request, std::move(whole));
  });
}

void TokenSource::Shared::exchange(const TokenRequest& request, Proof proof) {
  HttpRequest sent = token_request_of(request, proof);
  transport.send(std::move(sent),
                 [self = shared_from_this(), request, proof = std::move(proof)](HttpResult result) {
                   const Key key = key_of(request);
                   if (auto* failed = std::get_if<TransportError>(&result)) {
                     failed->message = proof.cleaned(std::move(failed->message));
                     Fault fault = fault_of(*failed);
                     fault.message = "no token for " + what_of(request) + ": " + fault.message;
                     return self->answered(key, tl::unexpected(std::move(fault)));
                   }
                   HttpResponse& response = std::get<HttpResponse>(result);
                   if (response.status == 401 && request.door && !request.door->challenge_folder.empty() &&
                       proof.challenge.empty())
                     return self->take_challenge(request, proof, response);
                   // Before it is shortened, which could leave half of a secret.
                   if (response.status != 200) response.body = proof.cleaned(std::move(response.body));
                   const auto token = read_token(request, response, self->clock.now_us());
                   const bool is_renewed =
                       token && !token->refresh_token.empty() && token->refresh_token != proof.refresh_token;
                   if (is_renewed && request.renewed) request.renewed(token->refresh_token);
                   self->answered(key, token);
                 });
}

// Once: a door that refuses what its own file holds is answered no more.
void TokenSource::Shared::take_challenge(const TokenRequest& request, Proof proof,
                                         const HttpResponse& response) {
  Result<std::string> key = answer_to_challenge(*request.door, response);
  if (!key)
    return answered(key_of(request), tl::unexpected(Fault{.kind = FaultKind::Unauthorized,
                                                          .message = "no token for " + what_of(request) +
                                                                     ": " + key.error().message}));
  proof.challenge = std::move(*key);
  exchange(request, std::move(proof));
}

void TokenSource::Shared::answered(const Key& key, const tl::expected<Token, Fault>& result) {
  const std::int64_t now = clock.now_us();
  std::unique_lock lock(mutex);
  Entry& entry = entries[key];
  entry.is_asking = false;
  if (result) {
    entry.token = *result;
    if (!result->refresh_token.empty()) entry.refresh_token = result->refresh_token;
    entry.ask_again_us = 0;
  } else {
    const bool is_renewal = !entry.token.text.empty() && now < entry.token.ends_us;
    // What the configuration has may be newer: somebody signed in again.
    if (result.error().kind == FaultKind::Unauthorized) entry.refresh_token.clear();
    entry.refusal = result.error();
    entry.refusal.maybe_executed = false;  // whatever became of this exchange, the caller's was never sent
    entry.ask_again_us = now + std::clamp(entry.refusal.retry_after_us,
                                          pause_after(entry.refusal, is_renewal), kLongestRemembered);
  }
  const TokenResult answer = result ? TokenResult(entry.token.text) : tl::unexpected(entry.refusal);
  const std::vector<Done> waiting = std::exchange(entry.waiting, {});
  const auto later = std::exchange(entry.later, {});
  if (entry.is_outdated) entries.erase(key);
  lock.unlock();
  for (const Done& done : waiting) done(answer);
  for (const auto& [request, done] : later) get(request, done);
}

TokenSource::TokenSource(Transport& transport, const Clock& clock)
    : shared_(std::make_shared<Shared>(transport, clock)) {}
TokenSource::~TokenSource() = default;

void TokenSource::get(const TokenRequest& request, std::function<void(TokenResult)> done) {
  shared_->get(request, std::move(done));
}

// Of another service the connector stands in the tenant's place, and says whose it is where Entra has its
// address (token_request() in stdlib/executor).
void TokenSource::forget(const std::string& tenant, const std::string& connector) {
  const std::lock_guard lock(shared_->mutex);
  for (auto each = shared_->entries.begin(); each != shared_->entries.end();) {
    auto& [key, entry] = *each;
    const auto& [authority, of, client, scope, endpoint, kind] = key;
    const bool is_meant =
        connector.empty() ? of == tenant && endpoint.empty() : authority == tenant && of == connector;
    if (is_meant && !entry.is_asking) {
      each = shared_->entries.erase(each);
      continue;
    }
    if (is_meant) entry.token = {}, entry.is_outdated = true;
    ++each;
  }
}

void TokenSource::invalidate(const TokenRequest& request, const std::string& token) {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->entries.find(Shared::key_of(request));
  if (found != shared_->entries.end() && found->second.token.text == token) found->second.token = {};
}

}  // namespace flow
