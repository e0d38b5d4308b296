// Links with which people answer: each is good for one question, one person and one option, until the
// question is closed or the link is too old, and nobody can make one without the key. What a link says is in
// it; only when its signature is right is anything looked up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow {

inline constexpr std::string_view kAnswerPath = "/answer/";
inline constexpr std::int64_t kLinkLifeUs = 30LL * 24 * 3'600 * 1'000'000;  // at most, whatever the question

struct Link {
  std::string question;
  std::uint32_t person = 0;     // index into QuestionRow::people
  std::uint32_t option = 0;     // index into QuestionRow::options
  std::int64_t expires_us = 0;  // whole seconds
};

// `ID.PERSON.OPTION.EXPIRES.SIGNATURE`, which needs no encoding in a URL. Signed by HMAC-SHA256.
std::string sign_link(std::string_view key, const Link& link);
// Nothing when anything of it is not as sign_link() wrote it with this key; takes as long for each signature.
std::optional<Link> read_link(std::string_view key, std::string_view token);

}  // namespace flow
