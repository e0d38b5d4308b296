#include "apps/server/run_control.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

using Control = ControlRequest::What;

std::string_view verb(Control what) {
  switch (what) {
    case Control::Resume: return "resume";
    case Control::Cancel: return "cancel";
    case Control::Retry: return "retry";
  }
  return "";
}

struct Target {
  std::string run;
  Control what = Control::Resume;
};
std::optional<Target> target_of(std::string_view path) {
  if (!path.starts_with(api::kOneRun)) return std::nullopt;
  const std::string_view rest = path.substr(api::kOneRun.size());
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  for (const Control what : {Control::Resume, Control::Cancel, Control::Retry})
    if (rest.substr(slash + 1) == verb(what)) return Target{std::string(rest.substr(0, slash)), what};
  return std::nullopt;
}

// Fills in what the body says; what is wrong with it.
std::optional<std::string> read(const std::string& body, ControlRequest& request) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) return std::nullopt;
  const auto members = json_members(body);
  if (!members) return "the body is no well-formed JSON object";
  const bool is_resume = request.what == Control::Resume;
  using Fate = ResumeRequest::Fate;
  for (const auto& [name, json] : *members) {
    const bool is_text = name == "by" || (name == "reason" && request.what == Control::Cancel);
    const auto text = is_text ? json_string(json) : std::nullopt;
    if (is_text && !text) return fmt::format("`{}` must be a text", name);
    if (is_text) {
      (name == "by" ? request.resume.by : request.reason) = *text;
    } else if (is_resume && name == "happened") {
      if (request.resume.fate != Fate::Unknown) return "say `happened` or `didNotHappen`, not both";
      request.resume.fate = Fate::Happened;
      request.resume.result = json;
    } else if (is_resume && name == "didNotHappen") {
      if (json != "true") return "`didNotHappen` can only be true";
      if (request.resume.fate != Fate::Unknown) return "say `happened` or `didNotHappen`, not both";
      request.resume.fate = Fate::DidNotHappen;
    } else {
      return fmt::format("unknown member `{}`; known {}", name,
                         is_resume                         ? "are by, happened and didNotHappen"
                         : request.what == Control::Cancel ? "are by and reason"
                                                           : "is by");
    }
  }
  return std::nullopt;
}

HttpAnswer http_answer(const ControlReply& reply) {
  using How = ControlReply::How;
  switch (reply.how) {
    case How::Done: return api::answer(200, fmt::format(R"({{"run":{}}})", json_quoted(reply.run)));
    case How::NotFound: return api::refusal(404, "NotFound", reply.problem);
    case How::Refused: return api::refusal(409, "Refused", reply.problem);
    case How::Stopping: break;
  }
  return api::stopping();
}

}  // namespace

bool RunControl::handle(const HttpQuestion& question, const api::Reply& reply) const {
  const std::string_view whole = question.target;
  const auto path = percent_decoded(whole.substr(0, whole.find('?')));
  const auto target = path && token_ ? target_of(*path) : std::nullopt;
  if (!target) return false;
  if (question.method != "POST") return reply(api::only("POST")), true;
  if (!api::is_allowed(token_, question, reply)) return true;
  ControlRequest request{.what = target->what, .run = target->run, .resume = {}, .reason = {}};
  if (const auto problem = read(question.body, request))
    return reply(api::refusal(400, "BadRequest", *problem)), true;
  control_(std::move(request), [reply](const ControlReply& told) { reply(http_answer(told)); });
  return true;
}

std::string control_path(const ControlRequest& request) {
  return fmt::format("{}{}/{}", api::kOneRun, percent_encoded(request.run), verb(request.what));
}

std::string control_body(const ControlRequest& request) {
  std::string body = fmt::format(R"({{"by":{})", json_quoted(request.resume.by));
  if (request.what == Control::Cancel) body += ",\"reason\":" + json_quoted(request.reason);
  if (request.resume.fate == ResumeRequest::Fate::Happened) body += ",\"happened\":" + request.resume.result;
  if (request.resume.fate == ResumeRequest::Fate::DidNotHappen) body += ",\"didNotHappen\":true";
  return body + "}";
}

}  // namespace flow
