// Links that the API hands out, and what they lead to. They need no token: whoever has the link has the file,
// until it expires.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/archives.hpp"
#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/exports.hpp"
#include "apps/sim/machine_actions.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/sightings.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kUsualUs = 1'800'000'000;  // half an hour

HttpAnswer refused_link() {
  HttpAnswer answer;
  answer.status = 403;
  answer.content_type = "application/xml";
  answer.body =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>The link "
      "has "
      "expired, or there is none.</Message></Error>";
  return answer;
}

HttpAnswer file_answer(std::string content_type, std::string name, std::string content) {
  HttpAnswer answer;
  answer.content_type = std::move(content_type);
  answer.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + name + "\"");
  answer.body = std::move(content);
  return answer;
}

std::string package_of(State& state, const MachineAction& action) {
  const Json* machine = find_machine(state, action.machine_id);
  std::string users = "Account\r\n";
  if (machine != nullptr)
    for (const std::string& account : accounts_on(state, *machine)) users += account + "\r\n";
  return zip_of(
      {{"Forensics Collection Summary.txt",
        fmt::format("Device {}\r\nCollected {}\r\n", action.json["computerDnsName"].text(),
                    format_ticks(action.ends_us))},
       {"Processes/Processes.csv", "Name,Id\r\nsvchost.exe,812\r\nexplorer.exe,4120\r\n"},
       {"Users and Groups/Users.csv", users},
       {"System Information/SystemInformation.json", machine != nullptr ? machine->to_text() : "{}"}});
}

std::string script_result(const MachineAction& action, std::size_t index) {
  std::string name;
  for (const Json& pair : action.json["commands"].items()[index]["command"]["params"].items())
    if (pair["key"].text() == "ScriptName") name = std::string(pair["value"].text());
  const std::string output = action.plan.output.empty() ? "done\r\n" : action.plan.output;
  return Json::object({{"script_name", name},
                       {"exit_code", action.plan.exit_code},
                       {"script_output", output},
                       {"script_errors", action.plan.errors}})
      .to_text();
}

std::string fetched_file(const MachineAction& action, std::size_t index) {
  std::string path;
  for (const Json& pair : action.json["commands"].items()[index]["command"]["params"].items())
    path = std::string(pair["value"].text());
  const std::string name = path.substr(path.find_last_of("\\/") + 1);
  return zip_of({{name.empty() ? "file" : name,
                  action.plan.content.empty() ? "content of " + path : action.plan.content}});
}

}  // namespace

std::string download_link(State& state, const Call& call, Download download) {
  if (download.expires_us == 0) download.expires_us = state.now_us() + kUsualUs;
  const std::string secret = hex_digits(*state.random, 40);
  const std::string link = fmt::format("{}/downloads/{}?se={}&sig={}", own_url(call), secret,
                                       format_ticks(download.expires_us), hex_digits(*state.random, 32));
  state.defender.downloads[secret] = std::move(download);
  state.defender.download_order.push_back(secret);
  if (state.defender.download_order.size() > kMostDownloads) {
    state.defender.downloads.erase(state.defender.download_order.front());
    state.defender.download_order.pop_front();
  }
  return link;
}

HttpAnswer follow_link(State& state, const Call& call) {
  const auto found = state.defender.downloads.find(call.id);
  if (found == state.defender.downloads.end() || found->second.expires_us <= state.now_us())
    return refused_link();
  const Download& download = found->second;
  if (download.kind == "export")
    return file_answer("application/gzip", "part-00000.json.gz",
                       gzip_of(export_lines(state, download.argument)));
  const MachineAction* action = find_action(state, download.argument);
  if (action == nullptr) return refused_link();
  if (download.kind == "script")
    return file_answer("application/json", "result.json", script_result(*action, download.index));
  if (download.kind == "file")
    return file_answer("application/zip", "file.zip", fetched_file(*action, download.index));
  return file_answer("application/zip", "package.zip", package_of(state, *action));
}

}  // namespace flow::sim
