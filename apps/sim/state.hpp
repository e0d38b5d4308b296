// What the tenant holds, and the words its parts (model_*.cpp) share. Included by nothing else.
#pragma once

#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "apps/sim/defender_data.hpp"
#include "apps/sim/identity_proofs.hpp"
#include "apps/sim/json.hpp"
#include "apps/sim/model.hpp"
#include "apps/sim/odata.hpp"
#include "apps/sim/url.hpp"

namespace flow::sim {

inline constexpr std::size_t kMostAlerts = 100'000;
inline constexpr std::size_t kMostActions = 100'000;
inline constexpr std::size_t kMostMachines = 20'000;
inline constexpr std::size_t kMostMails = 20'000;     // the oldest goes
inline constexpr std::size_t kMostRequests = 10'000;  // of the log; the oldest goes
inline constexpr double kMostSpeed = 3'600;
inline constexpr std::size_t kMostTokens = 1'000;  // the oldest goes

enum class Audience : std::uint8_t {
  None,
  Defender,
  Graph,
  Xdr,
  Arm,
  LogAnalytics,
  Vault,
  Communication,  // Azure Communication Services
  Outlook,        // SMTP and IMAP of Exchange Online
  Google,         // its roles are scopes
};

struct AccessToken {
  Audience audience = Audience::None;
  std::vector<std::string> roles;
  std::int64_t expires_us = 0;
  std::string user = {};  // whose it is, where it is somebody's
};

struct MachineAction {
  Json json;
  std::string machine_id;
  std::string type;   // `Isolate`
  std::string scope;  // shown once it has succeeded; empty: null
  std::int64_t starts_us = 0, ends_us = 0;
  std::string detail;  // what it acts on within the device: the SHA-1 of a file
  std::string outcome = "Succeeded";
  bool is_final = false;
  bool waits_for_device = false;  // until the device reports, or the time in `ends_us` is over
  PlannedOutcome plan;            // how it will go once it runs
};

struct Mail {
  std::string via;  // `graph`, `smtp`, `gmail` or `acs`
  Json json;        // as GET /sim/mails shows it
  // Only of Graph: the mailbox, and the message as GET …/messages shows it; null when not saved to Sent
  // Items.
  std::string mailbox;
  Json message;
};

// One thing to go wrong, asked for with POST /sim/faults.
struct InjectedFault {
  std::string match;
  std::int64_t times = 1, used = 0;
  int status = 0;  // 0: the real answer
  std::string code, message;
  std::int64_t delay_ms = 0, retry_after = 0;
  std::string reset, body;  // empty, or as in the request
  bool executes = false;
};

// Calls of the last hour, by the second.
class CallCounter {
 public:
  void add(std::int64_t now_us);
  std::int64_t within(std::int64_t now_us, std::int64_t seconds) const;
  // Seconds until fewer than `limit` calls lie within the window; 0 when that is so now.
  std::int64_t wait_seconds(std::int64_t now_us, std::int64_t seconds, std::int64_t limit) const;

 private:
  std::deque<std::pair<std::int64_t, std::int64_t>> seconds_;  // second, calls
};

struct RequestRecord {
  std::int64_t time_us = 0;
  std::string method, path, operation;
  int status = 0;
  std::string fault;  // what an injected fault did; empty: nothing
};

struct OperationCount {
  std::int64_t calls = 0, executed = 0;
};

struct Quotas {
  bool is_on = true;
  std::int64_t per_minute = 100, per_hour = 1500;  // of the operations without an own limit, together
};

struct Hunting;      // hunting.hpp
struct GraphData;    // graph_data.hpp
struct ThirdParty;   // third_party.hpp
struct MailDoubles;  // mail_doubles.hpp

struct State {
  TenantOptions options;
  const Clock* clock = nullptr;
  Random* random = nullptr;

  std::vector<std::string> roles;  // granted now; a token keeps those of its making
  Quotas quotas;
  std::string action_outcome = "Succeeded";
  std::unordered_map<std::string, AccessToken> tokens;
  std::deque<std::string> token_order;
  IdentityProofs identity;

