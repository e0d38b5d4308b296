#include "apps/sim/model.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/error_shapes.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/scenario.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kLongestLoggedPath = 300;

HttpAnswer token(State& state, const Call& call) {
  return issue_token(state, call.question, call.id);
}

// What is not Defender's (that is defender_routes.def). More specific patterns stand before those that would
// also match.
constexpr SimOperation kModelOperations[] = {
    {"downloads.follow", "GET", "/downloads/{id}", Audience::None, "", 0, 0, follow_link},
    {"identity.token", "POST", "/{id}/oauth2/v2.0/token", Audience::None, "", 0, 0, token},
    {"identity.devicecode", "POST", "/{id}/oauth2/v2.0/devicecode", Audience::None, "", 0, 0,
     start_device_sign_in},
    {"identity.metadata", "GET", "/metadata/identity/oauth2/token", Audience::None, "", 0, 0,
     managed_identity_token},
    {"identity.service", "GET", "/msi/token", Audience::None, "", 0, 0, managed_identity_token},
    {"graph.sendMail", "POST", "/v1.0/users/{id}/sendMail", Audience::Graph, "Mail.Send", 0, 0, send_mail},
    {"graph.messages", "GET", "/v1.0/users/{id}/messages", Audience::Graph,
     "Mail.ReadBasic.All,Mail.Read,Mail.ReadWrite", 0, 0, list_messages},
};

// `/api/v1.0/…` is `/api/…`.
void drop_version(std::vector<std::string>& segments) {
  if (segments.size() > 2 && equals_ignoring_case(segments[0], "api") &&
      equals_ignoring_case(segments[1], "v1.0"))
    segments.erase(segments.begin() + 1);
}

HttpAnswer unknown_path(State& state, const std::string& line) {
  const std::string message = "No HTTP resource was found that matches the request " + line;
  const bool is_graph = line.find(" /v1.0/") != std::string::npos;
  return is_graph ? graph_error(state, 404, "ResourceNotFound", message)
                  : defender_error(state, 404, "NotFound", message);
}

std::string group_of(const SimOperation& operation) {
  return operation.has_own_quota() ? std::string(operation.name) : "defender";
}

// Counts the call, or says when the next one is welcome.
std::optional<HttpAnswer> over_quota(State& state, const SimOperation& operation) {
  if (operation.audience != Audience::Defender && !operation.has_own_quota()) return std::nullopt;
  const std::int64_t now = state.now_us();
  CallCounter& counter = state.call_counters[group_of(operation)];
  const auto [per_minute, per_hour] = quota_of(state, &operation);
  const std::int64_t hour = per_hour > 0 ? counter.wait_seconds(now, 3600, per_hour) : 0;
  const std::int64_t minute = per_minute > 0 ? counter.wait_seconds(now, 60, per_minute) : 0;
  const std::int64_t wait = state.client_seconds(std::max(hour, minute));
  if (!state.quotas.is_on || wait == 0) {
    counter.add(now);
    return std::nullopt;
  }
  const std::string message = fmt::format(
      "API calls quota exceeded! Maximum allowed {} per {} for the key Destination+TenantID+AppID. You can "
      "send "
      "requests again in {} seconds.",
      hour > 0 ? per_hour : per_minute, hour > 0 ? "01:00:00" : "00:01:00", wait);
  // Graph does not say how long to wait.
  if (operation.audience == Audience::Graph)
    return graph_error(state, 429, "TooManyRequests", "Too many requests: " + message);
  HttpAnswer answer = json_answer(
      429,
      Json::object(
          {{"error",
            Json::object({{"code", "429"}, {"message", message}, {"target", state.options.tenant_id}})}}));
  answer.headers.emplace_back("Retry-After", std::to_string(wait));
  return answer;
}

HttpAnswer execute(State& state, const SimOperation& operation, Call& call) {
  OperationCount& count = state.operation_counts[std::string(operation.name)];
  ++count.calls;
  if (operation.audience != Audience::None) {
    state.api_calls.add(state.now_us());
    HttpAnswer refusal;
    call.token = authorize(state, call.question, operation, refusal);
    if (call.token == nullptr) return refusal;
    if (auto answer = over_quota(state, operation)) return *answer;
  }
  HttpAnswer answer = operation.run(state, call);
  if (answer.status < 300) ++count.executed;
  return answer;
}

