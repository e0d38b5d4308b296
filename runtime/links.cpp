#include "runtime/links.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>

#include "base/result.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestToken = 256;
constexpr std::size_t kMacBytes = 32;

// RFC 4648, section 5, without padding.
std::string base64url(const unsigned char* bytes, std::size_t size) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  std::uint32_t bits = 0;
  int have = 0;
  for (std::size_t i = 0; i < size; ++i) {
    bits = bits << 8 | bytes[i];
    for (have += 8; have >= 6; have -= 6) text += kDigits[bits >> (have - 6) & 63];
  }
  if (have > 0) text += kDigits[bits << (6 - have) & 63];
  return text;
}

std::string signature(std::string_view key, std::string_view said) {
  const std::string text = fmt::format("flow answer 1\n{}", said);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned int size = 0;
  const unsigned char* const done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  FLOW_CHECK(done != nullptr && size == kMacBytes, "HMAC-SHA256 is part of every libcrypto");
  return base64url(mac.data(), size);
}

std::string said_by(const Link& link) {
  return fmt::format("{}.{}.{}.{}", link.question, link.person, link.option, link.expires_us / 1'000'000);
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() && !text.empty();
}

// What stands behind the last dot, which is cut off with it.
std::string_view cut_last(std::string_view& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view last = text.substr(dot + 1);
  text = text.substr(0, dot);
  return last;
}

}  // namespace

std::string sign_link(std::string_view key, const Link& link) {
  const std::string said = said_by(link);
  return said + "." + signature(key, said);
}

std::optional<Link> read_link(std::string_view key, std::string_view token) {
  if (token.size() > kLongestToken || key.empty()) return std::nullopt;
  std::string_view said = token;
  const std::string_view given = cut_last(said);
  const std::string right = signature(key, said);
  if (given.size() != right.size() || CRYPTO_memcmp(given.data(), right.data(), right.size()) != 0)
    return std::nullopt;
  Link link;
  std::int64_t expires_s = 0;
  if (!read_number(cut_last(said), expires_s) || !read_number(cut_last(said), link.option) ||
      !read_number(cut_last(said), link.person))
    return std::nullopt;
  if (expires_s < 0 || expires_s > INT64_MAX / 1'000'000) return std::nullopt;
  link.expires_us = expires_s * 1'000'000;
  link.question = said;
  return link;
}

}  // namespace flow
