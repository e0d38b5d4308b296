#include "stdlib/http/curl_transport.hpp"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/http/answer_reader.hpp"
#include "stdlib/http/open_sockets.hpp"
#include "stdlib/http/trust.hpp"
#include "stdlib/http/url.hpp"

namespace flow {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = TransportError::Kind;

constexpr std::size_t kMostUnderWay = 10'000;
constexpr long kMostConnections = 256;
constexpr long kMostConnectionsPerHost = 64;
constexpr long kConnectTimeoutMs = 20'000;
// An act goes out on a kept connection only when that one was used so recently that no server gives it up for
// being idle: nobody could tell whether the act was carried out.
constexpr long kFreshEnoughForActsS = 1;
constexpr std::int64_t kLongestDeadlineUs = 86'400'000'000;
constexpr std::chrono::seconds kCancelGrace{2};

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeShare {
  void operator()(CURLSH* handle) const { curl_share_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeList>;

void append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

// Belongs to the worker's thread once it was taken from the inbox.
struct Exchange {
  HttpRequest request;
  Url url;
  std::optional<Proxy> proxy;
  std::function<void(HttpResult)> done;
  Clock::time_point deadline;

  OpenSockets* sockets = nullptr;
  AnswerReader answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  List headers, addresses;
  bool is_sent = false;      // the request, or a part of it, may have gone out
  bool was_unquiet = false;  // a kept connection held bytes that nobody asked for; nothing was sent on it
  Easy easy;                 // last: it refers to what stands above

  bool is_safe() const { return request.method == "GET" || request.method == "HEAD"; }
  const std::string& next_hop() const { return proxy ? proxy->host : url.host; }
};
using ExchangePtr = std::shared_ptr<Exchange>;

TransportError problem(const Exchange& exchange, Kind kind, const std::string& why) {
  return {.kind = kind, .message = exchange.url.host + ": " + why, .maybe_executed = exchange.is_sent};
}

Kind kind_of(CURLcode code, bool is_sent) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return Kind::Resolve;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CLIENTCERT: return Kind::Tls;
    case CURLE_OPERATION_TIMEDOUT: return Kind::Timeout;
    // What the library says of a header line that is longer than it reads.
    case CURLE_OUT_OF_MEMORY: return is_sent ? Kind::TooLarge : Kind::Connect;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an answer without a head
    case CURLE_BAD_CONTENT_ENCODING: return is_sent ? Kind::Malformed : Kind::Connect;
    default: return is_sent ? Kind::Closed : Kind::Connect;
  }
}

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* context) {
  return static_cast<Exchange*>(context)->answer.take_line({bytes, size}) ? size : 0;
}

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* context) {
  return static_cast<Exchange*>(context)->answer.take_body({bytes, size}) ? size : 0;
}

// Called when a connection is ready and before the first byte of the request goes out. The library may want
// to send a request again when a connection dies; here that is decided.
int before_request(void* context, char*, char*, int, int local_port) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (exchange.is_sent && !exchange.is_safe()) return CURL_PREREQFUNC_ABORT;
  long opened = 0;
  curl_easy_getinfo(exchange.easy.get(), CURLINFO_NUM_CONNECTS, &opened);
  exchange.was_unquiet = opened == 0 && exchange.sockets->is_unquiet(local_port);
  if (exchange.was_unquiet) return CURL_PREREQFUNC_ABORT;
  exchange.is_sent = true;
  exchange.answer.restart();
  return CURL_PREREQFUNC_OK;
}

curl_socket_t open_socket(void* sockets, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd >= 0) static_cast<OpenSockets*>(sockets)->opened(fd);
  return fd;
}

int close_socket(void* sockets, curl_socket_t fd) {
  static_cast<OpenSockets*>(sockets)->closed(fd);
  return ::close(fd);
}

