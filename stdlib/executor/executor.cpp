#include "stdlib/executor/executor.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "stdlib/executor/egress_call.hpp"
#include "stdlib/executor/paging.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/executor/response.hpp"
#include "stdlib/executor/second_requests.hpp"
#include "stdlib/executor/settlement.hpp"
#include "stdlib/executor/several.hpp"
#include "stdlib/http/answer.hpp"

namespace flow {
namespace {

using Done = std::function<void(Outcome)>;

Fault bad_call(const Operation& operation, const std::string& why) {
  return {.kind = FaultKind::BadRequest, .message = operation.full_name() + " was not sent: " + why};
}

// Whom an executor works with.
struct Parties {
  Transport& transport;
  TokenSource& tokens;
  const Clock& clock;
  SmtpSender* mail;
  WaysOut ways;
  std::shared_ptr<const Egress> egress;
};

// What is called, and as whom.
struct Target {
  std::shared_ptr<const TenantAccess> access;
  const Operation& operation;
  const Route& route;
  const Connector& connector;
};

// One call on its way. Shared by the callbacks of the token source, the transport and the mail sender.
struct Attempt : Parties, Target, std::enable_shared_from_this<Attempt> {
  Attempt(const Parties& parties, Target target, OperationRequest request, Done then)
      : Parties(parties), Target(std::move(target)), call(std::move(request)), done(std::move(then)) {}

  const OperationRequest call;
  const Done done;
  const std::int64_t begun_us = clock.now_us();

  JsonValue arguments;
  TokenRequest wanted;  // where a token is needed
  Redaction redaction;
  bool is_second_try = false;
  Pages pages;           // of a list that comes in several
  std::string url;       // of the request that is out, without what the credential adds
  std::string next_url;  // of the page to ask for; empty for the first

  std::int64_t rest_us() const {
    return std::max<std::int64_t>(call.deadline_us - (clock.now_us() - begun_us), 1);
  }
  bool is_late() const { return clock.now_us() - begun_us >= call.deadline_us; }
  CallText text() const {
    return {operation, route, connector, *access, arguments, call.key, clock.now_us()};
  }
  void finish(Outcome end) { done(redaction.cleaned(std::move(end))); }

  void begin();
  void with_token(std::function<void(const std::string&)> next);
  // ---- HTTP: one request after the other
  struct Stage {
    std::function<Result<HttpRequest>()> request;
    std::function<void(HttpResponse)> then;  // with an answer that is no refusal
    bool has_token = true;
  };
  Stage stage;
  bool is_prepared = false;  // the first request was answered: the rest can be looked for
  JsonValue answer;          // of the first request
  Outcome outcome;           // of the call, when nothing goes wrong behind the first request
  std::vector<LargePart> large;
  std::size_t parts_sent = 0;