HttpAnswer faulty_answer(State& state, const InjectedFault& fault, const SimOperation* operation,
                         std::string_view path) {
  if (fault.status < 400) return json_answer(fault.status, Json::object());
  const std::string_view message =
      fault.message.empty() ? "A failure that was asked for." : std::string_view(fault.message);
  return service_error(state, operation, path, fault.status, fault.code, message);
}

void spoil(HttpAnswer& answer, const InjectedFault& fault) {
  answer.delay_ms = fault.delay_ms;
  if (fault.retry_after > 0) answer.headers.emplace_back("Retry-After", std::to_string(fault.retry_after));
  if (!fault.reset.empty()) answer.wire = Wire::Reset;
  if (fault.body == "empty") answer.body.clear();
  if (fault.body == "malformed") answer.body = answer.body.substr(0, answer.body.size() / 2) + "<html>";
  if (fault.body == "garbage") answer.wire = Wire::Garbage;
  if (fault.body == "cut") answer.wire = Wire::Cut;
  if (fault.body == "endless") answer.wire = Wire::Endless;
}

std::string fault_summary(const InjectedFault& fault) {
  std::string text;
  if (fault.status != 0) text += "status " + std::to_string(fault.status) + ", ";
  if (fault.delay_ms != 0) text += "delay " + std::to_string(fault.delay_ms) + " ms, ";
  if (!fault.reset.empty()) text += "reset " + fault.reset + ", ";
  if (!fault.body.empty()) text += "body " + fault.body + ", ";
  if (!text.empty()) text.resize(text.size() - 2);
  return text;
}

void record(State& state, RequestRecord entry) {
  ++state.requests_total;
  ++state.request_counts[fmt::format("{} {}", entry.operation, entry.status)];
  if (entry.path.size() > kLongestLoggedPath) entry.path.resize(kLongestLoggedPath);
  state.requests.push_back(std::move(entry));
  if (state.requests.size() > kMostRequests) state.requests.pop_front();
}

}  // namespace

HttpAnswer json_answer(int status, const Json& body) {
  HttpAnswer answer;
  answer.status = status;
  answer.body = body.to_text();
  return answer;
}

HttpAnswer defender_error(State& state, int status, std::string_view code, std::string_view message) {
  return json_answer(
      status, Json::object(
                  {{"error",
                    Json::object({{"code", code}, {"message", message}, {"target", guid(*state.random)}})}}));
}

HttpAnswer graph_error(State& state, int status, std::string_view code, std::string_view message) {
  const std::string request_id = guid(*state.random);
  Json inner =
      Json::object({{"date", format_ticks(state.now_us()).substr(0, 19)}, {"request-id", request_id}});
  inner.set("client-request-id", request_id);
  HttpAnswer answer = json_answer(
      status,
      Json::object({{"error", Json::object({{"code", code}, {"message", message}, {"innerError", inner}})}}));
  answer.headers.emplace_back("request-id", request_id);
  return answer;
}

std::pair<std::int64_t, std::int64_t> quota_of(const State& state, const SimOperation* operation) {
  if (operation != nullptr && operation->has_own_quota()) return {operation->per_minute, operation->per_hour};
  return {state.quotas.per_minute, state.quotas.per_hour};
}

std::span<const SimOperation> other_operations() {
  return kModelOperations;
}

void CallCounter::add(std::int64_t now_us) {
  const std::int64_t second = now_us / 1'000'000;
  while (!seconds_.empty() && seconds_.front().first <= second - 3600) seconds_.pop_front();
  if (seconds_.empty() || seconds_.back().first != second) seconds_.emplace_back(second, 0);
  ++seconds_.back().second;
}

std::int64_t CallCounter::within(std::int64_t now_us, std::int64_t seconds) const {
  std::int64_t calls = 0;
  for (const auto& [second, count] : seconds_)
    if (second > now_us / 1'000'000 - seconds) calls += count;
  return calls;
}

std::int64_t CallCounter::wait_seconds(std::int64_t now_us, std::int64_t seconds, std::int64_t limit) const {
  std::int64_t calls = within(now_us, seconds);
  const std::int64_t now = now_us / 1'000'000;
  for (const auto& [second, count] : seconds_) {
    if (calls < limit) return 0;
    if (second <= now - seconds) continue;
    calls -= count;
    if (calls < limit) return second + seconds - now;
  }
  return calls < limit ? 0 : seconds;
}

void fill_tenant(State& state) {
  for (Json& machine : make_machines(*state.random, state.options.machines, state.now_us()))
    static_cast<void>(add_machine(state, std::move(machine)));
  fill_remediations(state);
}

