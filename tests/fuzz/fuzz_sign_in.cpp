// What others send when somebody signs in: answers of token endpoints and of doors, device codes, files of
// certificates. Whatever it is, it is a token, a certificate or an error, and what is taken of it can stand
// in a header. The first byte says which reader gets the rest.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "stdlib/identity/certificate.hpp"
#include "stdlib/identity/device_code.hpp"
#include "stdlib/identity/token_exchange.hpp"
#include "tests/fuzz/bytes.hpp"

namespace {

using namespace flow;

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_one_word(const std::string& text) {
  for (const char c : text)
    if (c <= 0x20 || c >= 0x7f) return false;
  return !text.empty();
}

void read_as_token(const std::string& body, bool is_door, int status) {
  TokenRequest request{.tenant = "t", .client_id = "c", .scope = "https://api.example/.default"};
  if (is_door)
    request.door =
        std::make_shared<const TokenDoor>(TokenDoor{.url = "https://d.example", .resource_name = "r"});
  const auto token =
      read_token(request, {.status = status, .headers = {}, .body = body}, 1'000'000'000'000'000);
  if (!token) return check(!token.error().message.empty());
  check(is_one_word(token->text) && token->ends_us > token->renew_at_us);
}

void read_as_device(const std::string& body, int status) {
  const DeviceLogin login{.authority = "https://l.example", .tenant = "t", .client_id = "c", .scope = "s"};
  const HttpResponse response{.status = status, .headers = {}, .body = body};
  if (const auto prompt = read_device_prompt(login, response, 0)) {
    check(is_one_word(prompt->user_code) && prompt->address.starts_with("https://"));
    check(prompt->interval_us > 0 && prompt->ends_us > 0);
  }
  const DeviceAnswer answer = read_device_tokens(login, response, 0);
  if (const auto* tokens = std::get_if<DeviceTokens>(&answer)) check(is_one_word(tokens->refresh_token));
}

}  // namespace

// Those that are longer are files of the corpus.
std::vector<std::string> flow::fuzz::seeds() {
  return {R"(4{"error":"authorization_pending"})", R"(4{"error":"slow_down"})",
          R"(3{"access_token":"a","refresh_token":"r","expires_in":"5"})"};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0: read_as_token(rest, false, 200); break;
    case 1: read_as_token(rest, true, 200); break;
    case 2: read_as_token(rest, false, 400); break;
    case 3: read_as_device(rest, 200); break;
    case 4: read_as_device(rest, 400); break;
    default: {
      const auto certificate = ClientCertificate::read({.certificate = rest, .password = "password"});
      check(certificate || !certificate.error().message.empty());
    }
  }
  return 0;
}
