// HTTP/1.1 for inbound requests: one thread, limits on everything a client can make large or slow. The
// handler runs on the server's thread, one question at a time, so what it owns needs no lock; it must not
// block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "apps/server/http_message.hpp"
#include "base/result.hpp"

namespace flow {

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // 0: any free one
  std::size_t header_limit = 16 * 1024;
  std::size_t body_limit = 1024 * 1024;
  std::size_t connection_limit = 1000;  // further clients wait in the listen queue
  std::int64_t header_ms = 30'000;      // from the first wait for a request to the end of its header
  std::int64_t body_ms = 30'000;
  std::int64_t write_ms = 30'000;
  std::int64_t answer_ms = 120'000;  // for a handler that answers later; beyond, the answer is 503
  std::int64_t stop_ms = 2'000;      // answers under way may take so long after stop()
};

class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const HttpQuestion&)>;
  // Called once, from any thread, also after the server has stopped or the client has left.
  using Reply = std::function<void(HttpAnswer)>;
  using LaterHandler = std::function<void(const HttpQuestion&, Reply)>;

  // Has the address when it returns, so that nobody else can take it; whoever connects waits in the listen
  // queue until answer_by(). An Error names the address.
  static Result<std::unique_ptr<HttpServer>> bind(HttpServerOptions options);
  void answer_by(LaterHandler handler);  // once
  // Both.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, Handler handler);
  // With a handler that may answer when it has returned; meanwhile other connections go on.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, LaterHandler handler);
  ~HttpServer();  // stops

  std::uint16_t port() const;
  // Runs `work` on the server's thread and waits for it; false when the server has stopped. Never from the
  // handler.
  bool call(std::function<void()> work);
  // Accepts no more, lets answers under way finish, closes. May be called twice, from any thread but the
  // server's.
  void stop();

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow
