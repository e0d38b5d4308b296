// Carries operations out: one Operation plus arguments becomes one exchange over HTTP or SMTP, and its answer
// an Outcome. It holds no state of runs; repeating, limiting and journaling are the runtime's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.hpp"
#include "stdlib/executor/credential.hpp"
#include "stdlib/executor/template.hpp"
#include "stdlib/http/egress.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/token_source.hpp"
#include "stdlib/mail/smtp.hpp"
#include "vm/bytecode/call.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// Where and as whom one tenant's operations are carried out.
struct TenantAccess {
  std::string tenant_id;
  std::string client_id;
  std::string authority = "https://login.microsoftonline.com";
  SecretProvider client_secret;
  // In place of the secret, as in a TokenRequest.
  AssertionProvider assertion;
  std::shared_ptr<const TokenRequest> assertion_from;
  std::shared_ptr<const TokenDoor> door;
  SecretProvider refresh_token;
  std::function<void(const std::string&)> renewed;
  std::map<std::string, std::string> bases;   // connector to address, instead of the declared one
  std::map<std::string, std::string> scopes;  // connector to OAuth scope, instead of the declared one
  std::map<std::string, ConnectorCredential> credentials;  // by connector
  std::map<std::string, std::string> settings;             // `connector.key` to value, as `mail.sender`
  std::map<std::string, std::string> routes;  // `connector.operation` or `connector` to the name of a route
  RevealSecret secret;                        // for the marker {"$secret": "name"}
  std::optional<SmtpServer> smtp;
  SecretProvider smtp_password;  // Login::Password
  std::string smtp_scope;        // Login::Bearer: the token's scope
};

struct OperationRequest {
  std::string tenant;              // key given to configure()
  const Module* module = nullptr;  // must stay until `done` was called
  std::uint32_t operation = 0;     // index into module->operations
  std::string arguments;           // JSON object
  std::string key;                 // idempotency key, the same each time this call of this run is made
  std::int64_t deadline_us = 30'000'000;
};

// A request that was answered and goes on: what it gave.
struct BegunRequest {
  OperationRequest request;
  std::string result;
};

struct CallHappened {
  std::string json;
};                           // it did; this is its result
struct CallDidNotHappen {};  // certainly not: it may be made again
struct CallUnknown {
  Fault fault;
};
using CallFinding = std::variant<CallHappened, CallDidNotHappen, CallUnknown>;

struct WaysOut {
  Transport* third = nullptr;    // of connectors with credentials of their own; none: the same as all others
  Transport* guarded = nullptr;  // of what flows address themselves: it resolves names by Egress::guarded()
};

class OperationExecutor {
 public:
  // All must outlive this object and every call it began. Without `mail` SMTP routes are faults.
  OperationExecutor(Transport& transport, TokenSource& tokens, const Clock& clock,
                    SmtpSender* mail = nullptr);
  ~OperationExecutor();
  OperationExecutor(const OperationExecutor&) = delete;
  OperationExecutor& operator=(const OperationExecutor&) = delete;

  // Where else calls go out, and where what flows address themselves may go, for calls from now on. Both
  // transports must outlive this object and every call it began. From any thread.
  void open(WaysOut ways, Egress egress);

  // Sets or replaces a tenant's access. Calls under way keep what they began with. From any thread.
  void configure(const std::string& tenant, TenantAccess access);

  // Makes the call, once; only an answer of 401 is followed by a second try with a new token. Calls `done`
  // exactly once, from any thread, perhaps before perform() returns. Neither secrets nor tokens are in what
  // it gets.
  void perform(OperationRequest request, std::function<void(Outcome)> done);

  // Asks how far that is which `request` began: performs the operation's Completion with the request's
  // arguments and its `result`, a JSON text. An operation without one is a fault.
  void progress(OperationRequest request, std::string_view result, std::function<void(Outcome)> done);

  // The same of several requests at once, by the list that stands for their completing operation (Several),
  // in one call as the first of them. The answer is a JSON list: at each one's place what progress() would
  // give, or null where the list has nothing of it.
  void progress_of_several(std::vector<BegunRequest> begun, std::function<void(Outcome)> done);

  // Finds out by the route's CrashRule whether an in-doubt call happened; the default is Repeat for reads (so
  // it "did not happen") and Ask for the rest (so nobody knows).
  void settle(OperationRequest request, std::function<void(CallFinding)> done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace flow
