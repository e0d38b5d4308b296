// The runs for people with a browser: a list with a search, each run with its steps, and the questions it
// asks. Pages of plain HTML without a script. Decides who may see them; it knows neither the network nor the
// runtime.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "apps/server/api.hpp"
#include "base/clock.hpp"
#include "runtime/question.hpp"
#include "runtime/store.hpp"

namespace flow {

struct RunSiteOptions {
  SecretProvider api_token;  // the password of the site, with any user name; empty: there is no site
  std::string form_key;      // that its forms are signed with, so that no other site can send them
  std::function<void(AnswerRequest, AnswerDone)> answer;
};

class RunSite {
 public:
  // `store` is only read, on the thread that calls handle(); both must outlive this.
  RunSite(RunSiteOptions options, Store& store, const Clock& clock)
      : options_(std::move(options)), store_(store), clock_(clock) {}

  // Answers once, perhaps later and from another thread. False, and no answer, when the path is not one of
  // these:
  //   GET       /runs                 the newest first, those that the parameters of RunSearch choose
  //   GET       /runs/RUN             one
  //   GET, POST /runs/answer/TOKEN    what will be decided, and what its form sends
  //   GET       /runs/style.css
  bool handle(const HttpQuestion& question, const api::Reply& reply) const;

 private:
  bool is_allowed(const HttpQuestion& question, const api::Reply& reply) const;
  HttpAnswer list(std::string_view target) const;
  HttpAnswer show(std::string_view id) const;
  std::string questions_of(const std::string& run) const;
  void answer(const HttpQuestion& question, std::string_view token, const api::Reply& reply) const;

  RunSiteOptions options_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace flow
