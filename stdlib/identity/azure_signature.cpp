#include "stdlib/identity/azure_signature.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <chrono>

#include "base/base64.hpp"

namespace flow {
namespace {

std::string sha256(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.data(), &length, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(hash.data()), length};
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &length);
  return {reinterpret_cast<const char*>(mac.data()), length};
}

// RFC 9110: `Tue, 13 Oct 2026 09:15:00 GMT`
std::string http_date(std::int64_t time_us) {
  using namespace std::chrono;
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const sys_seconds time = floor<seconds>(sys_time<microseconds>{microseconds{time_us}});
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

}  // namespace

Result<SignedRequest> azure_signature(const RequestToSign& request, std::string_view key) {
  constexpr std::size_t kLongestKey = 1024;
  const auto bytes = bytes_of_base64(key);
  if (!bytes || bytes->empty() || bytes->size() > kLongestKey) return error("the access key is no Base64");
  SignedRequest made{.date = http_date(request.now_us),
                     .content_hash = base64_of(sha256(request.body)),
                     .authorization = {}};
  const std::string text = fmt::format("{}\n{}\n{};{};{}", request.method, request.target, made.date,
                                       request.host, made.content_hash);
  made.authorization = "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" +
                       base64_of(hmac_sha256(*bytes, text));
  return made;
}

}  // namespace flow