CURLcode trust_ours(CURL*, void* context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

void set_request(CURL* easy, Exchange& exchange) {
  const HttpRequest& from = exchange.request;
  const std::string url =
      (exchange.url.is_https ? "https://" : "http://") + exchange.url.host_header() + exchange.url.target;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  const bool has_body =
      !from.body.empty() || from.method == "POST" || from.method == "PATCH" || from.method == "PUT";
  if (has_body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(from.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, from.body.data());
    append(exchange.headers, "Expect:");  // or the library waits for leave to send a long body
  } else if (from.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  }
  if (from.method != "HEAD") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, from.method.c_str());
  bool has_type = false;
  for (const auto& [name, value] : from.headers) {
    has_type = has_type || equals_ignoring_case(name, "Content-Type");
    append(exchange.headers, value.empty() ? name + ";" : name + ": " + value);
  }
  if (has_body && !has_type) append(exchange.headers, "Content-Type: application/octet-stream");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "flow");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange.headers.get());
}

void set_answer(CURL* easy, Exchange& exchange) {
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  // Chunks come with their framing: a size beyond the limit is refused when it is announced.
  curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.reason.data());
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &exchange);
}

void set_proxy(CURL* easy, const std::optional<Proxy>& proxy) {
  // Both are said even when there is none, or the library asks the environment.
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  const std::string url =
      proxy ? "http://" + bracketed(proxy->host) + ":" + std::to_string(proxy->port) : std::string();
  curl_easy_setopt(easy, CURLOPT_PROXY, url.c_str());
  if (!proxy || proxy->user.empty()) return;
  curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
  curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, proxy->user.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, proxy->password.c_str());
}

void set_connection(CURL* easy, const Exchange& exchange, const TransportConfig& config,
                    x509_store_st* trust) {
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange.sockets);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange.sockets);
  const long idle_s = static_cast<long>(std::max<std::int64_t>(config.idle_timeout_us / 1'000'000, 1));
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
                   exchange.is_safe() ? idle_s : std::min(idle_s, kFreshEnoughForActsS));
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, exchange.was_unquiet ? 1L : 0L);
  set_proxy(easy, exchange.proxy);
  // An act has its connection to itself: when one that is shared dies, all that is under way on it is in
  // doubt.
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   static_cast<long>(exchange.url.is_https && exchange.is_safe() ? CURL_HTTP_VERSION_2TLS
                                                                                 : CURL_HTTP_VERSION_1_1));
  if (!exchange.url.is_https) return;
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);  // share a connection by HTTP/2 rather than open another one
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_CAINFO, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, trust_ours);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, trust);
  if (config.client_certificate.empty()) return;
  curl_easy_setopt(easy, CURLOPT_SSLCERT, config.client_certificate.c_str());
  curl_easy_setopt(easy, CURLOPT_SSLKEY, config.client_key.c_str());
}

// What other threads tell the worker. Lookups that outlive the transport keep it alive.
struct Inbox {
  struct Message {
    ExchangePtr exchange;
    std::optional<std::vector<std::string>> addresses;  // nothing: the exchange is new
  };

  OpenSockets sockets;  // the worker's; stands here because the last of them are closed with `multi`
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Message> messages;
  std::size_t under_way = 0;  // exchanges whose callers wait
  bool is_closed = false;     // takes no new ones
  bool is_cancelled = false;  // ends all that are under way
  bool is_ending = false;

  void post(Message message) {
    const std::lock_guard lock(mutex);
    messages.push_back(std::move(message));
    if (messages.size() == 1) curl_multi_wakeup(multi.get());
  }
};

