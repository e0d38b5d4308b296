#include "apps/server/reloader.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "apps/server/query.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostWaiting = 16;  // who asks while so many wait is told to come again

struct Wish {
  std::string by, via;
  ReloadDone done;
};

std::string list_json(const std::vector<std::string>& keys) {
  std::string list;
  for (const std::string& key : keys) list += (list.empty() ? "" : ",") + json_quoted(key);
  return "[" + list + "]";
}

ReloadReply refused(std::string problem) {
  return {.how = ReloadReply::How::Refused, .changes = {}, .problem = std::move(problem)};
}

HttpAnswer answer_for(const ReloadReply& told) {
  switch (told.how) {
    case ReloadReply::How::Stopping: return api::stopping();
    case ReloadReply::How::Refused: return api::refusal(409, "Refused", told.problem);
    case ReloadReply::How::Done: break;
  }
  return api::answer(200, changes_json(told.changes));
}

}  // namespace

std::string changes_text(const ConfigChanges& changes) {
  if (changes.empty()) return "nothing has changed";
  std::string text = fmt::format("{}", fmt::join(changes.now, ", "));
  const auto add = [&](std::string_view words, const std::vector<std::string>& keys) {
    if (!keys.empty())
      text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", words, fmt::join(keys, ", "));
  };
  add("for what is deployed from now on", changes.deploy);
  add("needs a restart", changes.restart);
  return text;
}

std::string changes_json(const ConfigChanges& changes) {
  return fmt::format(R"({{"changed":{},"atDeploy":{},"needRestart":{}}})", list_json(changes.now),
                     list_json(changes.deploy), list_json(changes.restart));
}

struct Reloader::Impl {
  Config in_force;  // of the worker
  const std::string link_key;
  const ReloaderOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Wish> wishes;
  bool is_over = false;
  std::thread worker;

  Impl(Config config, std::string key, ReloaderOptions with)
      : in_force(std::move(config)), link_key(std::move(key)), options(std::move(with)) {}

  void work();
  void fulfil(const Wish& wish);
  ReloadReply carry_out(const Wish& wish);
  Reconfiguration reconfiguration(const Config& config) const;
  ReconfigureReply ask_loop(Reconfiguration wanted);
};

void Reloader::Impl::work() {
  for (;;) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_over || !wishes.empty(); });
    if (is_over) break;
    const Wish wish = std::move(wishes.front());
    wishes.pop_front();
    lock.unlock();
    fulfil(wish);
  }
  for (const Wish& wish : std::exchange(wishes, {})) wish.done({});
}

void Reloader::Impl::fulfil(const Wish& wish) {
  const ReloadReply reply = carry_out(wish);
  options.tell(wish.by, reply);
  wish.done(reply);
}

Reconfiguration Reloader::Impl::reconfiguration(const Config& config) const {
  Reconfiguration wanted;
  wanted.poll_interval_us = config.poll_every_us;
  wanted.look_back_us = config.look_back_us;
  wanted.reuse_reads_us = config.reuse_reads_us;
  wanted.keep_us = config.keep_us;
  wanted.keep_audit_us = config.keep_audit_us;
  wanted.links = {.url = config.inbound.url, .key = link_key};
  wanted.protections = config.protections;
  return wanted;
}

ReloadReply Reloader::Impl::carry_out(const Wish& wish) {
  Attempt<Config> read = options.read();
  if (!read) return refused(std::move(read.error().message));
  const ConfigChanges changes = config_changes(in_force, *read);
  Config next = merged(in_force, std::move(*read), changes);
  if (const Status checked = options.check(next); !checked) return refused(checked.error().message);
  const ReloadReply done{.how = ReloadReply::How::Done, .changes = changes, .problem = {}};
  if (changes.now.empty() && changes.deploy.empty()) return done;
  std::vector<std::string> keys = changes.now;
  keys.insert(keys.end(), changes.deploy.begin(), changes.deploy.end());
  auto apply = options.prepare(next, keys);
  if (!apply) return refused(apply.error().message);
  Reconfiguration wanted = reconfiguration(next);
  wanted.apply = std::move(*apply);
  wanted.keys = std::move(keys);
  wanted.by = wish.by;
  wanted.via = wish.via;
  const ReconfigureReply reply = ask_loop(std::move(wanted));
  if (reply.how == ReconfigureReply::How::Refused) return refused(reply.problem);
  if (reply.how == ReconfigureReply::How::Stopping) return {};
  in_force = std::move(next);
  if (!changes.new_tenants.empty()) options.welcome(in_force, changes.new_tenants, wish.by);
  return done;
}

// Waits for the loop; not for one that has ended, which tells nobody anything any more.
ReconfigureReply Reloader::Impl::ask_loop(Reconfiguration wanted) {
  const auto told = std::make_shared<std::optional<ReconfigureReply>>();
  options.reconfigure(std::move(wanted), [this, told](ReconfigureReply reply) {
    const std::lock_guard lock(mutex);
    *told = std::move(reply);
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return is_over || told->has_value(); });
  return told->value_or(ReconfigureReply{});
}

Reloader::Reloader(Config in_force, std::string link_key, ReloaderOptions options)
    : impl_(std::make_unique<Impl>(std::move(in_force), std::move(link_key), std::move(options))) {
  impl_->worker = std::thread([impl = impl_.get()] { impl->work(); });
}

Reloader::~Reloader() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_over = true;
    impl_->changed.notify_all();
  }
  impl_->worker.join();
}

void Reloader::reload(std::string by, std::string via, ReloadDone done) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->is_over && impl_->wishes.size() < kMostWaiting) {
      impl_->wishes.push_back({std::move(by), std::move(via), std::exchange(done, nullptr)});
      impl_->changed.notify_all();
    }
  }
  if (done) done({});
}

bool Reloader::handle(const SecretProvider& api_token, const HttpQuestion& question,
                      const api::Reply& reply) {
  const std::string_view target = question.target;
  if (!api_token || target.substr(0, target.find('?')) != api::kReload) return false;
  if (question.method != "POST") return reply(api::only("POST")), true;
  if (!api::is_allowed(api_token, question, reply)) return true;
  if (!api::is_known(question, {"by"}, reply)) return true;
  std::string by = parameter(target, "by");
  if (by.empty()) by = "somebody with the token of the API";
  reload(std::move(by), "api", [reply](const ReloadReply& told) { reply(answer_for(told)); });
  return true;
}

}  // namespace flow