  void start();
  void ask_first();
  void go_on_from(JsonValue first);
  void take_first(const HttpResponse& response);
  void open_upload();
  void send_piece(const std::string& address, std::size_t from);
  void finish_prepared();
  void discard(std::function<void()> then);
  void fail(Fault fault);
  void send_http(const std::string& token);
  void http_answered(const std::string& token, HttpResult result);
  void page_answered(const HttpResponse& response);
  Result<HttpRequest> made_request();
  Transport& way_out() const;
  void begin_mail();
  void send_mail(MailMessage message, const std::string& credential);
};

// Goes on with a token, or ends the call with the reason why there is none.
void Attempt::with_token(std::function<void(const std::string&)> next) {
  wanted.deadline_us = rest_us();
  tokens.get(wanted, [self = shared_from_this(), next = std::move(next)](TokenResult token) {
    if (!token) return self->finish(std::move(token.error()));
    self->redaction.add(*token);
    if (self->is_late())
      return self->finish(Fault{.kind = FaultKind::Timeout,
                                .message = self->operation.full_name() + " was not sent in time"});
    next(*token);
  });
}

void Attempt::begin() {
  if (route.protocol == Protocol::Smtp) return begin_mail();
  if (!stage.has_token || !needs_token(text())) return send_http({});
  Result<TokenRequest> request = token_request(text());
  if (!request) return fail(bad_call(operation, request.error().message));
  wanted = std::move(*request);
  with_token([self = shared_from_this()](const std::string& token) { self->send_http(token); });
}

Result<HttpRequest> Attempt::made_request() {
  if (route.protocol != Protocol::Egress) {
    FLOW_TRY(HttpRequest request, http_request(text(), redaction));
    if (!next_url.empty()) request.url = next_url;
    return request;
  }
  if (ways.guarded == nullptr || egress == nullptr || egress->allows_nothing())
    return error("no address may be reached: `[egress]` of the configuration allows none");
  return egress_request(text(), *egress, redaction);
}

Transport& Attempt::way_out() const {
  if (route.protocol == Protocol::Egress) return *ways.guarded;
  const bool is_third = connector.auth.kind != Auth::Kind::Entra && connector.auth.kind != Auth::Kind::None;
  return is_third && ways.third != nullptr ? *ways.third : transport;
}

void Attempt::send_http(const std::string& token) {
  Result<HttpRequest> request = stage.request();
  if (!request) {
    Fault fault = bad_call(operation, request.error().message);
    if (route.protocol == Protocol::Egress) fault.kind = FaultKind::Forbidden;
    return fail(std::move(fault));
  }
  url = request->url;
  if (stage.has_token)
    if (const Status added = add_credential(*request, text(), token, redaction); !added)
      return fail(bad_call(operation, added.error().message));
  request->deadline_us = rest_us();
  way_out().send(std::move(*request), [self = shared_from_this(), token](HttpResult result) {
    self->http_answered(token, std::move(result));
  });
}

void Attempt::http_answered(const std::string& token, HttpResult result) {
  if (auto* failed = std::get_if<TransportError>(&result)) {
    failed->message = redaction.cleaned(std::move(failed->message));
    Fault fault = fault_of(*failed);
    fault.message = operation.full_name() + ": " + fault.message;
    if (route.protocol == Protocol::Egress && failed->kind == TransportError::Kind::Resolve)
      fault.message += " to an address that may be reached";
    return fail(std::move(fault));
  }
  HttpResponse& response = std::get<HttpResponse>(result);
  if (response.status == 401 && !token.empty()) {
    tokens.invalidate(wanted, token);
    if (!std::exchange(is_second_try, true) && !is_late()) return begin();
  }
  if (route.protocol == Protocol::Egress) {
    response.body = redaction.cleaned(std::move(response.body));
    return finish(egress_outcome(response, operation, route, clock.now_us()));
  }
  // Before a message is made of it, which is shortened and could keep half of a secret.
  if (response.status >= 300) response.body = redaction.cleaned(std::move(response.body));
  if (response.status < 200 || response.status >= 300) {
    Outcome refused = outcome_of(response, operation, route, clock.now_us());
    if (auto* fault = std::get_if<Fault>(&refused)) return fail(std::move(*fault));
    return finish(std::move(refused));
  }
  const auto then = std::move(stage.then);  // which sets the next stage
  then(std::move(response));
}

// What went wrong behind the first request leaves something prepared: where it may go better another time, it
// is looked for before anything is made again.
void Attempt::fail(Fault fault) {
  if (is_prepared && may_retry(fault.kind)) fault.maybe_executed = true;
  finish(std::move(fault));
}

void Attempt::start() {
  if (const Status allowed = check_allowed(text()); !allowed)
    return finish(bad_call(operation, allowed.error().message));
  if (route.protocol == Protocol::Smtp) return begin_mail();
  if (route.upload) {
    Result<SplitArguments> split = split_large(arguments, *route.upload);
    if (!split) return finish(bad_call(operation, split.error().message));
    arguments = std::move(split->rest);
    large = std::move(split->large);
  }
  ask_first();
}

void Attempt::ask_first() {
  stage = {.request = [this] { return made_request(); },
           .then = [this](HttpResponse response) { take_first(response); }};
  begin();
}

void Attempt::take_first(const HttpResponse& response) {
  if (route.pages.kind != Paging::Kind::None) return page_answered(response);
  outcome = outcome_of(response, operation, route, clock.now_us());
  if (std::holds_alternative<Fault>(outcome) || (!route.then && large.empty())) return finish(outcome);
  Result<JsonValue> first = parse_json(response.body);
  if (!first || first->kind != JsonValue::Kind::Object) {
    Fault fault{.kind = FaultKind::InvalidResponse,
                .message = operation.full_name() + " was answered by no JSON object",
                .status = response.status};
    fault.maybe_executed = operation.effect != Effect::Read;
    return finish(std::move(fault));
  }
  go_on_from(std::move(*first));
}

void Attempt::go_on_from(JsonValue first) {
  is_prepared = true;
  answer = std::move(first);
  if (large.empty()) return finish_prepared();
  open_upload();
}

void Attempt::open_upload() {
  stage = {.request = [this] { return upload_request(text(), answer, large[parts_sent]); },
           .then =
               [this](const HttpResponse& response) {
                 const Result<std::string> address = upload_address(text(), response, redaction);
                 if (!address) return fail(bad_call(operation, address.error().message));
                 send_piece(*address, 0);
               }};
  begin();
}

void Attempt::send_piece(const std::string& address, std::size_t from) {
  stage = {.request = [this, address, from]() -> Result<HttpRequest> {
             return piece_request(address, large[parts_sent].bytes, from);
           },
           .then =
               [this, address, from](const HttpResponse&) {
                 const std::size_t next = from + kPieceBytes;
                 if (next < large[parts_sent].bytes.size()) return send_piece(std::string(address), next);
                 if (++parts_sent < large.size()) return open_upload();
                 finish_prepared();
               },
           .has_token = false};
  begin();
}

void Attempt::finish_prepared() {
  if (!route.then || !is_unfinished(*route.then, answer)) return finish(outcome);
  stage = {.request = [this] { return follow_up_request(text(), answer, redaction); },
           .then = [this](const HttpResponse&) { finish(outcome); }};
  begin();
}

void Attempt::discard(std::function<void()> then) {
  stage = {.request = [this] { return discard_request(text(), answer); },
           .then = [then = std::move(then)](const HttpResponse&) { then(); }};
  begin();
}

void Attempt::page_answered(const HttpResponse& response) {
  Outcome read = outcome_of(response, operation, route, clock.now_us());
  const auto* const page = std::get_if<Returned>(&read);
  if (page == nullptr) return finish(std::move(read));
  Result<std::optional<std::string>> next = pages.add(page->json, response, route.pages, url);
  if (!next) return finish(incomplete(response, operation, next.error().message, pages.is_too_large()));
  if (!*next) return finish(Returned{pages.list()});
  if (is_late())
    return finish(Fault{.kind = FaultKind::Timeout,
                        .message = operation.full_name() + ": not all pages of the list came in time"});
  next_url = std::move(**next);
  ask_first();
}

void Attempt::begin_mail() {
  if (mail == nullptr || !access->smtp)
    return finish(bad_call(operation, "no SMTP server is configured for this tenant"));
  Result<MailMessage> message = mail_message(text(), redaction);
  if (!message) return finish(bad_call(operation, message.error().message));
  if (access->smtp->login == SmtpServer::Login::None) return send_mail(std::move(*message), {});
  if (access->smtp->login == SmtpServer::Login::Bearer) {
    wanted = entra_token(*access, access->smtp_scope);
    return with_token([self = shared_from_this(), message = std::move(*message)](const std::string& token) {
      self->send_mail(message, token);
    });
  }
  const Result<std::string> password =
      access->smtp_password ? access->smtp_password() : error("no SMTP password is configured");
  if (!password) return finish(bad_call(operation, password.error().message));
  redaction.add(*password);
  send_mail(std::move(*message), *password);
}

void Attempt::send_mail(MailMessage message, const std::string& credential) {
  SmtpJob job{.server = *access->smtp,
              .credential = credential,
              .message = std::move(message),
              .deadline_us = rest_us()};
  mail->send(std::move(job), [self = shared_from_this(), credential](MailResult result) {
    if (result) return self->finish(Returned{"null"});
    Fault fault = std::move(result.error());
    fault.message = self->operation.full_name() + ": " + fault.message;
    const bool is_token = self->access->smtp->login == SmtpServer::Login::Bearer;
    if (is_token && fault.kind == FaultKind::Unauthorized) {
      self->tokens.invalidate(self->wanted, credential);
      if (!std::exchange(self->is_second_try, true) && !self->is_late()) return self->begin();
    }
    self->finish(std::move(fault));
  });
}

}  // namespace

struct OperationExecutor::Shared : std::enable_shared_from_this<OperationExecutor::Shared> {
  explicit Shared(const Parties& with) : parties(with) {}

