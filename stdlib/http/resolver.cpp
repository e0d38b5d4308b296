#include "stdlib/http/resolver.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>

#include "stdlib/http/url.hpp"

namespace flow {
namespace {

using Moment = std::chrono::steady_clock::time_point;
constexpr std::size_t kMostThreads = 32;
constexpr std::size_t kMostCached = 1024;
constexpr std::chrono::seconds kFailureCached{1};

}  // namespace

std::vector<std::string> resolve_by_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return {};
  std::vector<std::string> v4, v6;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) !=
        0)
      continue;
    (each->ai_family == AF_INET ? v4 : v6).emplace_back(text.data());
  }
  freeaddrinfo(found);
  v4.insert(v4.end(), v6.begin(),
            v6.end());  // IPv4 first: one address is tried after the other, not both at once
  return v4;
}

struct Resolver::Shared {
  using Done = std::function<void(std::vector<std::string>)>;
  struct Answer {
    std::vector<std::string> addresses;
    Moment until;
  };

  ResolveHost resolve;
  std::chrono::microseconds cached_for;
  std::mutex mutex;
  std::map<std::string, Answer> cache;
  std::map<std::string, std::vector<Done>> asking;  // one thread each
  bool is_ending = false;

  void remember(const std::string& host, const std::vector<std::string>& addresses);
  void look_up(const std::string& host);
  void give_up(const std::string& host);
  std::vector<Done> take_callers(const std::string& host);  // with the lock held
};

void Resolver::Shared::remember(const std::string& host, const std::vector<std::string>& addresses) {
  const Moment now = std::chrono::steady_clock::now();
  if (cache.size() >= kMostCached)
    std::erase_if(cache, [&](const auto& entry) { return entry.second.until <= now; });
  if (cache.size() >= kMostCached) cache.clear();
  const auto kept =
      addresses.empty() ? std::min<std::chrono::microseconds>(kFailureCached, cached_for) : cached_for;
  cache[host] = {addresses, now + kept};
}

void Resolver::Shared::look_up(const std::string& host) {
  std::vector<std::string> addresses = resolve(host);
  std::vector<Done> callers;
  {
    const std::lock_guard lock(mutex);
    remember(host, addresses);
    callers = take_callers(host);
  }
  for (Done& done : callers) done(addresses);
}

void Resolver::Shared::give_up(const std::string& host) {
  std::unique_lock lock(mutex);
  std::vector<Done> callers = take_callers(host);
  lock.unlock();
  for (Done& done : callers) done({});
}

std::vector<Resolver::Shared::Done> Resolver::Shared::take_callers(const std::string& host) {
  std::vector<Done> callers = std::move(asking[host]);
  asking.erase(host);
  if (is_ending) callers.clear();
  return callers;
}

Resolver::Resolver(ResolveHost resolve, std::int64_t cache_us) : shared_(std::make_shared<Shared>()) {
  shared_->resolve = resolve ? std::move(resolve) : ResolveHost(resolve_by_system);
  shared_->cached_for = std::chrono::microseconds(cache_us);
}

Resolver::~Resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->is_ending = true;
}

void Resolver::resolve(const std::string& host, std::function<void(std::vector<std::string>)> done) {
  if (is_ip_address(host)) return done({host});
  std::unique_lock lock(shared_->mutex);
  const auto known = shared_->cache.find(host);
  if (known != shared_->cache.end() && known->second.until > std::chrono::steady_clock::now()) {
    std::vector<std::string> addresses = known->second.addresses;
    lock.unlock();
    return done(std::move(addresses));
  }
  if (const auto asked = shared_->asking.find(host); asked != shared_->asking.end()) {
    asked->second.push_back(std::move(done));
    return;
  }
  if (shared_->asking.size() >= kMostThreads) {
    lock.unlock();
    return done({});
  }
  shared_->asking[host].push_back(std::move(done));
  lock.unlock();
  try {
    std::thread([shared = shared_, host] { shared->look_up(host); }).detach();
  } catch (const std::system_error&) {  // no thread to be had: the callers learn it as "no such name"
    shared_->give_up(host);
  }
}

}  // namespace flow
