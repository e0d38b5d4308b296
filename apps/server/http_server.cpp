#include "apps/server/http_server.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace flow {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
// Of one io_context, which one thread runs: an executor that could be any other costs at every step.
using Executor = asio::io_context::executor_type;
using Stream = beast::basic_stream<tcp, Executor>;
using Socket = Stream::socket_type;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;
using std::chrono::milliseconds;
using ErrorCode = beast::error_code;

// So much is read at once. Of a client that sends more, more is read once it has begun.
constexpr std::size_t kUsualRequest = 8 * 1024;

// The way back for answers from other threads: it outlives the server, and ends with it.
struct Gate {
  std::mutex mutex;
  asio::io_context* io = nullptr;
};

// What one connection needs of the server it belongs to.
struct Shared {
  HttpServerOptions options;
  HttpServer::LaterHandler handler;
  std::shared_ptr<Gate> gate = std::make_shared<Gate>();
  std::set<class Session*> sessions;
  bool stopping = false;
  std::function<void()> on_session_end;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Socket&& socket, Shared& shared)
      : stream_(std::move(socket)), delay_(stream_.get_executor()), shared_(shared) {
    buffer_.reserve(kUsualRequest);
    shared_.sessions.insert(this);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    shared_.sessions.erase(this);
    if (shared_.on_session_end) shared_.on_session_end();
  }

  void read_header() {
    is_idle_ = true;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.header_limit));
    parser_->body_limit(shared_.options.body_limit);
    stream_.expires_after(milliseconds(shared_.options.header_ms));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](ErrorCode ec, std::size_t) { self->on_header(ec); });
  }

  // Ends a connection that waits for a request; one that is being answered ends after its answer.
  void stop_when_idle() {
    if (is_idle_) close();
  }
  void close() {
    delay_.cancel();
    stream_.close();
    const std::shared_ptr<Session> waiting = std::move(waiting_);  // the last that keeps it, perhaps
  }

 private:
  void on_header(ErrorCode ec) {
    is_idle_ = false;
    if (ec) return refuse(ec);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) return write_continue();
    read_body();
  }

  void write_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(milliseconds(shared_.options.write_ms));
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](ErrorCode ec, std::size_t) {
                        if (!ec) self->read_body();
                      });
  }

  void read_body() {
    stream_.expires_after(milliseconds(shared_.options.body_ms));
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](ErrorCode ec, std::size_t) { self->on_body(ec); });
  }

  void on_body(ErrorCode ec) {
    if (ec) return refuse(ec);
    auto& request = parser_->get();
    HttpQuestion question;
    question.method = std::string(request.method_string());
    question.target = std::string(request.target());
    for (const auto& field : request) question.headers.emplace_back(field.name_string(), field.value());
    question.body = std::move(request.body());
    is_head_ = request.method() == http::verb::head;
    keeps_alive_ = request.keep_alive();
    version_ = request.version();
    waiting_ = shared_from_this();
    stream_.expires_never();
    delay_.expires_after(milliseconds(shared_.options.answer_ms));
    delay_.async_wait([weak = weak_from_this(), number = ++questions_](ErrorCode waited) {
      const auto self = weak.lock();
      if (waited || !self) return;
      HttpAnswer late;
      late.status = 503;
      late.body = R"({"error":{"code":"Unavailable","message":"no answer in time"}})";
      self->take_answer(number, std::move(late));
    });
    shared_.handler(question, reply());
  }

  HttpServer::Reply reply() {
    return [gate = shared_.gate, weak = weak_from_this(), number = questions_](HttpAnswer answer) {
      const std::lock_guard lock(gate->mutex);
      if (gate->io == nullptr) return;
      asio::post(*gate->io, [weak, number, answer = std::move(answer)]() mutable {
        if (const auto self = weak.lock()) self->take_answer(number, std::move(answer));
      });
    };
  }

  void take_answer(std::uint64_t number, HttpAnswer answer) {
    if (!waiting_ || number != questions_) return;  // it was given already
    const std::shared_ptr<Session> self = std::move(waiting_);
    delay_.cancel();
    answer_ = std::move(answer);
    if (answer_.delay_ms <= 0) return write_answer();
    delay_.expires_after(milliseconds(answer_.delay_ms));
    delay_.async_wait([self = shared_from_this()](ErrorCode waited) {
      if (!waited) self->write_answer();
    });
  }

  // A request that broke a rule or a limit gets its status when it still can, and the connection ends.
  void refuse(ErrorCode ec) {
    int status = 400;
    if (ec == http::error::body_limit)
      status = 413;
    else if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
      status = 431;
    else if (ec == beast::error::timeout || ec == http::error::end_of_stream ||
             ec == http::error::partial_message ||
             ec.category() != http::make_error_code(http::error::bad_method).category())
      return close();
    keeps_alive_ = false;
    is_head_ = false;
    version_ = 11;
    answer_ = HttpAnswer{};
    answer_.status = status;
    answer_.body = "{\"error\":{\"code\":\"BadRequest\",\"message\":" + json_quoted(ec.message()) + "}}";
    write_answer();
  }

  void write_answer() {
    if (shared_.stopping) keeps_alive_ = false;
    stream_.expires_after(milliseconds(shared_.options.write_ms));
    switch (answer_.wire) {
      case Wire::Normal: return write_normal();
      case Wire::Reset: return reset();
      case Wire::Garbage: return write_last("\x16\x03\x01 this is no HTTP\r\n\r\n\x00\xff");
      case Wire::Cut: return write_last(half_of_answer());
      case Wire::Endless: return write_last(header_text("Transfer-Encoding: chunked"), true);
    }
  }

  void write_normal() {
    response_ = {};
    response_.version(version_);
    response_.result(static_cast<unsigned>(answer_.status));
    for (const auto& [name, value] : answer_.headers) response_.insert(name, value);
    const bool has_body = answer_.status != 204 && answer_.status != 304;
    if (has_body && !answer_.content_type.empty())
      response_.set(http::field::content_type, answer_.content_type);
    if (has_body) response_.content_length(answer_.body.size());
    response_.keep_alive(keeps_alive_);
    if (!is_head_ && has_body) response_.body() = std::move(answer_.body);
    serializer_.emplace(response_);
    const auto written = [self = shared_from_this()](ErrorCode ec, std::size_t) { self->on_written(ec); };
    if (is_head_)
      http::async_write_header(stream_, *serializer_, written);
    else
      http::async_write(stream_, *serializer_, written);
  }

  void on_written(ErrorCode ec) {
    if (ec) return close();
    if (keeps_alive_) return read_header();
    stream_.socket().shutdown(tcp::socket::shutdown_send, ec);
    drained_ = 0;
    stream_.expires_after(milliseconds(std::min<std::int64_t>(shared_.options.body_ms, 2'000)));
    drain();
  }

  // Reads away what the client still sends: closing with unread bytes would reset the connection and lose the
  // answer.
  void drain() {
    static constexpr std::size_t kMostDrained = 8u << 20;
    stream_.async_read_some(asio::buffer(scrap_),
                            [self = shared_from_this()](ErrorCode ec, std::size_t size) {
                              self->drained_ += size;
                              if (ec || self->drained_ > kMostDrained || self->shared_.stopping)
                                return self->close();
                              self->drain();
                            });
  }

  void reset() {
    ErrorCode ignored;
    stream_.socket().set_option(asio::socket_base::linger(true, 0), ignored);
    close();
  }

  std::string header_text(std::string_view framing) const {
    std::string text = "HTTP/1.1 " + std::to_string(answer_.status) + " ";
    text += std::string(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(answer_.status))));
    text += "\r\nContent-Type: " + answer_.content_type + "\r\n";
    return text.append(framing) + "\r\n\r\n";
  }
  std::string half_of_answer() const {
    return header_text("Content-Length: " + std::to_string(answer_.body.size() + 2)) +
           answer_.body.substr(0, answer_.body.size() / 2);
  }

  void write_last(std::string bytes, bool goes_on = false) {
    raw_ = std::move(bytes);
    asio::async_write(stream_, asio::buffer(raw_),
                      [self = shared_from_this(), goes_on](ErrorCode ec, std::size_t) {
                        if (ec || self->shared_.stopping || !goes_on) return self->close();
                        self->write_chunk();
                      });
  }
  void write_chunk() {  // the time for writing set before the first chunk ends this
    raw_ = "4000\r\n" + std::string(0x4000, ' ') + "\r\n";
    asio::async_write(stream_, asio::buffer(raw_), [self = shared_from_this()](ErrorCode ec, std::size_t) {
      if (ec || self->shared_.stopping) return self->close();
      self->write_chunk();
    });
  }

  Stream stream_;
  Timer delay_;
  Shared& shared_;
  beast::flat_buffer buffer_{128 * 1024};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  HttpAnswer answer_;
  std::string raw_;
  std::array<char, 4096> scrap_{};
  std::size_t drained_ = 0;
  std::shared_ptr<Session> waiting_;  // this one, while its answer is being made
  std::uint64_t questions_ = 0;
  unsigned version_ = 11;
  bool is_idle_ = false;
  bool is_head_ = false;
  bool keeps_alive_ = false;
};

}  // namespace

