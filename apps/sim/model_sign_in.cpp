// Device codes, the door of the machine's identity, and /sim/identity, which says who may have tokens.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kCodeLifetimeUs = 900'000'000;
constexpr std::size_t kMostCodes = 100;
constexpr const char* kIdentityHeader = "sim-identity-header";

HttpAnswer door_refusal(std::string_view name, std::string_view text) {
  return json_answer(400, Json::object({{"error", name}, {"error_description", text}}));
}

Json identity_json(const IdentityProofs& proofs) {
  Json::List certificates, federation, accounts, devices;
  for (const ServiceAccount& each : proofs.service_accounts)
    accounts.push_back(Json::object({{"client_email", each.email},
                                     {"scopes", Json::texts(each.scopes)},
                                     {"subjects", Json::texts(each.subjects)}}));
  for (const KnownCertificate& each : proofs.certificates)
    certificates.push_back(Json::object({{"x5t", each.sha1}, {"x5t#S256", each.sha256}}));
  for (const FederatedCredential& each : proofs.federation)
    federation.push_back(
        Json::object({{"issuer", each.issuer}, {"subject", each.subject}, {"audience", each.audience}}));
  for (const auto& [code, device] : proofs.devices)
    devices.push_back(
        Json::object({{"user_code", device.user_code},
                      {"state", device.state == DeviceSignIn::State::Pending    ? "pending"
                                : device.state == DeviceSignIn::State::Approved ? "approved"
                                                                                : "declined"}}));
  return Json::object(
      {{"certificates", Json(std::move(certificates))},
       {"federation", Json(std::move(federation))},
       {"service_accounts", Json(std::move(accounts))},
       {"managed_identity", proofs.has_managed_identity},
       {"managed_clients", Json::texts({proofs.managed_clients.begin(), proofs.managed_clients.end()})},
       {"devices", Json(std::move(devices))}});
}

Status set_certificates(const Json& list, std::vector<KnownCertificate>& certificates) {
  for (const Json& pem : list.items()) {
    FLOW_TRY(KnownCertificate certificate, known_certificate(std::string(pem.text())));
    certificates.push_back(std::move(certificate));
  }
  return {};
}

Status set_federation(const Json& list, std::vector<FederatedCredential>& federation) {
  for (const Json& each : list.items()) {
    FLOW_TRY_STATUS(
        check_keys(each, {"issuer", "subject", "audience", "certificate"}, "a federated credential"));
    FLOW_TRY(KnownCertificate key, known_certificate(std::string(each["certificate"].text())));
    federation.push_back({.issuer = std::string(each["issuer"].text()),
                          .subject = std::string(each["subject"].text()),
                          .audience = std::string(each["audience"].text()),
                          .key = std::move(key)});
  }
  return {};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& each : list.items()) texts.emplace_back(each.text());
  return texts;
}

Status set_service_accounts(const Json& list, std::vector<ServiceAccount>& accounts) {
  for (const Json& each : list.items()) {
    FLOW_TRY_STATUS(check_keys(each, {"client_email", "private_key_id", "certificate", "scopes", "subjects"},
                               "a service account"));
    FLOW_TRY(KnownCertificate key, known_certificate(std::string(each["certificate"].text())));
    if (each["client_email"].text().empty()) return error("a service account needs `client_email`");
    accounts.push_back({.email = std::string(each["client_email"].text()),
                        .key_id = std::string(each["private_key_id"].text()),
                        .key = std::move(key),
                        .scopes = texts_of(each["scopes"]),
                        .subjects = texts_of(each["subjects"])});
  }
  return {};
}

// One answer, or the answer to all that come.
Status answer_device(const Json& given, IdentityProofs& proofs) {
  FLOW_TRY_STATUS(check_keys(given, {"user_code", "answer"}, "`device`"));
  const bool is_approval = given["answer"].text() == "approve";
  if (!is_approval && given["answer"].text() != "decline")
    return error("`device` needs `answer`: `approve` or `decline`");
  if (given["user_code"].is_null()) {
    proofs.answers_devices_at_once = is_approval;
    return {};
  }
  for (auto& [code, device] : proofs.devices)
    if (device.user_code == given["user_code"].text()) {
      device.state = is_approval ? DeviceSignIn::State::Approved : DeviceSignIn::State::Declined;
      return {};
    }
  return error("nobody was given that user_code");
}

}  // namespace