void advance(State& state) {
  while (!state.arriving.empty() && state.arriving.front() <= state.now_us()) {
    Json alert = make_alert(*state.random, state.machines, state.options.tenant_id, state.arriving.front());
    state.arriving.pop_front();
    static_cast<void>(add_alert(state, std::move(alert)));  // a full tenant takes no more
  }
  advance_scenario(state);
  advance_actions(state);
  advance_investigations(state);
  advance_indicators(state);
  advance_mail_operations(state);
}

Tenant::Tenant(TenantOptions options, const Clock& clock, Random& random)
    : state_(std::make_unique<State>()) {
  state_->options = std::move(options);
  state_->clock = &clock;
  state_->random = &random;
  state_->roles = state_->options.roles.empty() ? all_roles() : state_->options.roles;
  state_->quotas.is_on = state_->options.has_quota;
  state_->set_speed(state_->options.speed);
  fill_tenant(*state_);
}
Tenant::~Tenant() = default;

Status Tenant::load_alerts(std::string_view text) {
  FLOW_TRY(const Json json, parse_json(text));
  const Json& list = json.is_object() ? json["value"] : json;
  if (!list.is_list()) return error("alerts must be a JSON array, or an object whose `value` is one");
  Json::List added;
  return load_alert_list(*state_, list, added);
}

Status Tenant::load_scenario(std::string_view text) {
  return begin_scenario_text(*state_, text);
}

HttpAnswer Tenant::handle(const HttpQuestion& question) {
  State& state = *state_;
  advance(state);
  auto target = parse_target(question.target);
  if (!target) return defender_error(state, 400, "BadRequest", "The request target is malformed.");
  if (!target->segments.empty() && target->segments[0] == "sim") return control(state, question, *target);
  drop_version(target->segments);
  std::string path;
  for (const std::string& segment : target->segments) path += "/" + segment;
  const std::string method = question.method == "HEAD" ? "GET" : question.method;
  const std::string line = method + " " + path;

  Call call{question, std::move(*target), "", nullptr, {}};
  const SimOperation* operation = find_operation(method, call.target.segments, call.captured);
  if (!call.captured.empty()) call.id = call.captured.front();
  const std::optional<InjectedFault> fault = take_fault(state, line);
  const bool executes = !fault || fault->executes;
  HttpAnswer answer;
  if (executes) answer = operation != nullptr ? execute(state, *operation, call) : unknown_path(state, line);
  if (fault && fault->status != 0) answer = faulty_answer(state, *fault, operation, path);
  if (fault) spoil(answer, *fault);
  record(state,
         {state.now_us(), method, path, operation != nullptr ? std::string(operation->name) : "unknown",
          fault && !fault->reset.empty() ? 0 : answer.status, fault ? fault_summary(*fault) : ""});
  return answer;
}

void Tenant::receive(std::string envelope_from, std::vector<std::string> envelope_to, MailMessage message) {
  Mail mail;
  mail.via = "smtp";
  mail.json = Json::object({{"via", "smtp"}, {"time", format_ticks(state_->now_us())}});
  mail.json.set("from", message.from).set("to", Json::texts(message.to)).set("cc", Json::texts(message.cc));
  mail.json.set("envelopeFrom", envelope_from).set("envelopeTo", Json::texts(envelope_to));
  mail.json.set("subject", message.subject).set("messageId", message.message_id);
  mail.json.set("text", message.text)
      .set("html", message.html)
      .set("attachments", Json::texts(message.attachments));
  Json headers = Json::list();
  for (const auto& [name, value] : message.headers)
    headers.add(Json::object({{"name", name}, {"value", value}}));
  mail.json.set("headers", std::move(headers)).set("bytes", message.bytes);
  record(*state_,
         {state_->now_us(), "SMTP", "/" + (envelope_to.empty() ? "" : envelope_to[0]), "smtp.mail", 250, ""});
  store_mail(*state_, std::move(mail));
}

bool Tenant::is_mail_token(std::string_view token) const {
  const auto found = state_->tokens.find(std::string(token));
  return found != state_->tokens.end() && found->second.audience == Audience::Outlook &&
         found->second.expires_us > state_->now_us();
}

std::optional<SmtpFault> Tenant::smtp_fault(std::string_view command) {
  const auto fault = take_fault(*state_, "SMTP " + std::string(command));
  if (!fault) return std::nullopt;
  return SmtpFault{fault->reset.empty() ? (fault->status != 0 ? fault->status : 451) : 0, fault->executes};
}

}  // namespace flow::sim
