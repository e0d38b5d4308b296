// The pages behind the links of mails.
#pragma once

#include <string_view>

#include "apps/server/http_message.hpp"
#include "runtime/question.hpp"
#include "runtime/store.hpp"

namespace flow {

// The most that a form which says "yes, that" has.
inline constexpr std::size_t kAnswerFormBytes = 1024;

// What will be decided, with a form that decides it.
HttpAnswer confirmation_page(const QuestionRow& question, std::string_view person, std::string_view option,
                             const RunRow& run);
// That it is decided, or why it cannot be any more.
HttpAnswer reply_page(const AnswerReply& reply);
// One sentence.
HttpAnswer notice_page(int status, std::string_view title, std::string_view text);

}  // namespace flow
