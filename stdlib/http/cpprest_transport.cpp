#include "stdlib/http/cpprest_transport.hpp"

#include <cpprest/http_client.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pplx/threadpool.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>

#include "base/text.hpp"
#include "stdlib/http/deadlines.hpp"
#include "stdlib/http/trust.hpp"
#include "stdlib/http/url.hpp"

namespace flow {
namespace {

namespace client = web::http::client;
using Clock = std::chrono::steady_clock;
using Kind = TransportError::Kind;
using TcpSocket = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<TcpSocket&>;

constexpr std::size_t kThreads = 2;
// The library's own time-out is per stage and cannot be trusted to end an exchange; ours does.
constexpr std::chrono::hours kLibraryTimeout{1};
constexpr std::chrono::seconds kCancelGrace{2};

// Thrown inside the library's callbacks and caught at the end of the chain; never leaves this file.
struct Stopped : std::runtime_error {
  Stopped(Kind why, const std::string& message) : std::runtime_error(message), kind(why) {}
  Kind kind;
};
// A kept connection turned out to be closed, or to hold bytes that nobody asked for. Nothing was sent on it.
struct StaleConnection : std::runtime_error {
  StaleConnection() : std::runtime_error("stale connection") {}
};

// One http_client carries one exchange at a time, so that a connection which misbehaved can be dropped before
// anyone else uses it. (The library gives a connection back a moment after the answer; whoever is quicker
// gets another one.)
struct Link {
  std::shared_ptr<client::http_client> http;
  bool is_reused = false;
  Clock::time_point idle_since;
};

struct Exchange {
  HttpRequest request;
  Url url;
  std::optional<Proxy> proxy;
  std::function<void(HttpResult)> done;
  std::atomic<bool> is_done = false;
  pplx::cancellation_token_source cancel;
  Deadlines::Id deadline;

  std::vector<std::string> addresses;  // of the proxy, if there is one, else of the server; tried in order
  std::size_t address = 0;
  std::shared_ptr<Link> link;
  std::string pool;  // where the link goes when the exchange went well; empty: nowhere
  std::atomic<bool> is_handed_over = false;  // the library has it
  std::atomic<bool> is_head_written = false;
  HttpResponse response;