// Runs in the one thread that touches the library.
class Worker {
 public:
  Worker(std::shared_ptr<Inbox> inbox, TransportConfig config, TrustStore trust)
      : config_(std::move(config)),
        trust_(std::move(trust)),
        resolver_(config_.resolve, config_.name_cache_us),
        inbox_(std::move(inbox)) {
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi(), CURLMOPT_MAX_HOST_CONNECTIONS, kMostConnectionsPerHost);
    curl_multi_setopt(multi(), CURLMOPT_MAX_TOTAL_CONNECTIONS, kMostConnections);
    curl_multi_setopt(multi(), CURLMOPT_MAXCONNECTS, kMostConnections);
  }

  void run() {
    while (take_messages()) {
      int running = 0;
      curl_multi_perform(multi(), &running);
      const bool has_finished = report_finished();
      expire();
      if (!has_finished) curl_multi_poll(multi(), nullptr, 0, pause_ms(), nullptr);
    }
  }

 private:
  CURLM* multi() const { return inbox_->multi.get(); }

  // False once the thread shall end; nothing is under way then.
  bool take_messages() {
    std::vector<Inbox::Message> messages;
    bool is_cancelled = false, is_ending = false;
    {
      const std::lock_guard lock(inbox_->mutex);
      messages.swap(inbox_->messages);
      is_cancelled = inbox_->is_cancelled;
      is_ending = inbox_->is_ending;
    }
    for (Inbox::Message& message : messages) {
      if (message.addresses)
        begin(message.exchange, *message.addresses);
      else
        admit(message.exchange);
    }
    if (is_cancelled)
      while (!live_.empty()) {
        const ExchangePtr exchange = live_.begin()->second;
        end(exchange, problem(*exchange, Kind::Cancelled, "cancelled because the process ends"));
      }
    return !is_ending;
  }

  void admit(const ExchangePtr& exchange) {
    exchange->sockets = &inbox_->sockets;
    live_.emplace(exchange.get(), exchange);
    deadlines_.emplace(exchange->deadline, exchange.get());
    resolver_.resolve(exchange->next_hop(), [inbox = inbox_, exchange](std::vector<std::string> addresses) {
      inbox->post({exchange, std::move(addresses)});
    });
  }

  void begin(const ExchangePtr& exchange, const std::vector<std::string>& addresses) {
    if (!live_.contains(exchange.get())) return;  // its deadline came first
    if (addresses.empty())
      return end(exchange, TransportError{.kind = Kind::Resolve,
                                          .message = exchange->next_hop() + ": the name does not resolve"});
    if (!is_ip_address(exchange->next_hop())) {
      std::string entry = exchange->next_hop() + ":" +
                          std::to_string(exchange->proxy ? exchange->proxy->port : exchange->url.port);
      char separator = ':';
      for (const std::string& address : addresses) {
        entry += separator + bracketed(address);
        separator = ',';
      }
      append(exchange->addresses, entry);
    }
    start(exchange);
  }

  // Handles are used again: making one costs as much as half of a request.
  Easy spare_handle() {
    if (spare_.empty()) return Easy(curl_easy_init());
    Easy handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }
  void give_back(Easy handle) {
    curl_multi_remove_handle(multi(), handle.get());
    curl_easy_reset(handle.get());
    if (spare_.size() < kMostConnections) spare_.push_back(std::move(handle));
  }

  void start(const ExchangePtr& exchange) {
    exchange->headers.reset();
    exchange->easy = spare_handle();
    CURL* easy = exchange->easy.get();
    if (easy == nullptr) return end(exchange, problem(*exchange, Kind::Connect, "no memory"));
    set_request(easy, *exchange);
    set_answer(easy, *exchange);
    set_connection(easy, *exchange, config_, trust_.get());
    curl_easy_setopt(easy, CURLOPT_RESOLVE, exchange->addresses.get());
    curl_easy_setopt(easy, CURLOPT_SHARE, share_.get());
    curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange.get());
    curl_multi_add_handle(multi(), easy);
  }

  bool report_finished() {
    bool has_any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Exchange* done = nullptr;
      const CURLcode code = message->data.result;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &done);
      finish(live_.at(done), code);
      has_any = true;
    }
    return has_any;
  }

  void finish(const ExchangePtr& exchange, CURLcode code) {
    long version = 0, port = 0;
    curl_easy_getinfo(exchange->easy.get(), CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(exchange->easy.get(), CURLINFO_LOCAL_PORT, &port);
    if (version >= CURL_HTTP_VERSION_2_0) inbox_->sockets.is_talkative(static_cast<int>(port));
    if (exchange->was_unquiet) {  // a fresh connection this time
      give_back(std::move(exchange->easy));
      return start(exchange);
    }
    const auto wrong = code == CURLE_OK ? exchange->answer.finish() : exchange->answer.problem();
    if (wrong) return end(exchange, problem(*exchange, wrong->kind, wrong->message));
    if (code == CURLE_OK) return end(exchange, std::move(exchange->answer.response()));
    const std::string_view reason =
        exchange->reason[0] != '\0' ? exchange->reason.data() : curl_easy_strerror(code);
    end(exchange, problem(*exchange, kind_of(code, exchange->is_sent), excerpt(reason)));
  }

  void end(const ExchangePtr exchange, HttpResult result) {
    live_.erase(exchange.get());
    deadlines_.erase({exchange->deadline, exchange.get()});
    if (exchange->easy) give_back(std::move(exchange->easy));
    exchange->done(std::move(result));
    exchange->done = nullptr;
    {
      const std::lock_guard lock(inbox_->mutex);
      --inbox_->under_way;
    }
    inbox_->changed.notify_all();
  }

  void expire() {
    while (!deadlines_.empty() && deadlines_.begin()->first <= Clock::now()) {
      const ExchangePtr exchange = live_.at(deadlines_.begin()->second);
      end(exchange, problem(*exchange, Kind::Timeout,
                            "no answer within " + format_duration_us(exchange->request.deadline_us)));
    }
  }

  int pause_ms() const {
    constexpr std::int64_t kLongest = 60'000;
    if (deadlines_.empty()) return kLongest;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadlines_.begin()->first - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, kLongest));
  }

  const TransportConfig config_;
  const TrustStore trust_;
  Resolver resolver_;
  const std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<CURLSH, FreeShare> share_{
      curl_share_init()};  // sessions, so that acts need no full handshake
  std::vector<Easy> spare_;
  std::map<const Exchange*, ExchangePtr> live_;
  std::set<std::pair<Clock::time_point, const Exchange*>> deadlines_;
};

