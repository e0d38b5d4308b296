// Finds what threat reports, mails and alerts name: addresses, domains, URLs, digests. One pass over the
// text, which looks at each byte a fixed number of times.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace flow::natives {

enum class Indicator : std::uint8_t { Ip, Domain, Url, Digest, Email };

// Calls `found` for each, from left to right, with its part of the text. A URL's host is found too, right
// after the URL. File names are no domains, nor is what a mail address has behind its @.
void find_indicators(std::string_view text, const std::function<void(Indicator, std::string_view)>& found);

// Undoes what makes indicators harmless: hxxp, [.], (.), [dot], [:], [://], [@], [at].
std::string refanged(std::string_view text);

}  // namespace flow::natives
