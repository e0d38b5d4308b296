#include "apps/sim/error_shapes.hpp"

#include <algorithm>
#include <charconv>

#include "apps/sim/third_party.hpp"

namespace flow::sim {
namespace {

// One failure, as its service is to tell it.
struct Failure {
  State& state;
  std::string_view operation;  // `slack.webhook`
  int status;
  std::string_view code, message;  // the code is empty when none was said
};

struct UsualCode {
  int status;
  std::string_view code;
};

// The code of the first row for the status; the last row is for all others.
template <std::size_t N>
std::string_view code_of(const Failure& failure, const UsualCode (&usual)[N]) {
  if (!failure.code.empty()) return failure.code;
  const auto row = std::ranges::find(usual, failure.status, &UsualCode::status);
  return row == std::end(usual) ? usual[N - 1].code : row->code;
}

constexpr UsualCode kMicrosoftCodes[] = {{400, "BadRequest"},      {401, "Unauthorized"},
                                         {403, "Forbidden"},       {404, "ResourceNotFound"},
                                         {429, "TooManyRequests"}, {0, "InternalServerError"}};

HttpAnswer defender_failure(const Failure& failure) {
  return defender_error(failure.state, failure.status, code_of(failure, kMicrosoftCodes), failure.message);
}

HttpAnswer graph_failure(const Failure& failure) {
  constexpr UsualCode kCodes[] = {{400, "BadRequest"},        {401, "InvalidAuthenticationToken"},
                                  {403, "ErrorAccessDenied"}, {404, "ResourceNotFound"},
                                  {429, "TooManyRequests"},   {503, "serviceNotAvailable"},
                                  {504, "GatewayTimeout"},    {0, "InternalServerError"}};
  return graph_error(failure.state, failure.status, code_of(failure, kCodes), failure.message);
}

HttpAnswer azure_failure(const Failure& failure) {
  constexpr UsualCode kCodes[] = {{400, "BadRequest"},          {401, "AuthenticationFailed"},
                                  {403, "AuthorizationFailed"}, {404, "ResourceNotFound"},
                                  {429, "TooManyRequests"},     {503, "ServiceUnavailable"},
                                  {0, "InternalServerError"}};
  return azure_error(failure.status, code_of(failure, kCodes), failure.message);
}

HttpAnswer logs_failure(const Failure& failure) {
  constexpr UsualCode kCodes[] = {{400, "BadArgumentError"},        {401, "AuthorizationRequiredError"},
                                  {403, "InsufficientAccessError"}, {404, "PathNotFoundError"},
                                  {429, "ThrottledError"},          {0, "ServiceError"}};
  const std::string_view code = code_of(failure, kCodes);
  Json error = Json::object({{"code", code}, {"message", failure.message}});
  error.set("innererror", Json::object({{"code", code}, {"message", failure.message}}));
  return json_answer(failure.status, Json::object({{"error", error}}));
}

// A code that is a number is Entra's own.
HttpAnswer sign_in_failure(const Failure& failure) {
  int number = 0;
  std::from_chars(failure.code.data(), failure.code.data() + failure.code.size(), number);
  std::string_view name = "temporarily_unavailable";
  if (failure.status == 400) name = "invalid_request";
  if (failure.status == 401) name = "invalid_client";
  if (failure.status == 403) name = "unauthorized_client";
  if (number == 0) {
    if (!failure.code.empty()) name = failure.code;
    number = failure.status == 400   ? 900144
             : failure.status == 401 ? 7000215
             : failure.status == 429 ? 90055
                                     : 90033;
  }
  return aadsts(failure.state, failure.status, name, number, std::string(failure.message));
}

HttpAnswer oauth_failure(const Failure& failure) {
  constexpr UsualCode kCodes[] = {{400, "invalid_request"},
                                  {401, "invalid_client"},
                                  {403, "access_denied"},
                                  {429, "rate_limit_exceeded"},
                                  {0, "internal_failure"}};
  return oauth_error(failure.status, code_of(failure, kCodes), failure.message);
}

HttpAnswer google_failure(const Failure& failure) {
  constexpr UsualCode kReasons[] = {{400, "badRequest"},
                                    {401, "authError"},
                                    {403, "insufficientPermissions"},
                                    {404, "notFound"},
                                    {429, "userRateLimitExceeded"},
                                    {0, "backendError"}};
  return google_error(failure.status, code_of(failure, kReasons), failure.message);
}

HttpAnswer teams_failure(const Failure& failure) {
  constexpr UsualCode kCodes[] = {{400, "TriggerInputSchemaMismatch"},
                                  {401, "DirectApiAuthorizationRequired"},
                                  {403, "WorkflowTriggerIsNotEnabled"},
                                  {404, "WorkflowNotFound"},
                                  {429, "WorkflowTriggerIsThrottled"},
                                  {502, "BadGateway"},
                                  {0, "InternalServerError"}};
  return azure_error(failure.status, code_of(failure, kCodes), failure.message);
}

// Its API says in words what it is, its webhooks in a word that is no JSON.
HttpAnswer slack_failure(const Failure& failure) {
  const bool is_api = failure.operation == "slack.postMessage";
  constexpr UsualCode kApi[] = {{400, "invalid_arguments"}, {401, "invalid_auth"},
                                {403, "access_denied"},     {404, "channel_not_found"},
                                {429, "ratelimited"},       {503, "service_unavailable"},
                                {0, "internal_error"}};
  constexpr UsualCode kWebhook[] = {{400, "invalid_payload"}, {403, "action_prohibited"},
                                    {404, "no_service"},      {410, "channel_is_archived"},
                                    {429, "rate_limited"},    {0, "rollup_error"}};
  if (!is_api) return text_answer(failure.status, std::string(code_of(failure, kWebhook)));
  return json_answer(failure.status, Json::object({{"ok", false}, {"error", code_of(failure, kApi)}}));
}

HttpAnswer servicenow_failure(const Failure& failure) {
  constexpr UsualCode kMessages[] = {{401, "User Not Authenticated"},
                                     {403, "Operation Failed"},
                                     {404, "No Record found"},
                                     {429, "Rate limit exceeded"},
                                     {0, "Transaction cancelled: maximum execution time exceeded"}};
  const Json error = Json::object({{"message", code_of(failure, kMessages)}, {"detail", failure.message}});
  return json_answer(failure.status, Json::object({{"error", error}, {"status", "failure"}}));
}

HttpAnswer jira_failure(const Failure& failure) {
  return json_answer(failure.status,
                     Json::object({{"errorMessages", Json::texts({std::string(failure.message)})},
                                   {"errors", Json::object()}}));
}

HttpAnswer plain_failure(const Failure& failure) {
  return json_answer(failure.status, Json::object({{"error", failure.message}}));
}

struct Service {
  std::string_view prefix;  // of the operation's name
  HttpAnswer (*tell)(const Failure&);
};
// The first that fits; whatever has no row is Defender's, or Graph's by its path.
constexpr Service kServices[] = {
    {"identity.token", sign_in_failure},
    {"identity.devicecode", sign_in_failure},
    {"identity.", oauth_failure},
    {"google.", oauth_failure},
    {"gmail.", google_failure},
    {"acs.", azure_failure},
    {"teams.", teams_failure},
    {"slack.", slack_failure},
    {"servicenow.", servicenow_failure},
    {"jira.", jira_failure},
    {"sentinel.", azure_failure},
    {"loganalytics.", logs_failure},
    {"keyvault.", azure_failure},
    {"echo.", plain_failure},
    {"ti.", plain_failure},
    {"graph.", graph_failure},
};

}  // namespace

HttpAnswer azure_error(int status, std::string_view code, std::string_view message) {
  return json_answer(status, Json::object({{"error", Json::object({{"code", code}, {"message", message}})}}));
}

HttpAnswer google_error(int status, std::string_view reason, std::string_view message) {
  constexpr UsualCode kNames[] = {{400, "INVALID_ARGUMENT"},
                                  {401, "UNAUTHENTICATED"},
                                  {403, "PERMISSION_DENIED"},
                                  {404, "NOT_FOUND"},
                                  {429, "RESOURCE_EXHAUSTED"},
                                  {503, "UNAVAILABLE"},
                                  {0, "INTERNAL"}};
  const auto row = std::ranges::find(kNames, status, &UsualCode::status);
  const bool is_usage = reason.ends_with("LimitExceeded");
  Json detail = Json::object({{"domain", is_usage ? "usageLimits" : "global"}, {"reason", reason}});
  detail.set("message", message);
  Json error = Json::object({{"code", status}, {"message", message}, {"errors", Json(Json::List{detail})}});
  error.set("status", row == std::end(kNames) ? std::string_view("INTERNAL") : row->code);
  return json_answer(status, Json::object({{"error", error}}));
}

HttpAnswer oauth_error(int status, std::string_view name, std::string_view description) {
  return json_answer(status, Json::object({{"error", name}, {"error_description", description}}));
}

HttpAnswer service_error(State& state, const SimOperation* operation, std::string_view path, int status,
                         std::string_view code, std::string_view message) {
  const Failure failure{state, operation == nullptr ? "" : operation->name, status, code, message};
  for (const Service& service : kServices)
    if (failure.operation.starts_with(service.prefix)) return service.tell(failure);
  const bool is_graph =
      path.starts_with("/v1.0/") || (operation != nullptr && operation->audience == Audience::Graph);
  return is_graph ? graph_failure(failure) : defender_failure(failure);
}

}  // namespace flow::sim