HttpAnswer start_device_sign_in(State& state, const Call& call) {
  const auto pairs = parse_form(call.question.body);
  std::string client;
  for (const auto& [name, value] : pairs.value_or(Pairs()))
    if (name == "client_id") client = value;
  if (client != state.options.client_id)
    return door_refusal("unauthorized_client", "AADSTS700016: Application was not found in the directory.");
  IdentityProofs& proofs = state.identity;
  if (proofs.devices.size() >= kMostCodes) proofs.devices.erase(proofs.devices.begin());
  const std::string code = hex_digits(*state.random, 40), user = hex_digits(*state.random, 8);
  proofs.devices[code] = {
      .user_code = user,
      .ends_us = state.now_us() + kCodeLifetimeUs,
      .state = proofs.answers_devices_at_once ? DeviceSignIn::State::Approved : DeviceSignIn::State::Pending};
  const std::string address = "https://microsoft.com/devicelogin";
  return json_answer(
      200,
      Json::object({{"device_code", code},
                    {"user_code", user},
                    {"verification_uri", address},
                    {"expires_in", kCodeLifetimeUs / 1'000'000},
                    {"interval", 1},
                    {"message", fmt::format("To sign in, open {} and enter the code {}.", address, user)}}));
}

// The metadata service, or with `X-IDENTITY-HEADER` the door of a service.
HttpAnswer managed_identity_token(State& state, const Call& call) {
  const bool is_service = !call.question.header("X-IDENTITY-HEADER").empty();
  if (is_service && call.question.header("X-IDENTITY-HEADER") != kIdentityHeader)
    return door_refusal("invalid_request", "Wrong X-IDENTITY-HEADER");
  if (!is_service && call.question.header("Metadata") != "true")
    return door_refusal("invalid_request", "Required metadata header not specified");
  if (!call.target.parameter("api-version"))
    return door_refusal("invalid_request", "Required query variable 'api-version' is missing");
  const std::string client = call.target.parameter("client_id").value_or("");
  if (!state.identity.has_managed_identity ||
      (!client.empty() && !state.identity.managed_clients.contains(client)))
    return door_refusal("invalid_request", "Identity not found");
  const std::string resource = call.target.parameter("resource").value_or("");
  return managed_token(state, resource, is_service);
}

Result<Json> set_identity(State& state, const Json& body) {
  FLOW_TRY_STATUS(check_keys(
      body,
      {"certificates", "federation", "service_accounts", "managed_identity", "managed_clients", "device"},
      "the identity"));
  IdentityProofs made = state.identity;
  if (!body["certificates"].is_null()) {
    made.certificates.clear();
    FLOW_TRY_STATUS(set_certificates(body["certificates"], made.certificates));
  }
  if (!body["federation"].is_null()) {
    made.federation.clear();
    FLOW_TRY_STATUS(set_federation(body["federation"], made.federation));
  }
  if (!body["service_accounts"].is_null()) {
    made.service_accounts.clear();
    FLOW_TRY_STATUS(set_service_accounts(body["service_accounts"], made.service_accounts));
  }
  if (body["managed_identity"].is_bool()) made.has_managed_identity = body["managed_identity"].boolean();
  if (body["managed_clients"].is_list()) {
    made.managed_clients.clear();
    for (const Json& client : body["managed_clients"].items()) made.managed_clients.emplace(client.text());
  }
  if (!body["device"].is_null()) FLOW_TRY_STATUS(answer_device(body["device"], made));
  state.identity = std::move(made);
  return identity_json(state.identity);
}

Json shown_identity(const State& state) {
  return identity_json(state.identity);
}

}  // namespace flow::sim