  bool is_safe() const { return request.method == "GET" || request.method == "HEAD"; }
  // Without its body a request is incomplete, so nobody can have acted upon it before the head was written.
  bool may_be_executed() const { return is_handed_over && (is_head_written || request.body.empty()); }
};
using ExchangePtr = std::shared_ptr<Exchange>;

void finish(Exchange& exchange, HttpResult result) {
  if (exchange.is_done.exchange(true)) return;
  exchange.done(std::move(result));
  exchange.done = nullptr;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The library's error codes are unreliable (a refused connection is 113, a missing name 1), its texts are
// not.
TransportError classified(const Exchange& exchange, const std::string& what, int code) {
  TransportError error{.kind = Kind::Closed, .message = {}, .maybe_executed = exchange.may_be_executed()};
  const auto not_executed = [&](Kind kind) {
    error.kind = kind;
    error.maybe_executed = false;
  };
  if (contains(what, "resolving"))
    not_executed(Kind::Resolve);
  else if (contains(what, "SSL handshake"))
    not_executed(Kind::Tls);
  else if (contains(what, "proxy"))
    not_executed(Kind::Connect);
  else if (contains(what, "Failed to connect"))
    not_executed(Kind::Connect);
  else if (contains(what, "ancel"))
    error.kind = Kind::Cancelled;
  else if (contains(what, "ime out") || contains(what, "timed out"))
    error.kind = Kind::Timeout;
  else if (contains(what, "chunk") || contains(what, "nvalid") || contains(what, "parse") ||
           contains(what, "alformed"))
    error.kind = Kind::Malformed;
  error.message = exchange.url.host + ": " + what;
  if (error.kind == Kind::Tls)
    if (const char* reason = ERR_reason_error_string(static_cast<unsigned long>(code)); reason != nullptr)
      error.message += std::string(" (") + reason + ")";
  return error;
}

TransportError stopped(const Exchange& exchange, Kind kind, const std::string& why) {
  return {
      .kind = kind, .message = exchange.url.host + ": " + why, .maybe_executed = exchange.may_be_executed()};
}

// Throws when the head of an answer shows that its body cannot be believed.
void check_head(const web::http::http_response& response) {
  if (response.status_code() < 200 || response.status_code() > 599)
    throw Stopped(Kind::Malformed, "answered with status " + std::to_string(response.status_code()) +
                                       ", which is no final answer");
  const auto encoding = response.headers().find("Content-Encoding");
  if (encoding != response.headers().end() && !equals_ignoring_case(encoding->second, "identity"))
    throw Stopped(Kind::Malformed, "sent a compressed body that was not asked for");
  const auto length = response.headers().find("Content-Length");
  if (length != response.headers().end() &&
      (length->second.empty() || length->second.find_first_not_of("0123456789") != std::string::npos))
    throw Stopped(Kind::Malformed, "sent a Content-Length that is no number");
}

void take_head(Exchange& exchange, const web::http::http_response& response) {
  exchange.response.status = response.status_code();
  for (const auto& [name, value] : response.headers()) exchange.response.headers.emplace_back(name, value);
}

void take_body(Exchange& exchange, const std::vector<unsigned char>& body) {
  exchange.response.body.assign(body.begin(), body.end());
  const std::string_view length = exchange.response.header("Content-Length");
  const bool has_body = exchange.request.method != "HEAD" && exchange.response.status != 204 &&
                        exchange.response.status != 304 &&
                        exchange.response.header("Transfer-Encoding").empty();
  if (has_body && !length.empty() && length != std::to_string(body.size()))
    throw Stopped(Kind::Closed, "closed the connection before the body was complete");
}

web::http::http_request request_for(const ExchangePtr& exchange) {
  const HttpRequest& from = exchange->request;
  web::http::http_request request(from.method);
  request.set_request_uri(web::uri(exchange->url.target));
  const bool has_body =
      !from.body.empty() || from.method == "POST" || from.method == "PATCH" || from.method == "PUT";
  if (has_body) request.set_body(from.body, "application/octet-stream");
  request.headers()["User-Agent"] = "flow";
  for (const auto& [name, value] : from.headers) request.headers()[name] = value;
  if (exchange->proxy && !exchange->url.is_https && !exchange->proxy->user.empty()) {
    const std::string login = exchange->proxy->user + ":" + exchange->proxy->password;
    request.headers()["Proxy-Authorization"] =
        "Basic " + utility::conversions::to_base64(std::vector<unsigned char>(login.begin(), login.end()));
  }
  if (!exchange->proxy) {
    // The connection goes to an address; this name decides SNI and which certificate is right. With a port in
    // it no certificate would ever be, so https on an odd port goes without, which servers accept.
    request.headers()["Host"] =
        exchange->url.is_https ? bracketed(exchange->url.host) : exchange->url.host_header();
  }
  std::weak_ptr<Exchange> weak = exchange;
  request.set_progress_handler([weak](web::http::message_direction::direction way, utility::size64_t bytes) {
    const ExchangePtr live = weak.lock();
    if (!live) return;
    if (way == web::http::message_direction::upload)
      live->is_head_written = true;
    else if (bytes > live->request.max_response_bytes)
      throw Stopped(Kind::TooLarge,
                    "sent more than " + std::to_string(live->request.max_response_bytes) + " bytes");
  });
  return request;
}

// An unused connection must be silent. When it can be read it was closed, or holds bytes after the last
// answer.
void refuse_stale(const TcpSocket& socket_of_link) {
  auto& socket = const_cast<TcpSocket&>(socket_of_link);
  if (!socket.is_open()) return;
  pollfd entry{.fd = socket.native_handle(), .events = POLLIN, .revents = 0};
  if (::poll(&entry, 1, 0) > 0) throw StaleConnection();
}

class CpprestTransport final : public Transport, public std::enable_shared_from_this<CpprestTransport> {
 public:
  CpprestTransport(TransportConfig config, TrustStore trust)
      : config_(std::move(config)),
        trust_(std::move(trust)),
        resolver_(config_.resolve, config_.name_cache_us) {}

  void send(HttpRequest request, std::function<void(HttpResult)> done) override;
  bool drain(std::int64_t timeout_us) override;

 private:
  bool admit(const ExchangePtr& exchange);
  void expire(const ExchangePtr& exchange);
  void attempt(const ExchangePtr& exchange);
  void start(const ExchangePtr& exchange);
  void ended(const ExchangePtr& exchange, const pplx::task<void>& task);
  bool try_again(const ExchangePtr& exchange, const TransportError& error);
  void complete(const ExchangePtr& exchange, HttpResult result);
  std::shared_ptr<Link> link_for(const ExchangePtr& exchange, bool may_reuse);
  std::shared_ptr<Link> kept_link(const std::string& pool);
  std::shared_ptr<Link> new_link(const Exchange& exchange);
  void keep(const ExchangePtr& exchange);
  client::http_client_config library_config(const Exchange& exchange, const std::shared_ptr<Link>& link);

  const TransportConfig config_;
  const TrustStore trust_;
  Resolver resolver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<ExchangePtr> live_;  // until the caller was answered
  std::size_t under_way_ = 0;   // until the library is through with them as well
  bool is_closed_ = false;
  std::map<std::string, std::vector<std::shared_ptr<Link>>> idle_;
  Deadlines deadlines_;  // last: its thread ends before the rest goes
};

void CpprestTransport::send(HttpRequest request, std::function<void(HttpResult)> done) {
  if (std::optional<TransportError> no = refusal(request)) return done(std::move(*no));
  auto exchange = std::make_shared<Exchange>();
  exchange->url = *parse_url(request.url);
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  auto proxy = config_.proxies.proxy_for(exchange->url);
  if (!proxy)
    return finish(*exchange, TransportError{.kind = Kind::Connect, .message = proxy.error().message});
  exchange->proxy = std::move(*proxy);
  if (!admit(exchange))
    return finish(*exchange, TransportError{.kind = Kind::Cancelled, .message = "the transport is closing"});
  resolver_.resolve(exchange->proxy ? exchange->proxy->host : exchange->url.host,
                    [self = shared_from_this(), exchange](std::vector<std::string> addresses) {
                      exchange->addresses = std::move(addresses);
                      self->attempt(exchange);
                    });
}

bool CpprestTransport::admit(const ExchangePtr& exchange) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return false;
  live_.insert(exchange);
  const auto moment = Clock::now() + std::chrono::microseconds(std::min<std::int64_t>(
                                         exchange->request.deadline_us, std::int64_t{86'400'000'000}));
  exchange->deadline = deadlines_.at(moment, [weak = weak_from_this(), exchange] {
    if (const auto self = weak.lock()) self->expire(exchange);
  });
  return true;
}

void CpprestTransport::expire(const ExchangePtr& exchange) {
  complete(exchange, stopped(*exchange, Kind::Timeout,
                             "no answer within " + format_duration_us(exchange->request.deadline_us)));
  exchange->cancel.cancel();
}

void CpprestTransport::complete(const ExchangePtr& exchange, HttpResult result) {
  deadlines_.forget(exchange->deadline);
  {
    const std::lock_guard lock(mutex_);
    live_.erase(exchange);
  }
  changed_.notify_all();
  finish(*exchange, std::move(result));
}

// Hands the exchange to the library for its current address, unless it is over already.
void CpprestTransport::attempt(const ExchangePtr& exchange) {
  if (exchange->is_done) return;
  if (exchange->addresses.empty())
    return complete(exchange,
                    TransportError{.kind = Kind::Resolve,
                                   .message = (exchange->proxy ? exchange->proxy->host : exchange->url.host) +
                                              ": the name does not resolve"});
  {
    const std::lock_guard lock(mutex_);
    ++under_way_;
  }
  try {
    start(exchange);
  } catch (const std::exception& problem) {  // the library refused the request before sending anything
    {
      const std::lock_guard lock(mutex_);
      --under_way_;
    }
    complete(exchange,
             TransportError{.kind = Kind::Refused, .message = exchange->url.host + ": " + problem.what()});
  }
}

void CpprestTransport::start(const ExchangePtr& exchange) {
  exchange->link = link_for(exchange, exchange->is_safe());
  exchange->is_head_written = false;
  exchange->response = {};
  const web::http::http_request request = request_for(exchange);
  exchange->is_handed_over = true;
  exchange->link->http->request(request, exchange->cancel.get_token())
      .then([exchange](web::http::http_response response) {
        // If the body fails after we turned away, somebody must have looked at that, or the process ends.
        response.content_ready().then([](const pplx::task<web::http::http_response>& body) {
          try {
            body.get();
          } catch (...) {
          }
        });
        check_head(response);
        take_head(*exchange, response);
        return response.extract_vector();
      })
      .then([exchange](const std::vector<unsigned char>& body) { take_body(*exchange, body); })
      .then([self = shared_from_this(), exchange](const pplx::task<void>& task) {
        self->ended(exchange, task);
      });
}

// The end of every chain. Nothing is thrown from here.
void CpprestTransport::ended(const ExchangePtr& exchange, const pplx::task<void>& task) {
  std::optional<TransportError> error;
  try {
    task.get();
    keep(exchange);
  } catch (const StaleConnection&) {
    error = TransportError{.kind = Kind::Closed, .message = exchange->url.host + ": stale connection"};
  } catch (const Stopped& stop) {
    error = stopped(*exchange, stop.kind, stop.what());
  } catch (const web::http::http_exception& failure) {
    error = classified(*exchange, failure.what(), failure.error_code().value());
  } catch (const pplx::task_canceled&) {
    error = stopped(*exchange, Kind::Cancelled, "cancelled");
  } catch (const std::exception& failure) {
    error = stopped(*exchange, Kind::Malformed, failure.what());
  } catch (...) {
    error = stopped(*exchange, Kind::Malformed, "the answer could not be read");
  }
  const bool goes_on = error && try_again(exchange, *error);
  if (!goes_on) {
    if (error) exchange->cancel.cancel();  // closes the connection, should the library still be reading
    complete(exchange, error ? HttpResult(std::move(*error)) : HttpResult(std::move(exchange->response)));
    exchange->link.reset();
  }
  {
    const std::lock_guard lock(mutex_);
    --under_way_;
  }
  changed_.notify_all();
}

// Another address after a connection that never came about; a new connection after a kept one that was dead.
// Only what cannot have been acted upon is sent again.
bool CpprestTransport::try_again(const ExchangePtr& exchange, const TransportError& error) {
  if (exchange->is_done) return false;
  const bool has_other_address =
      error.kind == Kind::Connect && !exchange->proxy && exchange->address + 1 < exchange->addresses.size();
  const bool was_dead = error.kind == Kind::Closed && exchange->link->is_reused && exchange->is_safe();
  if (has_other_address) ++exchange->address;
  if (!has_other_address && !was_dead) return false;
  attempt(exchange);
  return true;
}

std::shared_ptr<Link> CpprestTransport::link_for(const ExchangePtr& exchange, bool may_reuse) {
  // A tunnelled connection changes its kind under the library's hands, so staleness cannot be seen: never
  // kept.
  const bool is_tunnel = exchange->proxy && exchange->url.is_https;
  exchange->pool.clear();
  const bool was_dead = exchange->link != nullptr && exchange->link->is_reused;
  if (may_reuse && !is_tunnel) {
    exchange->pool =
        (exchange->url.is_https ? "https " : "http ") + exchange->url.host_header() + " " +
        exchange->addresses[exchange->address] +
        (exchange->proxy ? " by " + std::to_string(exchange->proxy->port) + exchange->proxy->user : "");
    if (!was_dead)
      if (std::shared_ptr<Link> kept = kept_link(exchange->pool)) return kept;
  }
  return new_link(*exchange);
}

std::shared_ptr<Link> CpprestTransport::kept_link(const std::string& pool) {
  std::vector<std::shared_ptr<Link>> dropped;  // closed after the lock is given back
  const std::lock_guard lock(mutex_);
  const auto found = idle_.find(pool);
  if (found == idle_.end()) return nullptr;
  std::shared_ptr<Link> link;
  const auto oldest = Clock::now() - std::chrono::microseconds(config_.idle_timeout_us);
  while (!found->second.empty() && link == nullptr) {
    if (found->second.back()->idle_since >= oldest)
      link = found->second.back();
    else
      dropped.push_back(found->second.back());
    found->second.pop_back();
  }
  if (found->second.empty()) idle_.erase(found);
  if (link != nullptr) link->is_reused = true;
  return link;
}

// Gives the connection of an exchange that went well to the next one.
void CpprestTransport::keep(const ExchangePtr& exchange) {
  if (exchange->pool.empty() || exchange->is_done) return;
  std::vector<std::shared_ptr<Link>> dropped;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto oldest = now - std::chrono::microseconds(config_.idle_timeout_us);
  for (auto& [pool, links] : idle_)
    while (!links.empty() && links.front()->idle_since < oldest) {
      dropped.push_back(links.front());
      links.erase(links.begin());
    }
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
  auto& links = idle_[exchange->pool];
  exchange->link->idle_since = now;
  if (!is_closed_ && links.size() < config_.max_idle_per_origin) links.push_back(exchange->link);
}

std::shared_ptr<Link> CpprestTransport::new_link(const Exchange& exchange) {
  auto link = std::make_shared<Link>();
  const std::string host = exchange.proxy ? exchange.url.host : exchange.addresses[exchange.address];
  const std::string base = (exchange.url.is_https ? "https://" : "http://") + bracketed(host) + ":" +
                           std::to_string(exchange.url.port);
  link->http = std::make_shared<client::http_client>(web::uri(base), library_config(exchange, link));
  return link;
}

client::http_client_config CpprestTransport::library_config(const Exchange& exchange,
                                                            const std::shared_ptr<Link>& link) {
  client::http_client_config config;
  config.set_max_redirects(0);
  config.set_timeout(kLibraryTimeout);
  config.set_ssl_context_callback([self = weak_from_this()](boost::asio::ssl::context& context) {
    const auto live = self.lock();
    if (!live) return;
    SSL_CTX_set1_cert_store(context.native_handle(), live->trust_.get());
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    if (live->config_.client_certificate.empty()) return;
    context.use_certificate_chain_file(live->config_.client_certificate);
    context.use_private_key_file(live->config_.client_key, boost::asio::ssl::context::pem);
  });
  if (exchange.proxy) {
    web::web_proxy proxy(web::uri("http://" + bracketed(exchange.addresses[exchange.address]) + ":" +
                                  std::to_string(exchange.proxy->port)));
    // The library leaks 32 bytes for each use of these; for plain http the header of request_for() does.
    if (exchange.url.is_https && !exchange.proxy->user.empty())
      proxy.set_credentials(web::credentials(exchange.proxy->user, exchange.proxy->password));
    config.set_proxy(std::move(proxy));
    return config;
  }
  config.set_nativehandle_options([weak = std::weak_ptr<Link>(link),
                                   is_https = exchange.url.is_https](void* handle) {
    const auto live = weak.lock();
    if (!live || !live->is_reused) return;
    refuse_stale(is_https ? static_cast<TlsStream*>(handle)->next_layer() : *static_cast<TcpSocket*>(handle));
  });
  return config;
}

bool CpprestTransport::drain(std::int64_t timeout_us) {
  std::unique_lock lock(mutex_);
  is_closed_ = true;
  changed_.wait_for(lock, std::chrono::microseconds(timeout_us),
                    [&] { return live_.empty() && under_way_ == 0; });
  const std::vector<ExchangePtr> rest(live_.begin(), live_.end());
  lock.unlock();
  for (const ExchangePtr& exchange : rest) {
    complete(exchange, stopped(*exchange, Kind::Cancelled, "cancelled because the process ends"));
    exchange->cancel.cancel();
  }
  lock.lock();
  const bool is_quiet = changed_.wait_for(lock, kCancelGrace, [&] { return under_way_ == 0; });
  auto kept = std::move(idle_);
  idle_.clear();
  lock.unlock();
  return is_quiet;
}

// What callers own. The transport itself lives on while the library holds one of its exchanges.
class CpprestHandle final : public Transport {
 public:
  explicit CpprestHandle(std::shared_ptr<CpprestTransport> transport) : transport_(std::move(transport)) {}
  ~CpprestHandle() override { transport_->drain(0); }
  void send(HttpRequest request, std::function<void(HttpResult)> done) override {
    transport_->send(std::move(request), std::move(done));
  }
  bool drain(std::int64_t timeout_us) override { return transport_->drain(timeout_us); }

 private:
  std::shared_ptr<CpprestTransport> transport_;
};

void prepare_process() {
  static std::once_flag once;
  std::call_once(once, [] {
    setenv("SSL_CERT_FILE", "/nonexistent", 1);
    try {
      crossplat::threadpool::initialize_with_threads(kThreads);
    } catch (const std::exception&) {
      // Someone in this process used the library before us; its number of threads stands.
    }
  });
}

}  // namespace

Result<std::unique_ptr<Transport>> make_cpprest_transport(TransportConfig config) {
  FLOW_TRY(TrustStore trust, load_trust(config));
  for (const char* probe : {"http://proxy.invalid/", "https://proxy.invalid/"}) {
    const auto proxy = config.proxies.proxy_for(*parse_url(probe));
    if (!proxy) return tl::unexpected(proxy.error());
  }
  prepare_process();
  auto transport = std::make_shared<CpprestTransport>(std::move(config), std::move(trust));
  return std::make_unique<CpprestHandle>(std::move(transport));
}

}  // namespace flow
