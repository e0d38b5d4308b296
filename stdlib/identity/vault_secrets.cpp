#include "stdlib/identity/vault_secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <utility>

#include "stdlib/http/answer.hpp"

namespace flow {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr int kTries = 3;
constexpr std::int64_t kShortestPause = kSecond;
constexpr std::int64_t kLongestPause = 10 * kSecond;

using Fetched = tl::expected<VaultAnswer, Fault>;
using Done = std::function<void(Fetched)>;

// One exchange for the token, when there is none yet, and one for the secret. Whatever is under way keeps the
// secret alive.
void ask(const std::shared_ptr<VaultSecret>& secret, const VaultParties& parties, Done done) {
  TokenRequest request = secret->as;
  request.scope = secret->address().scope;
  parties.tokens.get(request, [secret, request, transport = &parties.transport, tokens = &parties.tokens,
                               clock = &parties.clock, version = parties.api_version,
                               done = std::move(done)](const TokenResult& token) {
    if (!token) {
      Fault fault = token.error();
      fault.message = fmt::format("`{}`: {}", secret->address().url, fault.message);
      return done(tl::unexpected(std::move(fault)));
    }
    transport->send(vault_request(secret->address(), version, *token),
                    [secret, request, tokens, clock, token = *token, done](const HttpResult& result) {
                      if (const auto* failed = std::get_if<TransportError>(&result)) {
                        Fault fault = fault_of(*failed);
                        fault.message = fmt::format("`{}`: {}", secret->address().url,
                                                    without_secret(fault.message, token));
                        return done(tl::unexpected(std::move(fault)));
                      }
                      const auto& response = std::get<HttpResponse>(result);
                      if (response.status == 401) tokens->invalidate(request, token);
                      done(read_vault_answer(secret->address(), response, clock->now_us()));
                    });
  });
}

// A token can have been withdrawn before it ended: the second try has a new one.
bool may_pass(const Fault& fault) {
  return may_retry(fault.kind) || (fault.kind == FaultKind::Unauthorized && fault.status == 401);
}

// Of one try. Gives those that may be there on the next one.
VaultSecrets fetch_once(const VaultSecrets& secrets, const VaultParties& parties, std::int64_t& pause_us) {
  std::vector<std::future<Fetched>> answers;
  for (const std::shared_ptr<VaultSecret>& secret : secrets) {
    auto promise = std::make_shared<std::promise<Fetched>>();
    answers.push_back(promise->get_future());
    ask(secret, parties, [promise](Fetched fetched) { promise->set_value(std::move(fetched)); });
  }
  VaultSecrets again;
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    Fetched fetched = answers[i].get();
    if (fetched) {
      secrets[i]->keep(std::move(*fetched));
      continue;
    }
    secrets[i]->miss(fetched.error());
    if (!may_pass(fetched.error())) continue;
    again.push_back(secrets[i]);
    pause_us = std::max(pause_us, fetched.error().retry_after_us);
  }
  return again;
}

}  // namespace

Result<std::string> VaultSecret::value() const {
  const std::lock_guard lock(mutex_);
  if (answer_.value.empty()) return error(problem_);
  return answer_.value;
}

std::int64_t VaultSecret::ends_us() const {
  const std::lock_guard lock(mutex_);
  return answer_.ends_us;
}

std::string VaultSecret::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void VaultSecret::keep(VaultAnswer answer) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  problem_.clear();
}

void VaultSecret::miss(const Fault& fault) {
  const std::lock_guard lock(mutex_);
  problem_ = fault.message;
  if (fault.kind == FaultKind::NotFound || fault.code == kSecretDisabled) answer_ = {};
}

Status fetch_secrets(const VaultSecrets& secrets, const VaultParties& parties) {
  VaultSecrets left = secrets;
  for (int tried = 1;; ++tried) {
    std::int64_t pause_us = kShortestPause;
    left = fetch_once(left, parties, pause_us);
    if (left.empty() || tried == kTries) break;
    std::this_thread::sleep_for(std::chrono::microseconds(std::min(pause_us, kLongestPause)));
  }
  std::string problems;
  for (const std::shared_ptr<VaultSecret>& secret : secrets)
    if (const std::string problem = secret->problem(); !problem.empty())
      problems += fmt::format("{}`{}`: {}", problems.empty() ? "" : "\n  ", secret->place(), problem);
  if (problems.empty()) return {};
  return error(std::move(problems));
}

}  // namespace flow
