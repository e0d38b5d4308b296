// What the tenant holds, and the words its parts (model_*.cpp) share. Included by nothing else.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

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
inline constexpr std::size_t kMostTokens = 1'000;     // the oldest goes

enum class Audience : std::uint8_t { None, Defender, Graph, Other };

struct AccessToken {
  Audience audience = Audience::None;
  std::vector<std::string> roles;
  std::int64_t expires_us = 0;
};

struct MachineAction {
  Json json;
  std::string machine_id;
  std::string type;   // `Isolate`
  std::string scope;  // shown once it has succeeded; empty: null
  std::int64_t starts_us = 0, ends_us = 0;
  std::string outcome = "Succeeded";
  bool is_final = false;
};

struct Mail {
  std::string via;  // `graph` or `smtp`
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
  std::set<std::string> isolated, restricted;                  // machine ids
  std::vector<Json> alerts;                                    // by arrival
  std::unordered_map<std::string, std::size_t> alert_index;
  std::deque<std::int64_t> arriving;  // times of alerts to come, rising
  std::vector<MachineAction> actions;
  std::unordered_map<std::string, std::size_t> action_index;
  std::vector<std::size_t> open_actions;
  std::deque<Mail> mails;
  std::int64_t graph_mails = 0, smtp_mails = 0;

  std::vector<InjectedFault> faults;
  std::deque<RequestRecord> requests;
  std::int64_t requests_total = 0;
  std::map<std::string, std::int64_t> request_counts;  // `GET /api/alerts 200`
  std::map<std::string, OperationCount> operation_counts;
  std::map<std::string, CallCounter> call_counters;  // by quota group
  CallCounter api_calls;

  std::int64_t now_us() const { return clock->now_us(); }
};

// One request, understood.
struct Call {
  const HttpQuestion& question;
  Target target;
  std::string id;  // of the path's {id}
  const AccessToken* token = nullptr;
};

// One operation of the pretend APIs. kOperations (model.cpp) is the list.
struct SimOperation {
  std::string_view name;  // `machines.isolate`
  std::string_view method;
  std::string_view pattern;  // `/api/machines/{id}/isolate`
  Audience audience;
  std::string_view roles;             // any one suffices; separated by commas
  std::int64_t per_minute, per_hour;  // an own limit; 0: none, the shared one holds
  HttpAnswer (*run)(State&, const Call&);
};

// Answers
HttpAnswer json_answer(int status, const Json& body);
HttpAnswer defender_error(State& state, int status, std::string_view code, std::string_view message);
HttpAnswer graph_error(State& state, int status, std::string_view code, std::string_view message);

// model.cpp
std::vector<std::string> all_roles();  // that some operation needs
std::vector<std::string> split_roles(std::string_view roles);
const SimOperation* find_operation(std::string_view method, const std::vector<std::string>& segments,
                                   std::string& id);
std::vector<std::string> operation_names();
void fill_tenant(State& state);
void advance(State& state);  // lets arrivals arrive and actions go on, up to now

// model_identity.cpp
HttpAnswer issue_token(State& state, const HttpQuestion& question, const std::string& tenant);
// Null with `refusal` set when the question carries no valid token for the audience.
const AccessToken* authorize(State& state, const HttpQuestion& question, const SimOperation& operation,
                             HttpAnswer& refusal);

// A token for `resource`, as the machine's identity gets it; a service's door does not say `expires_in`.
HttpAnswer managed_token(State& state, const std::string& resource, bool is_service);

// model_sign_in.cpp
HttpAnswer start_device_sign_in(State& state, const Call& call);
HttpAnswer managed_identity_token(State& state, const Call& call);
Result<Json> set_identity(State& state, const Json& body);
Json shown_identity(const State& state);

// model_alerts.cpp
HttpAnswer list_alerts(State& state, const Call& call);
HttpAnswer get_alert(State& state, const Call& call);
HttpAnswer get_alert_machine(State& state, const Call& call);
HttpAnswer update_alert(State& state, const Call& call);
HttpAnswer update_alerts(State& state, const Call& call);
HttpAnswer list_machine_alerts(State& state, const Call& call);
HttpAnswer count_machine_alerts(State& state, const Call& call);
// The alert that `given` describes, with what it leaves out made up. The Error names the field.
Result<Json> complete_alert(State& state, const Json& given);
Status add_alert(State& state, Json alert);  // fails when the id is taken or the tenant is full

// model_machines.cpp
HttpAnswer list_machines(State& state, const Call& call);
HttpAnswer get_machine(State& state, const Call& call);
HttpAnswer update_machine(State& state, const Call& call);
HttpAnswer tag_machine(State& state, const Call& call);
const Json* find_machine(const State& state, std::string_view id_or_name);
Status add_machine(State& state, Json machine);
Result<Json> complete_machine(State& state, const Json& given);

// model_actions.cpp
HttpAnswer isolate(State& state, const Call& call);
HttpAnswer unisolate(State& state, const Call& call);
HttpAnswer restrict_code(State& state, const Call& call);
HttpAnswer unrestrict_code(State& state, const Call& call);
HttpAnswer scan(State& state, const Call& call);
HttpAnswer collect_package(State& state, const Call& call);
HttpAnswer list_actions(State& state, const Call& call);
HttpAnswer get_action(State& state, const Call& call);
HttpAnswer cancel_action(State& state, const Call& call);
HttpAnswer get_package_uri(State& state, const Call& call);
void advance_actions(State& state);

// model_graph.cpp
HttpAnswer send_mail(State& state, const Call& call);
HttpAnswer list_messages(State& state, const Call& call);
void store_mail(State& state, Mail mail);

// model_control.cpp
HttpAnswer control(State& state, const HttpQuestion& question, const Target& target);
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
