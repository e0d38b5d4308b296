// TLS for the pretend tenant's mail server: a certificate authority made at each start, whose certificate
// clients can be told to trust, and the server's side of a connection without a socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow::sim {

// The server's key, and its certificate for `localhost` and 127.0.0.1, signed by an authority of its own.
class TlsIdentity {
 public:
  static Result<std::shared_ptr<TlsIdentity>> make();
  ~TlsIdentity();

  const std::string& authority() const;  // its certificate, in PEM

 private:
  friend class TlsStream;
  struct Impl;
  explicit TlsIdentity(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// One connection, TLS 1.2 or newer: bytes of the wire on one side, plain text on the other.
class TlsStream {
 public:
  explicit TlsStream(std::shared_ptr<const TlsIdentity> identity);
  ~TlsStream();
  TlsStream(TlsStream&&) noexcept;
  TlsStream& operator=(TlsStream&&) noexcept;

  // Takes what came; appends what it says to `plain`. False when the connection is over or broken.
  bool receive(std::string_view bytes, std::string& plain);
  bool is_ready() const;  // the handshake is over
  void send(std::string_view plain);
  std::string take_output();  // what is to go over the wire

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow::sim