class CurlTransport final : public Transport {
 public:
  CurlTransport(TransportConfig config, TrustStore trust) : proxies_(config.proxies) {
    thread_ = std::thread([inbox = inbox_, config = std::move(config), trust = std::move(trust)]() mutable {
      Worker(inbox, std::move(config), std::move(trust)).run();
    });
  }
  ~CurlTransport() override {
    drain(0);
    {
      const std::lock_guard lock(inbox_->mutex);
      inbox_->is_ending = true;
    }
    curl_multi_wakeup(inbox_->multi.get());
    thread_.join();
  }

  void send(HttpRequest request, std::function<void(HttpResult)> done) override {
    if (std::optional<TransportError> no = refusal(request)) return done(std::move(*no));
    auto exchange = std::make_shared<Exchange>();
    exchange->url = *parse_url(request.url);
    exchange->deadline =
        Clock::now() + std::chrono::microseconds(std::min(request.deadline_us, kLongestDeadlineUs));
    exchange->answer = AnswerReader(request.max_response_bytes, request.method == "HEAD");
    exchange->request = std::move(request);
    auto proxy = proxies_.proxy_for(exchange->url);
    if (!proxy) return done(TransportError{.kind = Kind::Connect, .message = proxy.error().message});
    exchange->proxy = std::move(*proxy);
    exchange->done = std::move(done);
    if (const auto no = admit()) return exchange->done(*no);
    inbox_->post({std::move(exchange), std::nullopt});
  }

  bool drain(std::int64_t timeout_us) override {
    std::unique_lock lock(inbox_->mutex);
    const auto is_quiet = [&] { return inbox_->under_way == 0; };
    inbox_->is_closed = true;
    if (inbox_->changed.wait_for(lock, std::chrono::microseconds(timeout_us), is_quiet)) return true;
    inbox_->is_cancelled = true;
    curl_multi_wakeup(inbox_->multi.get());
    return inbox_->changed.wait_for(lock, kCancelGrace, is_quiet);
  }

 private:
  std::optional<TransportError> admit() {
    const std::lock_guard lock(inbox_->mutex);
    if (inbox_->is_closed)
      return TransportError{.kind = Kind::Cancelled, .message = "the transport is closing"};
    if (inbox_->under_way >= kMostUnderWay)
      return TransportError{.kind = Kind::Connect, .message = "too many exchanges are under way"};
    ++inbox_->under_way;
    return std::nullopt;
  }

  const ProxyRules proxies_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Transport>> make_curl_transport(TransportConfig config) {
  FLOW_TRY(TrustStore trust, load_trust(config));
  for (const char* probe : {"http://proxy.invalid/", "https://proxy.invalid/"}) {
    const auto proxy = config.proxies.proxy_for(*parse_url(probe));
    if (!proxy) return tl::unexpected(proxy.error());
  }
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_unique<CurlTransport>(std::move(config), std::move(trust));
}

}  // namespace flow
