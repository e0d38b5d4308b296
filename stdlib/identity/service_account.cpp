#include "stdlib/identity/service_account.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kLifetimeS = 3600;

std::string base64url(std::string_view bytes) {
  std::string text = base64_of(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  while (text.ends_with('=')) text.pop_back();
  return text;
}

Result<std::string> rs256(std::string_view text, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      file ? PEM_read_bio_PrivateKey(
                 file.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr)
           : nullptr,
      EVP_PKEY_free);
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return error("the service account's `private_key` is no RSA key");
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::size_t length = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &length, bytes, text.size()) != 1)
    return error("the service account's key cannot sign");
  std::string signature(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length, bytes,
                     text.size()) != 1)
    return error("the service account's key cannot sign");
  signature.resize(length);
  return signature;
}

}  // namespace

Result<std::string> service_account_assertion(std::string_view key_file, const AssertionOf& of) {
  const auto file = parse_json(key_file);
  if (!file || file->kind != JsonValue::Kind::Object)
    return error("the service account's key file is no JSON object");
  const auto member = [&](const char* name) { return text_if_any(file->member(name)); };
  const std::string email = member("client_email"), pem = member("private_key"),
                    id = member("private_key_id");
  if (email.empty() || pem.empty())
    return error("the service account's key file lacks `client_email` or `private_key`");
  const std::string kid = id.empty() ? "" : ",\"kid\":" + json_quoted(id);
  const std::string header = R"({"alg":"RS256","typ":"JWT")" + kid + "}";
  const std::int64_t now_s = of.now_us / 1'000'000;
  const std::string subject = of.subject.empty() ? "" : ",\"sub\":" + json_quoted(of.subject);
  const std::string claims =
      fmt::format(R"({{"iss":{}{},"scope":{},"aud":{},"iat":{},"exp":{}}})", json_quoted(email), subject,
                  json_quoted(of.scope), json_quoted(of.audience), now_s, now_s + kLifetimeS);
  const std::string text = base64url(header) + "." + base64url(claims);
  FLOW_TRY(const std::string signature, rs256(text, pem));
  return text + "." + base64url(signature);
}

}  // namespace flow