struct HttpServer::Impl {
  Shared shared;
  asio::io_context io{1};
  Acceptor acceptor{io};
  Timer pause{io};
  Timer grace{io};
  std::thread thread;
  std::uint16_t port = 0;
  bool is_accepting = false;
  std::mutex stop_mutex;
  bool has_stopped = false;

  void accept() {
    if (is_accepting || shared.stopping || shared.sessions.size() >= shared.options.connection_limit) return;
    is_accepting = true;
    acceptor.async_accept([this](ErrorCode ec, Socket socket) {
      is_accepting = false;
      if (shared.stopping) return;
      if (ec) return pause_accepting();
      ErrorCode ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      std::make_shared<Session>(std::move(socket), shared)->read_header();
      accept();
    });
  }

  // Out of descriptors, accepting again at once would spin.
  void pause_accepting() {
    pause.expires_after(milliseconds(100));
    pause.async_wait([this](ErrorCode) { accept(); });
  }

  Status listen() {
    ErrorCode ec;
    const auto address = asio::ip::make_address(shared.options.address, ec);
    if (ec) return error("`" + shared.options.address + "` is no IP address");
    const tcp::endpoint endpoint(address, shared.options.port);
    acceptor.open(endpoint.protocol(), ec);
    if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor.bind(endpoint, ec);
    if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
      return error("cannot listen on " + shared.options.address + ":" + std::to_string(shared.options.port) +
                   ": " + ec.message());
    port = acceptor.local_endpoint(ec).port();
    return {};
  }

  void begin_stop() {
    shared.stopping = true;
    ErrorCode ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (Session* session : std::set<Session*>(shared.sessions)) session->stop_when_idle();
    grace.expires_after(milliseconds(shared.options.stop_ms));
    grace.async_wait([this](ErrorCode) { close_all(); });
    if (shared.sessions.empty()) grace.cancel();
  }
  void close_all() {
    for (Session* session : std::set<Session*>(shared.sessions)) session->close();
  }
  void session_ended() {
    if (!shared.stopping) return accept();
    if (shared.sessions.empty()) grace.cancel();
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, Handler handler) {
  return start(std::move(options),
               [handler = std::move(handler)](const HttpQuestion& question, const Reply& reply) {
                 reply(handler(question));
               });
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, LaterHandler handler) {
  FLOW_TRY(auto server, bind(std::move(options)));
  server->answer_by(std::move(handler));
  return server;
}

Result<std::unique_ptr<HttpServer>> HttpServer::bind(HttpServerOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->shared.options = std::move(options);
  impl->shared.gate->io = &impl->io;
  impl->shared.on_session_end = [raw = impl.get()] { raw->session_ended(); };
  FLOW_TRY_STATUS(impl->listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::answer_by(LaterHandler handler) {
  impl_->shared.handler = std::move(handler);
  impl_->accept();
  impl_->thread = std::thread([raw = impl_.get()] { raw->io.run(); });
}

std::uint16_t HttpServer::port() const {
  return impl_->port;
}

bool HttpServer::call(std::function<void()> work) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> finished = done->get_future();
  {
    const std::lock_guard lock(impl_->stop_mutex);
    if (impl_->has_stopped) return false;
    // A handler that the stopping loop never runs is destroyed with its promise, which wakes us.
    asio::post(impl_->io, [done = std::move(done), work = std::move(work)] {
      work();
      done->set_value();
    });
  }
  finished.wait();
  return true;
}

void HttpServer::stop() {
  {
    const std::lock_guard lock(impl_->stop_mutex);
    if (impl_->has_stopped) return;
    impl_->has_stopped = true;
  }
  if (impl_->thread.joinable()) {  // else nobody was answered yet
    asio::post(impl_->io, [impl = impl_.get()] { impl->begin_stop(); });
    impl_->thread.join();
  }
  {
    const std::lock_guard lock(impl_->shared.gate->mutex);
    impl_->shared.gate->io = nullptr;
  }
  impl_->shared.on_session_end = nullptr;
}

}  // namespace flow
