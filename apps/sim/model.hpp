// The pretend tenant without a network: one object that answers as the token endpoint, Defender, Graph and
// the control pages would. Time and chance come in through Clock and Random, so a test can drive days of it
// in milliseconds. Not thread-safe: whoever owns it calls it from one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/http_message.hpp"
#include "apps/sim/mail_message.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace flow::sim {

struct TenantOptions {
  std::string tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3";
  std::string client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
  std::string client_secret = "sim-secret";
  std::vector<std::string> roles;  // granted to the app; empty: all that the tenant's operations need
  std::size_t machines = 200;
  double action_seconds = 2;  // from a machine action's request to its end
  std::int64_t token_seconds = 3599;
  bool has_quota = true;
  double speed = 1;  // the tenant's clock goes so many times as fast as the one it is given
};

// What an SMTP command is answered with instead of being carried out.
struct SmtpFault {
  int status = 0;         // 4xx or 5xx; 0: no answer, the connection closes
  bool executes = false;  // carried out first (only what follows DATA)
};

class Tenant {
 public:
  // `clock` and `random` must outlive the tenant.
  Tenant(TenantOptions options, const Clock& clock, Random& random);
  ~Tenant();

  // `json` is an array of alerts or {"value": [...]}; what an alert leaves out is made up. All are added, or
  // none.
  Status load_alerts(std::string_view json);

  // Lets the story of a scenario file begin now. The Error begins with line and column; nothing has changed
  // then.
  Status load_scenario(std::string_view json);

  HttpAnswer handle(const HttpQuestion& question);

  // A mail that arrived over SMTP.
  void receive(std::string envelope_from, std::vector<std::string> envelope_to, MailMessage message);
  // The fault that POST /sim/faults asked for at `command` (`MAIL`, `RCPT`, `DATA`, `AUTH`, `STARTTLS`);
  // counts as one use.
  std::optional<SmtpFault> smtp_fault(std::string_view command);
  // Whether a token was issued for mail by SMTP and still is good.
  bool is_mail_token(std::string_view token) const;

 private:
  std::unique_ptr<struct State> state_;
};

}  // namespace flow::sim
