#include "stdlib/executor/request.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "stdlib/http/answer.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestBody = 32u << 20;
constexpr std::size_t kLongestAnswer = 50u << 20;  // what the hunting API gives at most

TemplateScope scope_of(const CallText& call) {
  return {.arguments = &call.arguments,
          .settings = &call.access.settings,
          .connector = call.connector.name,
          .call_key = call.key};
}

Result<JsonValue> revealed(const Template& node, const CallText& call, Redaction& redaction) {
  JsonValue value = evaluate(node, scope_of(call));
  const auto remembering = [&](const std::string& name) -> Result<std::string> {
    if (!call.access.secret) return error("no secrets are configured, and the call needs `" + name + "`");
    Result<std::string> secret = call.access.secret(name);
    if (secret) redaction.add(*secret);
    return secret;
  };
  FLOW_TRY_STATUS(reveal(value, remembering));
  return value;
}

Result<std::string> query_text(const CallText& call, Redaction& redaction) {
  std::string query;
  for (const auto& [name, node] : call.route.query) {
    FLOW_TRY(const JsonValue value, revealed(node, call, redaction));
    if (value.is_null()) continue;
    // `$filter` keeps its dollar sign: that is how the APIs' own pages and logs write it.
    const std::string plain =
        percent_encoded(name[0] == '$' ? std::string_view(name).substr(1) : std::string_view(name));
    query += (query.empty() ? "?" : "&") + std::string(name[0] == '$' ? "$" : "") + plain + "=" +
             percent_encoded(text_of(value));
  }
  return query;
}

Result<HttpHeaders> header_list(const CallText& call, Redaction& redaction) {
  HttpHeaders headers{{"Accept", "application/json"}};
  for (const auto& declared : call.route.headers) {
    const std::string& name = declared.first;
    FLOW_TRY(const JsonValue value, revealed(declared.second, call, redaction));
    if (value.is_null()) continue;
    std::string text = text_of(value);
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
      return error("the value of header `" + name + "` holds a control character");
    std::erase_if(headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
    headers.emplace_back(name, std::move(text));
  }
  return headers;
}

std::vector<std::string> addresses(const JsonValue* value) {
  std::vector<std::string> out;
  if (value == nullptr || value->is_null()) return out;
  if (value->kind != JsonValue::Kind::List) return {text_of(*value)};
  for (const JsonValue& item : value->items) out.push_back(text_of(item));
  return out;
}

std::string member_text(const JsonValue& object, std::string_view name) {
  const JsonValue* value = object.member(name);
  return value == nullptr ? std::string() : text_of(*value);
}

}  // namespace

void Redaction::add(std::string secret) {
  constexpr std::size_t kShortest = 4;  // what is shorter would tear holes into every text
  if (secret.size() >= kShortest) secrets_.push_back(std::move(secret));
}

std::string Redaction::cleaned(std::string text) const {
  for (const std::string& secret : secrets_) {
    text = without_secret(std::move(text), secret);
    if (const std::string encoded = percent_encoded(secret); encoded != secret)
      text = without_secret(std::move(text), encoded);
  }
  return text;
}

Outcome Redaction::cleaned(Outcome outcome) const {
  if (auto* returned = std::get_if<Returned>(&outcome)) {
    returned->json = cleaned(std::move(returned->json));
  } else {
    auto& fault = std::get<Fault>(outcome);
    fault.message = cleaned(std::move(fault.message));
    fault.code = cleaned(std::move(fault.code));
  }
  return outcome;
}

Result<const Route*> chosen_route(const Operation& operation, const TenantAccess& access) {
  if (operation.routes.empty()) return error(operation.full_name() + " has no route");
  for (const std::string& key : {operation.full_name(), operation.connector}) {
    const auto configured = access.routes.find(key);
    if (configured == access.routes.end()) continue;
    const auto found = std::ranges::find(operation.routes, configured->second, &Route::name);
    if (found != operation.routes.end()) return &*found;
    if (operation.routes.size() > 1)
      return error("the configuration chooses route `" + configured->second + "` for " + key + ", which " +
                   operation.full_name() + " does not have");
  }
  return &operation.routes.front();
}

std::string base_of(const Connector& connector, const TenantAccess& access) {
  const auto configured = access.bases.find(connector.name);
  std::string base = configured == access.bases.end() ? connector.base : configured->second;
  while (base.ends_with('/')) base.pop_back();
  return base;
}

Result<HttpRequest> http_request(const CallText& call, Redaction& redaction) {
  const bool is_secret = call.connector.auth.kind == Auth::Kind::Url;
  const std::string base = is_secret ? std::string() : base_of(call.connector, call.access);
  if (base.empty() && !is_secret)
    return error("the configuration has no address of connector `" + call.connector.name + "`: `base`");
  FLOW_TRY(const std::string path, evaluate_path(call.route.path, scope_of(call)));
  FLOW_TRY(const std::string query, query_text(call, redaction));
  FLOW_TRY(HttpHeaders headers, header_list(call, redaction));
  HttpRequest request{.method = call.route.method,
                      .url = base + path + query,
                      .headers = std::move(headers),
                      .max_response_bytes = kLongestAnswer};
  if (call.route.body) {
    FLOW_TRY(const JsonValue body, revealed(*call.route.body, call, redaction));
    request.body = to_json(body);
    request.headers.emplace_back("Content-Type", "application/json");
    if (request.body.size() > kLongestBody) return error("the request's body is longer than 32 MiB");
  }
  return request;
}

Result<MailMessage> mail_message(const CallText& call, Redaction& redaction) {
  if (!call.route.body) return error(call.operation.full_name() + " declares no mail");
  FLOW_TRY(const JsonValue body, revealed(*call.route.body, call, redaction));
  MailMessage mail{.from = member_text(body, "from"),
                   .to = addresses(body.member("to")),
                   .cc = addresses(body.member("cc")),
                   .subject = member_text(body, "subject"),
                   .text = member_text(body, "text"),
                   .html = member_text(body, "html"),
                   .importance = member_text(body, "importance"),
                   .key = std::string(call.key)};
  const std::string setting = call.connector.name + ".sender";
  if (mail.from.empty())
    if (const auto found = call.access.settings.find(setting); found != call.access.settings.end())
      mail.from = found->second;
  if (mail.from.empty()) return error("setting `" + setting + "` is missing, and the mail names no sender");
  return mail;
}

}  // namespace flow
