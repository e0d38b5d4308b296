// The pages behind the links of mails. Everything in them that comes from elsewhere is text, or Html made
// safe; nothing in them runs, and nothing is loaded but their style.
#pragma once

#include <string_view>

#include "apps/server/http_message.hpp"
#include "runtime/question.hpp"
#include "runtime/store.hpp"

namespace flow {

// What will be decided, with a form that decides it.
HttpAnswer confirmation_page(const QuestionRow& question, std::string_view person, std::string_view option,
                             const RunRow& run);
// That it is decided, or why it cannot be any more.
HttpAnswer reply_page(const AnswerReply& reply);
// One sentence.
HttpAnswer notice_page(int status, std::string_view title, std::string_view text);
HttpAnswer page_style();

}  // namespace flow