  std::vector<Json> machines;
  std::unordered_map<std::string, std::size_t> machine_index;  // id, and lower-case DNS name
  std::set<std::string> isolated, restricted, offboarded;      // machine ids
  std::set<std::string> quarantined;                           // `machine id/SHA-1`
  std::vector<Json> alerts;                                    // by arrival
  std::unordered_map<std::string, std::size_t> alert_index;
  std::deque<std::int64_t> arriving;  // times of alerts to come, rising
  std::vector<MachineAction> actions;
  std::unordered_map<std::string, std::size_t> action_index;
  std::vector<std::size_t> open_actions;
  std::deque<Mail> mails;
  std::map<std::string, std::int64_t> mail_counts{
      {"graph", 0}, {"smtp", 0}, {"gmail", 0}, {"acs", 0}};  // by `via`

  DefenderData defender;
  // Made when first wanted.
  std::shared_ptr<Hunting> hunting;
  std::shared_ptr<GraphData> graph;
  std::shared_ptr<ThirdParty> third_party;
  std::shared_ptr<MailDoubles> mail_doubles;
  std::uint64_t machine_changes = 0;  // grows with each added or changed device

  std::vector<InjectedFault> faults;
  std::deque<RequestRecord> requests;
  std::int64_t requests_total = 0;
  std::map<std::string, std::int64_t> request_counts;  // `GET /api/alerts 200`
  std::map<std::string, OperationCount> operation_counts;
  std::map<std::string, CallCounter> call_counters;  // by quota group
  CallCounter api_calls;

  // The tenant's time goes `speed` times as fast as the clock, from the moment at which that was set.
  double speed = 1;
  std::int64_t sped_up_at_us = 0, clock_then_us = 0;
  std::int64_t now_us() const {
    if (speed == 1) return clock->now_us() - clock_then_us + sped_up_at_us;
    return sped_up_at_us +
           static_cast<std::int64_t>(static_cast<double>(clock->now_us() - clock_then_us) * speed);
  }
  void set_speed(double factor) {
    sped_up_at_us = now_us();
    clock_then_us = clock->now_us();
    speed = factor;
  }
  // So many seconds of the tenant as a client's clock counts them, rounded up.
  std::int64_t client_seconds(std::int64_t seconds) const {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(seconds) / speed));
  }
};

// One request, understood.
struct Call {
  const HttpQuestion& question;
  Target target;
  std::string id;  // of the path's {id}
  const AccessToken* token = nullptr;
  std::vector<std::string> captured;  // what stood for the path's placeholders, in order; the first is `id`
};

// One operation of the pretend APIs. defender_routes.def and kOperations (model.cpp) are the lists.
struct SimOperation {
  std::string_view name;  // `machines.isolate`
  std::string_view method;
  std::string_view pattern;  // `/api/machines/{id}/isolate`
  Audience audience;
  std::string_view roles;  // any one suffices; separated by commas
  std::int64_t per_minute,
      per_hour;  // own limits; both 0: the shared ones hold; one of them 0: no such limit
  HttpAnswer (*run)(State&, const Call&);

  bool has_own_quota() const { return per_minute > 0 || per_hour > 0; }
};

// Answers
HttpAnswer json_answer(int status, const Json& body);
HttpAnswer defender_error(State& state, int status, std::string_view code, std::string_view message);
HttpAnswer graph_error(State& state, int status, std::string_view code, std::string_view message);

// routes.cpp
const std::vector<std::span<const SimOperation>>& operation_tables();
std::vector<std::string> all_roles();                  // that some operation needs
std::vector<std::string> roles_of(Audience audience);  // that some of its operations need
std::vector<std::string> split_roles(std::string_view roles);
const SimOperation* find_operation(std::string_view method, const std::vector<std::string>& segments,
                                   std::vector<std::string>& captured);
const SimOperation* operation_named(std::string_view name);
std::vector<std::string> operation_names();

