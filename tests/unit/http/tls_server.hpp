// A TLS server on loopback with a certificate made for the test.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace flow {

// PEM texts. `names` of a certificate are `DNS:a.example` or `IP:127.0.0.1`, joined by commas.
struct Identity {
  std::string certificate;
  std::string key;
};
Identity make_authority(const std::string& name);
Identity make_certificate(const std::string& names, const Identity& authority, bool is_expired = false);
// Writes `text` to a new file below the test's temporary folder, and gives its path.
std::string written(const std::string& text);

struct TlsOptions {
  bool only_old_versions = false;  // TLS 1.1
  std::string client_authority;    // PEM; asks the client for a certificate and insists
};

// Answers every request with 200 and `ok`.
class TlsServer {
 public:
  explicit TlsServer(const Identity& identity, TlsOptions options = {});
  ~TlsServer();
  std::uint16_t port() const { return port_; }
  int handshakes() const { return handshakes_; }
  std::string last_name() const;  // the SNI of the last handshake

 private:
  struct Context;
  void serve();

  std::unique_ptr<Context> context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> handshakes_ = 0;
  std::thread thread_;
};

}  // namespace flow
