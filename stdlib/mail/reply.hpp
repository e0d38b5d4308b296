// What an SMTP server's refusal means for a run.
#pragma once

#include <string>
#include <string_view>

#include "base/fault.hpp"

namespace flow {

// `code` is the reply code of a refusal, `text` the reply with its enhanced code: `550 5.1.1 user unknown`.
Fault smtp_fault(int code, std::string_view text);

}  // namespace flow