// model.cpp
std::span<const SimOperation> other_operations();  // those that are not Defender's
// Calls a minute and an hour that the operation, or with null the common group, may make; 0: no such limit.
std::pair<std::int64_t, std::int64_t> quota_of(const State& state, const SimOperation* operation);
void fill_tenant(State& state);
void advance(State& state);  // lets arrivals arrive and actions go on, up to now

// model_identity.cpp
HttpAnswer issue_token(State& state, const HttpQuestion& question, const std::string& tenant);
// Null with `refusal` set when the question carries no valid token for the audience.
const AccessToken* authorize(State& state, const HttpQuestion& question, const SimOperation& operation,
                             HttpAnswer& refusal);

void remember_token(State& state, const std::string& text, AccessToken token);  // the oldest goes

// A token for `resource`, as the machine's identity gets it; a service's door does not say `expires_in`.
HttpAnswer managed_token(State& state, const std::string& resource, bool is_service);

// model_sign_in.cpp
HttpAnswer start_device_sign_in(State& state, const Call& call);
HttpAnswer managed_identity_token(State& state, const Call& call);
Result<Json> set_identity(State& state, const Json& body);
Json shown_identity(const State& state);

// model_alerts.cpp
Json* find_alert(State& state, const std::string& id);  // null when there is none
// Sets what `body` (status, assignedTo, classification, determination, comment) holds; `author` wrote the
// comment.
void change_alert(State& state, Json& alert, const Json& body, const std::string& author);
// The alert that `given` describes, with what it leaves out made up. The Error names the field.
Result<Json> complete_alert(State& state, const Json& given);
Status add_alert(State& state, Json alert);  // fails when the id is taken or the tenant is full

// model_machines.cpp
const Json* find_machine(const State& state, std::string_view id_or_name);
Json* mutable_machine(State& state, std::string_view id_or_name);
void change_tag(Json& machine, std::string_view tag, bool is_added);
Status add_machine(State& state, Json machine);
Result<Json> complete_machine(State& state, const Json& given);

// model_actions.cpp
void advance_actions(State& state);

// model_investigations.cpp
void advance_investigations(State& state);
std::vector<Json> investigations_of(const State& state);  // newest first; those of alerts after the others

// model_library.cpp
// A file with `fileName`, `content` and perhaps `description`, `hasParameters`, `parametersDescription`.
Status add_library_file(State& state, const Json& given);

// model_posture.cpp
void fill_remediations(State& state);
// Asks for `software` (`contoso-_-browser`) to be updated; the Error says that there is none.
Result<Json> add_remediation(State& state, std::string_view software, std::int64_t created_us);

// model_indicators.cpp
// What POST /api/indicators takes, made by `author`; the Error says what is wrong with it.
Status add_indicator(State& state, const Json& given, const std::string& author);
void advance_indicators(State& state);

// model_downloads.cpp
HttpAnswer follow_link(State& state, const Call& call);

// model_graph.cpp
HttpAnswer send_mail(State& state, const Call& call);
HttpAnswer list_messages(State& state, const Call& call);
void store_mail(State& state, Mail mail);

// model_control.cpp
HttpAnswer control(State& state, const HttpQuestion& question, const Target& target);
// Settings as POST /sim/config takes them: all of them, or none and an Error that names the wrong one.
Status configure(State& state, const Json& body);
Status load_alert_list(State& state, const Json& list, Json::List& added);

// model_faults.cpp
// The first fault that has uses left and matches `METHOD /path`; counts the use.
std::optional<InjectedFault> take_fault(State& state, const std::string& line);
bool glob_matches(std::string_view pattern, std::string_view text);
HttpAnswer list_faults(const State& state);
HttpAnswer add_faults(State& state, const Json& body);

// Reading bodies of the control pages: an Error names the unknown key and the one probably meant.
Status check_keys(const Json& object, const std::vector<std::string>& known, std::string_view where);

}  // namespace flow::sim
