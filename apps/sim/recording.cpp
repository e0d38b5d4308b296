#include "apps/sim/recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "apps/sim/json.hpp"
#include "apps/sim/ticks.hpp"
#include "apps/sim/url.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostExchanges = 1'000'000;
constexpr std::array kSecretMembers = {"access_token", "refresh_token", "client_secret", "client_assertion",
                                       "password",     "authPassword",  "privPassword",  "communityString"};

void cut_signatures(std::string& text) {
  for (std::size_t at = text.find("sig="); at != std::string::npos; at = text.find("sig=", at + 4)) {
    const std::size_t end = text.find_first_of("&\"'\\<> \r\n", at + 4);
    text.replace(at + 4, (end == std::string::npos ? text.size() : end) - at - 4, "removed");
  }
}

// The values of a member of this name, where they are texts.
void cut_member(std::string& text, const std::string& name) {
  const std::string quoted = "\"" + name + "\"";
  for (std::size_t at = text.find(quoted); at != std::string::npos; at = text.find(quoted, at + 1)) {
    std::size_t open = text.find_first_not_of(" \t\r\n", at + quoted.size());
    if (open == std::string::npos || text[open] != ':') continue;
    open = text.find_first_not_of(" \t\r\n", open + 1);
    if (open == std::string::npos || text[open] != '"') continue;
    std::size_t close = open + 1;
    while (close < text.size() && text[close] != '"') close += text[close] == '\\' ? 2 : 1;
    text.replace(open + 1, std::min(close, text.size()) - open - 1, "removed");
  }
}

// Digits, and letters between them, become one sign: times, ids and keys of runs are alike then.
std::string alike(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    bool has_digit = false;
    while (end < text.size() &&
           (text[end] == '-' || text[end] == '_' || text[end] == ':' || text[end] == '.' ||
            (text[end] >= '0' && text[end] <= '9') || (text[end] >= 'a' && text[end] <= 'z') ||
            (text[end] >= 'A' && text[end] <= 'Z')))
      has_digit = (text[end] >= '0' && text[end] <= '9') || has_digit, ++end;
    if (end == i) {
      out += text[i++];
    } else {
      out += has_digit ? std::string("#") : std::string(text.substr(i, end - i));
      i = end;
    }
  }
  return out;
}

// The path as it is, the query decoded and in order.
std::pair<std::string, std::string> path_and_query(std::string_view target) {
  const auto parsed = parse_target(target);
  if (!parsed) return {std::string(target), ""};
  std::string path;
  for (const std::string& segment : parsed->segments) path += "/" + lower_ascii(segment);
  std::vector<std::string> pairs;
  for (const auto& [name, value] : parsed->query) pairs.push_back(name + "=" + value);
  std::ranges::sort(pairs);
  return {path, fmt::format("{}", fmt::join(pairs, "&"))};
}

struct Keys {
  std::string exact, alike, by_path;
};

Keys keys_of(std::string_view method, std::string_view target, std::string_view body) {
  const auto [path, query] = path_and_query(target);
  const std::string line = fmt::format("{} {}", method, path);
  return {fmt::format("{}?{}\n{}", line, query, body),
          fmt::format("{}?{}\n{}", line, sim::alike(query), sim::alike(body)), line};
}

Result<HttpAnswer> read_answer(const Json& line) {
  HttpAnswer answer;
  answer.status = static_cast<int>(line["status"].integer());
  if (answer.status < 200 || answer.status > 599) return error("`status` must be a number from 200 to 599");
  answer.content_type = std::string(line["content_type"].text());
  if (line["retry_after"].is_text()) answer.headers.emplace_back("Retry-After", line["retry_after"].text());
  answer.body = std::string(line["body"].text());
  if (!line["body_base64"].is_text()) return answer;
  const auto bytes = base64_decoded(line["body_base64"].text());
  if (!bytes) return error("`body_base64` is no base64");
  answer.body = *bytes;
  return answer;
}

}  // namespace

std::string without_secrets(std::string text) {
  cut_signatures(text);
  for (const char* name : kSecretMembers) cut_member(text, name);
  return text;
}

bool is_sign_in(std::string_view target) {
  return target.substr(0, target.find('?')).find("/oauth2/") != std::string_view::npos;
}

Result<Recorder> Recorder::create(const std::string& path) {
  Recorder recorder;
  recorder.file_.reset(std::fopen(path.c_str(), "wxb"));
  if (recorder.file_ == nullptr)
    return error(path + ": cannot be written: " + std::strerror(errno) +
                 (errno == EEXIST ? "; a recording does not go over another file" : ""));
  return recorder;
}

Status Recorder::add(const HttpQuestion& question, const HttpAnswer& answer, std::int64_t time_us) {
  if (is_sign_in(question.target)) return {};
  Json line = Json::object({{"time", format_ticks(time_us)},
                            {"method", question.method},
                            {"target", without_secrets(question.target)}});
  if (!question.body.empty() && !invalid_utf8_at(question.body))
    line.set("request", without_secrets(question.body));
  line.set("status", answer.status).set("content_type", answer.content_type);
  if (const std::string_view wait = answer.header("Retry-After"); !wait.empty())
    line.set("retry_after", wait);
  if (!invalid_utf8_at(answer.body))
    line.set("body", without_secrets(answer.body));
  else
    line.set("body_base64", base64url_encoded(answer.body));
  const std::string text = line.to_text() + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
    return error(std::string("the recording cannot be written: ") + std::strerror(errno));
  return {};
}

Result<Replay> Replay::read(std::string_view lines) {
  Replay replay;
  std::size_t number = 0;
  while (!lines.empty()) {
    const std::string_view text = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), text.size() + 1));
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto wrong = [&](const std::string& message) {
      return error(fmt::format("line {}: {}", number, message));
    };
    const auto line = parse_json(text);
    if (!line) return wrong(line.error().message);
    if (!(*line)["method"].is_text() || !(*line)["target"].text().starts_with("/"))
      return wrong("an exchange needs `method`, and `target` that begins with `/`");
    auto answer = read_answer(*line);
    if (!answer) return wrong(answer.error().message);
    if (replay.answers_.size() == kMostExchanges) return wrong("there are more than 1000000 exchanges");
    const Keys keys = keys_of((*line)["method"].text(), (*line)["target"].text(), (*line)["request"].text());
    for (Track* track :
         {&replay.exact_[keys.exact], &replay.alike_[keys.alike], &replay.by_path_[keys.by_path]})
      track->answers.push_back(replay.answers_.size());
    replay.answers_.push_back(std::move(*answer));
  }
  if (replay.answers_.empty()) return error("there is no exchange in it");
  return replay;
}

HttpAnswer Replay::answer(const HttpQuestion& question) {
  const Keys keys = keys_of(question.method, question.target, without_secrets(question.body));
  const std::pair<std::map<std::string, Track>*, const std::string*> kTries[] = {
      {&exact_, &keys.exact}, {&alike_, &keys.alike}, {&by_path_, &keys.by_path}};
  for (const auto& [tracks, key] : kTries) {
    const auto found = tracks->find(*key);
    if (found == tracks->end()) continue;
    Track& track = found->second;
    const std::size_t index = track.answers[track.next];
    if (track.next + 1 < track.answers.size()) ++track.next;
    return answers_[index];
  }
  HttpAnswer answer;
  answer.status = 404;
  answer.body =
      Json::object({{"error", Json::object({{"code", "NotFound"},
                                            {"message", "The recording has no answer to " + keys.by_path},
                                            {"target", nullptr}})}})
          .to_text();
  return answer;
}

}  // namespace flow::sim
