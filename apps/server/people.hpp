// What people and other services send to runs that wait for them: the pages behind the links of mails, the
// list of questions with their answers, and messages. Decides who may, and turns what came of it into an HTTP
// answer; it knows neither the network nor the runtime.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "apps/server/http_message.hpp"
#include "base/clock.hpp"
#include "runtime/question.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow {

struct PeopleOptions {
  std::string link_key;      // that the links of mails are signed with
  SecretProvider api_token;  // empty: no API
  std::function<void(AnswerRequest, AnswerDone)> answer;
  std::function<void(MessageRequest, MessageDone)> send;
};

class People {
 public:
  using Reply = std::function<void(HttpAnswer)>;

  // `store` is only read, on the thread that calls handle(); both must outlive this.
  People(PeopleOptions options, Store& store, const Clock& clock)
      : options_(std::move(options)), store_(store), clock_(clock) {}

  // Answers once, perhaps later and from another thread. False, and no answer, when the path is not one of
  // these:
  //   GET, POST /answer/TOKEN                    the page behind a link, and what its form sends
  //   GET       /style.css                       of the page
  //   GET       /api/v1/questions                open ones; with ?state=all every one
  //   GET, POST /api/v1/questions/ID             one; its answer: {"answer": …, "by": …}
  //   POST      /api/v1/runs/RUN/messages/NAME   the body is the message
  bool handle(const HttpQuestion& question, const Reply& reply) const;

 private:
  void link(const HttpQuestion& question, std::string_view token, const Reply& reply) const;
  void questions(const HttpQuestion& question, std::string_view id, const Reply& reply) const;
  void list(const HttpQuestion& question, const Reply& reply) const;
  void message(const HttpQuestion& question, std::string_view rest, const Reply& reply) const;

  PeopleOptions options_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace flow
