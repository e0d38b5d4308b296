// SMTP dialogues over TCP on 127.0.0.1: one thread, poll(), at most 100 clients, each closed after a minute's
// silence.
#pragma once

#include <cstdint>
#include <memory>

#include "apps/sim/smtp_session.hpp"
#include "apps/sim/tls_server.hpp"
#include "base/result.hpp"

namespace flow::sim {

struct SmtpServerOptions {
  std::uint16_t port = 0;  // 0: any free one
  std::int64_t idle_ms = 60'000;
  std::size_t connection_limit = 100;
  SmtpOptions session;  // which offers TLS, or begins with it, only where there is an identity
  std::shared_ptr<const TlsIdentity> identity = nullptr;
};

class SmtpServer {
 public:
  // The hooks run on the server's thread.
  static Result<std::unique_ptr<SmtpServer>> start(SmtpServerOptions options, SmtpSession::Hooks hooks);
  ~SmtpServer();  // stops

  std::uint16_t port() const;
  void stop();

 private:
  struct Impl;
  explicit SmtpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow::sim
