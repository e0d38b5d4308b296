#include "tests/bench/http/beast_peer.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "stdlib/http/url.hpp"

namespace flow {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct Call {
  HttpRequest request;
  std::function<void(HttpResult)> done;
};

struct Connection {
  explicit Connection(asio::io_context& io) : stream(io) {}

  boost::beast::tcp_stream stream;
  boost::beast::flat_buffer buffer;
  http::request<http::string_body> request;
  http::response<http::string_body> response;
  std::function<void(HttpResult)> done;
  bool is_open = false;
};

class BeastPeer final : public Transport {
 public:
  explicit BeastPeer(std::size_t connections) : work_(asio::make_work_guard(io_)) {
    for (std::size_t i = 0; i < connections; ++i)
      free_.push_back(all_.emplace_back(std::make_unique<Connection>(io_)).get());
    thread_ = std::thread([this] { io_.run(); });
  }
  ~BeastPeer() override {
    io_.stop();
    thread_.join();
  }

  void send(HttpRequest request, std::function<void(HttpResult)> done) override {
    asio::post(io_, [this, call = Call{std::move(request), std::move(done)}]() mutable {
      waiting_.push_back(std::move(call));
      start();
    });
  }

 private:
  void start() {
    while (!waiting_.empty() && !free_.empty()) {
      Connection& connection = *free_.back();
      free_.pop_back();
      Call call = std::move(waiting_.front());
      waiting_.pop_front();
      begin(connection, std::move(call));
    }
  }

  void begin(Connection& connection, Call call) {
    connection.done = std::move(call.done);
    const auto url = parse_url(call.request.url);
    if (!url || url->is_https) return end(connection, TransportError{});
    connection.request = {};
    connection.request.method_string(call.request.method);
    connection.request.target(url->target);
    connection.request.version(11);
    connection.request.set(http::field::host, url->host_header());
    for (const auto& [name, value] : call.request.headers) connection.request.set(name, value);
    connection.request.body() = std::move(call.request.body);
    connection.request.prepare_payload();
    if (!connection.is_open) {
      boost::system::error_code problem;
      const auto address = asio::ip::make_address(url->host, problem);
      if (!problem) connection.stream.socket().connect({address, url->port}, problem);
      if (!problem) connection.stream.socket().set_option(asio::ip::tcp::no_delay(true), problem);
      if (problem) return end(connection, TransportError{.message = problem.message()});
      connection.is_open = true;
    }
    http::async_write(connection.stream, connection.request, [this, &connection](auto problem, std::size_t) {
      if (problem) return end(connection, TransportError{.message = problem.message()});
      read(connection);
    });
  }

  void read(Connection& connection) {
    connection.response = {};
    http::async_read(connection.stream, connection.buffer, connection.response,
                     [this, &connection](auto problem, std::size_t) {
                       if (problem) return end(connection, TransportError{.message = problem.message()});
                       HttpResponse response{.status = static_cast<int>(connection.response.result_int()),
                                             .headers = {},
                                             .body = std::move(connection.response.body())};
                       for (const auto& field : connection.response)
                         response.headers.emplace_back(field.name_string(), field.value());
                       end(connection, std::move(response));
                     });
  }

  void end(Connection& connection, HttpResult result) {
    if (std::holds_alternative<TransportError>(result)) {
      boost::system::error_code ignored;
      connection.stream.socket().close(ignored);
      connection.buffer.clear();
      connection.is_open = false;
    }
    free_.push_back(&connection);
    std::exchange(connection.done, {})(std::move(result));
    start();
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::vector<std::unique_ptr<Connection>> all_;
  std::vector<Connection*> free_;
  std::deque<Call> waiting_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Transport> make_beast_peer(std::size_t connections) {
  return std::make_unique<BeastPeer>(connections);
}

}  // namespace flow
