// The mail that tells a person what a run asks: what it is about, and for each answer a link.
#pragma once

#include <string>

#include "runtime/store.hpp"

namespace flow {

// Where people answer. Without a URL the mail has no links and says how else to answer.
struct AnswerLinks {
  std::string url;  // of this service as people reach it, as `https://flow.contoso.com`; without a `/` behind
  std::string key;  // that links are signed with
};

// Arguments of mail.mail() as JSON: the same each time, so that a mail that is sent again is the same mail.
std::string question_mail(const QuestionRow& question, std::uint32_t person, const RunRow& run,
                          const AnswerLinks& links);

// What is asked, as Html that is safe in a page: the details as they are, or as text.
std::string details_html(const QuestionRow& question);

// The link for one person and one answer.
std::string answer_url(const QuestionRow& question, std::uint32_t person, std::uint32_t option,
                       const AnswerLinks& links);

}  // namespace flow
