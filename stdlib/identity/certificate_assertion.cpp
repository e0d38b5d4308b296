#include "stdlib/identity/certificate_assertion.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>

namespace flow {
namespace {

// A GUID of version 4.
Result<std::string> new_id() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return error("the system gives no random bytes");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string id;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    id += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
  return id;
}

}  // namespace

AssertionProvider signed_assertion(CertificateProvider certificate, AssertionForm form) {
  return [certificate = std::move(certificate), form](const AssertionFor& what) -> Result<std::string> {
    FLOW_TRY(const ClientCertificate with, certificate());
    FLOW_TRY(std::string id, new_id());
    return with.assertion(
        {.client_id = what.client_id, .audience = what.audience, .id = std::move(id), .now_us = what.now_us},
        form);
  };
}

}  // namespace flow
