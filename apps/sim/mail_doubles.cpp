// The pages below /sim that are about the mail services.
#include "apps/sim/mail_doubles.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace flow::sim {
namespace {

HttpAnswer show_drafts(State& state, const Json&, const Target& target) {
  std::vector<Json> list;
  for (const auto& [id, draft] : mail_doubles(state).drafts) {
    Json shown = shown_mail(state, draft.mailbox, draft.message, draft.stored);
    shown.set("id", id).set("mailbox", draft.mailbox);
    list.push_back(std::move(shown));
  }
  return json_answer(200, last_entries(target, list, [](const Json& entry) { return entry; }));
}

HttpAnswer show_gmail(State& state, const Json&, const Target&) {
  const std::set<std::string>& aliases = mail_doubles(state).gmail_aliases;
  return json_answer(200, Json::object({{"aliases", Json::texts({aliases.begin(), aliases.end()})}}));
}
HttpAnswer post_gmail(State& state, const Json& body, const Target& target) {
  if (const Status known = check_keys(body, {"aliases"}, "Gmail"); !known)
    return refuse(400, known.error().message);
  if (!body["aliases"].is_list()) return refuse(400, "`aliases` must be a list of addresses");
  mail_doubles(state).gmail_aliases.clear();
  for (const Json& alias : body["aliases"].items())
    mail_doubles(state).gmail_aliases.insert(lower_ascii(alias.text()));
  return show_gmail(state, body, target);
}

HttpAnswer show_operations(State& state, const Json&, const Target& target) {
  return json_answer(
      200, last_entries(target, mail_doubles(state).operations, [](const MailOperation& each) {
        return Json::object(
            {{"id", each.id}, {"status", each.status}, {"error", each.error}, {"mail", each.mail}});
      }));
}

Result<MailOutcome> read_outcome(const Json& given) {
  FLOW_TRY_STATUS(
      check_keys(given, {"status", "code", "message", "seconds", "times"}, "an outcome of a mail"));
  static const std::vector<std::string> kStatuses{"Succeeded", "Failed", "Canceled"};
  MailOutcome outcome{.status = std::string(given["status"].text()),
                      .code = std::string(given["code"].text()),
                      .message = std::string(given["message"].text())};
  if (outcome.status.empty()) outcome.status = "Succeeded";
  if (std::ranges::find(kStatuses, outcome.status) == kStatuses.end())
    return error("`status` must be one of Succeeded, Failed, Canceled");
  if (given["seconds"].is_number()) outcome.seconds = given["seconds"].number();
  if (!(outcome.seconds <= 86'400)) return error("`seconds` must be a number up to 86400");
  if (given["times"].is_int()) outcome.times = given["times"].integer();
  if (outcome.times < 1) return error("`times` must be a number from 1");
  return outcome;
}

HttpAnswer post_operations(State& state, const Json& body, const Target& target) {
  auto outcome = read_outcome(body);
  if (!outcome) return refuse(400, outcome.error().message);
  mail_doubles(state).outcomes.push_back(std::move(*outcome));
  return show_operations(state, body, target);
}

constexpr ControlPage kMailDoublesPages[] = {
    {"GET", "drafts", show_drafts},  {"GET", "gmail", show_gmail},     {"POST", "gmail", post_gmail},
    {"GET", "acs", show_operations}, {"POST", "acs", post_operations},
};

}  // namespace

MailDoubles& mail_doubles(State& state) {
  if (state.mail_doubles == nullptr) state.mail_doubles = std::make_shared<MailDoubles>();
  return *state.mail_doubles;
}

std::span<const ControlPage> mail_pages() {
  return kMailDoublesPages;
}

}  // namespace flow::sim