  std::mutex mutex;  // of what follows
  Parties parties;
  std::map<std::string, std::shared_ptr<const TenantAccess>> tenants;

  std::shared_ptr<const TenantAccess> access_of(const std::string& tenant) {
    const std::lock_guard lock(mutex);
    const auto found = tenants.find(tenant);
    return found == tenants.end() ? nullptr : found->second;
  }
  Parties parties_now() {
    const std::lock_guard lock(mutex);
    return parties;
  }
  std::shared_ptr<Attempt> attempt(OperationRequest request, Done done);
  void perform(OperationRequest request, Done done);
  void complete(const OperationRequest& request, JsonValue item, std::function<void(CallFinding)> done);
  void progress(OperationRequest request, std::string_view result, Done done);
  void progress_of_several(std::vector<BegunRequest> begun, Done done);
  void settle(OperationRequest request, std::function<void(CallFinding)> done);
  void look_up(const OperationRequest& request, const CrashRule& rule, const Operation& of,
               const Route& route, std::function<void(CallFinding)> done);
};

// Nothing when the call cannot be made: `done` was told why.
std::shared_ptr<Attempt> OperationExecutor::Shared::attempt(OperationRequest request, Done done) {
  FLOW_CHECK(request.module != nullptr && request.operation < request.module->operations.size(),
             "a call names an operation of its module");
  const Operation& operation = request.module->operations[request.operation];
  const auto refuse = [&](const std::string& why) {
    done(bad_call(operation, why));
    return nullptr;
  };
  const auto access = access_of(request.tenant);
  if (!access) return refuse("tenant `" + request.tenant + "` is not configured");
  const Result<const Route*> route = chosen_route(operation, *access);
  if (!route) return refuse(route.error().message);
  Result<JsonValue> arguments = parse_json(request.arguments);
  if (!arguments || arguments->kind != JsonValue::Kind::Object)
    return refuse("the arguments are no JSON object");
  FLOW_CHECK((*route)->connector < request.module->connectors.size(),
             "a route names a connector of its module");
  const Connector* connector = &request.module->connectors[(*route)->connector];
  if ((*route)->protocol == Protocol::Egress) {
    const auto whose = egress_connector(*request.module, *connector, *arguments);
    if (!whose) return refuse(whose.error().message);
    connector = *whose;
  }
  auto made = std::make_shared<Attempt>(parties_now(), Target{access, operation, **route, *connector},
                                        std::move(request), std::move(done));
  made->arguments = std::move(*arguments);
  return made;
}

void OperationExecutor::Shared::perform(OperationRequest request, Done done) {
  if (const auto made = attempt(std::move(request), std::move(done))) made->start();
}

// The first request of the call was carried out, as `item` shows: what was to follow it is done now.
void OperationExecutor::Shared::complete(const OperationRequest& request, JsonValue item,
                                         std::function<void(CallFinding)> done) {
  const auto made = attempt(request, [done](Outcome outcome) {
    if (auto* fault = std::get_if<Fault>(&outcome)) {
      // A draft that is gone may have been sent a moment ago: who asks again finds it as what it is.
      if (!may_retry(fault->kind)) fault->kind = FaultKind::Unavailable;
      return done(unknown_for(std::move(*fault)));
    }
    done(CallHappened{std::move(std::get<Returned>(outcome).json)});
  });
  if (!made) return;
  if (made->route.upload) {
    const Result<SplitArguments> split = split_large(made->arguments, *made->route.upload);
    if (!split || !split->large.empty()) {
      made->answer = std::move(item);
      return made->discard([done] { done(CallDidNotHappen{}); });
    }
  }
  made->outcome = Returned{to_json(item)};
  made->go_on_from(std::move(item));
}

void OperationExecutor::Shared::progress(OperationRequest request, std::string_view result, Done done) {
  FLOW_CHECK(request.module != nullptr && request.operation < request.module->operations.size(),
             "a call names an operation of its module");
  const Operation& operation = request.module->operations[request.operation];
  if (!operation.completes) return done(bad_call(operation, "it is done when it answers"));
  const auto asking = request.module->operation(operation.connector, operation.completes->operation);
  if (!asking) return done(bad_call(operation, "the module lacks " + operation.completes->operation));
  Result<std::string> arguments =
      completion_arguments(operation.completes->arguments, request.arguments, result, request.key);
  if (!arguments) return done(bad_call(request.module->operations[*asking], arguments.error().message));
  request.operation = *asking;
  request.arguments = std::move(*arguments);
  perform(std::move(request), std::move(done));
}

void OperationExecutor::Shared::progress_of_several(std::vector<BegunRequest> begun, Done done) {
  FLOW_CHECK(!begun.empty() && begun.front().request.module != nullptr, "somebody asks");
  OperationRequest request = begun.front().request;
  const Module& module = *request.module;
  const Operation& operation = module.operations[request.operation];
  const auto poll = operation.completes
                        ? module.operation(operation.connector, operation.completes->operation)
                        : std::nullopt;
  if (!poll || !module.operations[*poll].several) return done(bad_call(operation, "no list tells of it"));
  const Operation& one = module.operations[*poll];
  const auto list = module.operation(one.connector, one.several->operation);
  if (!list) return done(bad_call(one, "the module lacks " + one.several->operation));
  std::vector<std::string> values;
  for (const BegunRequest& each : begun) values.push_back(asked_value(each, one.parameters[0].name));
  Result<std::string> arguments = several_arguments(*one.several, one.parameters[0].name, values);
  if (!arguments) return done(bad_call(module.operations[*list], arguments.error().message));
  request.operation = *list;
  request.arguments = std::move(*arguments);
  perform(std::move(request),
          [field = one.several->field, values = std::move(values), done = std::move(done)](Outcome outcome) {
            if (auto* returned = std::get_if<Returned>(&outcome)) {
              auto rows = rows_of(returned->json, field, values);
              if (!rows)
                return done(Fault{.kind = FaultKind::InvalidResponse, .message = rows.error().message});
              outcome = Returned{std::move(*rows)};
            }
            done(std::move(outcome));
          });
}

void OperationExecutor::Shared::settle(OperationRequest request, std::function<void(CallFinding)> done) {
  FLOW_CHECK(request.module != nullptr && request.operation < request.module->operations.size(),
             "a call names an operation of its module");
  const Operation& operation = request.module->operations[request.operation];
  const auto access = access_of(request.tenant);
  if (!access) return done(unknown("tenant `" + request.tenant + "` is not configured"));
  const Result<const Route*> route = chosen_route(operation, *access);
  if (!route) return done(unknown(route.error().message));
  const CrashRule rule = crash_rule_of(operation, **route);
  switch (rule.kind) {
    case CrashRule::Kind::Repeat: return done(CallDidNotHappen{});
    case CrashRule::Kind::Ask:
      return done(unknown(operation.full_name() + " may or may not have happened, and its API cannot tell"));
    case CrashRule::Kind::Lookup: return look_up(request, rule, operation, **route, std::move(done));
  }
  done(unknown("the crash rule is of no known kind"));
}

void OperationExecutor::Shared::look_up(const OperationRequest& request, const CrashRule& rule,
                                        const Operation& of, const Route& route,
                                        std::function<void(CallFinding)> done) {
  const std::string& connector = of.connector;
  const auto operation = request.module->operation(connector, rule.operation);
  if (!operation)
    return done(unknown("the module lacks the lookup operation " + connector + "." + rule.operation));
  const Result<JsonValue> arguments = parse_json(request.arguments);
  if (!arguments) return done(unknown("the arguments are no JSON object"));
  OperationRequest lookup = request;
  lookup.operation = *operation;
  lookup.arguments = to_json(
      evaluate(rule.arguments, {.arguments = &*arguments, .connector = connector, .call_key = request.key}));
  perform(std::move(lookup), [self = shared_from_this(), request, &route, field = rule.field,
                              done = std::move(done)](Outcome outcome) {
    if (auto* fault = std::get_if<Fault>(&outcome)) return done(unknown_for(std::move(*fault)));
    CallFinding finding = finding_in(std::get<Returned>(outcome).json, field, request.key);
    const auto* const happened = std::get_if<CallHappened>(&finding);
    if (happened == nullptr || !route.then) return done(std::move(finding));
    Result<JsonValue> item = parse_json(happened->json);
    if (!item || !is_unfinished(*route.then, *item)) return done(std::move(finding));
    self->complete(request, std::move(*item), done);
  });
}

OperationExecutor::OperationExecutor(Transport& transport, TokenSource& tokens, const Clock& clock,
                                     SmtpSender* mail)
    : shared_(std::make_shared<Shared>(Parties{transport, tokens, clock, mail, {}, nullptr})) {}
OperationExecutor::~OperationExecutor() = default;

void OperationExecutor::open(WaysOut ways, Egress egress) {
  auto made = std::make_shared<const Egress>(std::move(egress));
  const std::lock_guard lock(shared_->mutex);
  shared_->parties.ways = ways;
  shared_->parties.egress = std::move(made);
}

void OperationExecutor::configure(const std::string& tenant, TenantAccess access) {
  auto made = std::make_shared<const TenantAccess>(std::move(access));
  const std::lock_guard lock(shared_->mutex);
  shared_->tenants[tenant] = std::move(made);
}

void OperationExecutor::perform(OperationRequest request, std::function<void(Outcome)> done) {
  shared_->perform(std::move(request), std::move(done));
}

void OperationExecutor::progress(OperationRequest request, std::string_view result,
                                 std::function<void(Outcome)> done) {
  shared_->progress(std::move(request), result, std::move(done));
}

void OperationExecutor::progress_of_several(std::vector<BegunRequest> begun,
                                            std::function<void(Outcome)> done) {
  shared_->progress_of_several(std::move(begun), std::move(done));
}

void OperationExecutor::settle(OperationRequest request, std::function<void(CallFinding)> done) {
  shared_->settle(std::move(request), std::move(done));
}

}  // namespace flow
