// Makes the message of one call: an HTTP request or a mail, from the route's templates.
#pragma once

#include <string>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"
#include "stdlib/executor/template.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/mail/smtp.hpp"

namespace flow {

// Keeps the secrets that one exchange used, to take them out of what is told about it.
class Redaction {
 public:
  void add(std::string secret);
  std::string cleaned(std::string text) const;
  Outcome cleaned(Outcome outcome) const;

 private:
  std::vector<std::string> secrets_;
};

// The route that the configuration chooses: by `connector.operation`, by `connector`, else the first.
Result<const Route*> chosen_route(const Operation& operation, const TenantAccess& access);

struct CallText {
  const Operation& operation;
  const Route& route;
  const Connector& connector;
  const TenantAccess& access;
  const JsonValue& arguments;
  std::string_view key;
  std::int64_t now_us = 0;
};

TemplateScope scope_of(const CallText& call);
Result<HttpHeaders> header_list(const CallText& call, Redaction& redaction);
// Whether the configuration lets the call say what it says: the route's AllowRules.
Status check_allowed(const CallText& call);

// Where the connector of the call is, for this tenant; without a `/` at its end, and empty when nobody says.
std::string base_of(const Connector& connector, const TenantAccess& access);

// Without the connector's credential; its address is only a path when that is the secret. Secrets of
// arguments are in it, and known to `redaction`.
Result<HttpRequest> http_request(const CallText& call, Redaction& redaction);
// The second request of a route that changes what its first one read (overlay.hpp), which `answer` is.
Result<HttpRequest> change_request(const CallText& call, const JsonValue& answer, Redaction& redaction);
Result<MailMessage> mail_message(const CallText& call, Redaction& redaction);

}  // namespace flow
