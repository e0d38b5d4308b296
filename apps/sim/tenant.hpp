// The pretend tenant as a server: token endpoint, Defender, Graph and the control pages on one HTTP port, and
// an SMTP port beside it, both only on 127.0.0.1. docs/sim.md tells how to use it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow {

struct SimOptions {
  std::uint16_t port = 0;        // 0: any free one
  std::uint16_t smtp_port = 0;   // 0: any free one
  std::uint16_t smtps_port = 0;  // TLS from the first byte; 0: any free one
  std::string ca_file;        // where the certificate to trust the mail server by is written; empty: nowhere
  std::uint64_t seed = 1;     // decides machines, alerts, ids
  std::string alerts_file;    // JSON in Defender's own shape; empty: no alerts at the start
  std::string scenario_file;  // a story that begins at once; empty: none
  double speed = 1;           // so many times as fast as the real one goes the tenant's clock; at most 3600
  std::string record_file;    // where exchanges are written to; empty: nowhere
  std::string
      upstream;  // the real API that answers, so that it can be recorded; empty: the pretend tenant does
  std::string replay_file;    // a recording that answers instead of the pretend tenant; empty: none
  double action_seconds = 2;  // so long a machine action takes
  std::size_t machines = 200;
  std::string tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3";
  std::string client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
  std::string client_secret = "sim-secret";
  std::vector<std::string> roles;  // granted to the app; empty: all
  std::int64_t token_seconds = 3599;
  bool has_quota = true;
  std::string smtp_user, smtp_password;  // empty: any login is right
  bool smtp_requires_login = false;
  bool smtp_requires_tls = false;  // STARTTLS is offered in any case
};

struct SimAnswer {
  int status = 0;  // 0 when the simulator has stopped
  std::string body;
};

class Sim {
 public:
  // Listens when it returns. An Error names the port, or the file and what is wrong in it.
  static Result<std::unique_ptr<Sim>> start(SimOptions options);
  ~Sim();  // stops

  std::uint16_t port() const;
  std::uint16_t smtp_port() const;
  std::uint16_t smtps_port() const;
  const std::string& authority() const;  // the certificate to trust the mail server by, in PEM
  std::string url() const;               // `http://127.0.0.1:8123`

  // What an HTTP request would get, without the network: sim.ask("POST", "/sim/alerts",
  // R"({"severity":"High"})").
  SimAnswer ask(std::string method, std::string target, std::string body = {});

  void stop();

 private:
  struct Impl;
  explicit Sim(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Runs until SIGINT or SIGTERM; gives the exit status. Says on stdout where it listens.
int run_sim(SimOptions options);

}  // namespace flow
